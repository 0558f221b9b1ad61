//! Who is connected and which rooms they are in.

use std::sync::Arc;

use super::ValueOf;
use crate::{
    domain::{Identity, Room, SocketId, User, UserId},
    error::Result,
};

/// What a join changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The first of the user's devices in the room.
    FirstDevice,
    /// Another device of the user was there.
    AnotherDevice,
    /// The socket was in the room before.
    Already,
}

/// What a leave changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The last of the user's devices in the room.
    LastDevice,
    /// Another device of the user is still there.
    AnotherDevice,
    /// The socket was not in the room.
    NotThere,
}

/// Why the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// A backend ended the user's sessions.
    SessionsEnded,
    /// The token or the user was revoked.
    Revoked,
    /// The token has expired and was not renewed.
    TokenExpired,
    /// A backend, or another server, ended the socket.
    Asked,
}

impl DisconnectReason {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionsEnded => "sessions_ended",
            Self::Revoked => "revoked",
            Self::TokenExpired => "token_expired",
            Self::Asked => "asked",
        }
    }
}

/// The connected sockets of this node, of the namespace `/`.
pub trait Sockets: Send + Sync + 'static {
    /// Puts a socket into a room. Fails with `too_many_rooms` at the limit, and with `not_found`
    /// when the socket has gone.
    fn join(&self, socket: &SocketId, room: &Room) -> Result<Joined>;

    /// The same for a socket that will be sent the latest of these values by itself, in its own room:
    /// it is sent none twice, whichever way it comes first.
    fn watch(&self, socket: &SocketId, room: &Room, of: ValueOf<'_>) -> Result<Joined>;

    /// Takes a socket out of a room.
    fn leave(&self, socket: &SocketId, room: &Room) -> Left;

    /// Takes all devices of a user out of a room; whether the user was in it.
    fn evict(&self, user: &UserId, room: &Room) -> bool;

    /// Whether the socket is in the room.
    fn is_in(&self, socket: &SocketId, room: &Room) -> bool;

    /// Whether a device of the user is in the room.
    fn is_user_in(&self, user: &UserId, room: &Room) -> bool;

    /// Whether anybody is in the room.
    fn is_anyone_in(&self, room: &Room) -> bool;

    /// The users with a device in the room, each once, sorted by id.
    fn users_in(&self, room: &Room) -> Vec<UserId>;

    /// The chat rooms in which the user has a device, each once.
    fn chat_rooms_of(&self, user: &UserId) -> Vec<Room>;

    /// The rooms with a socket in them whose names begin so.
    fn rooms_with(&self, prefix: &str) -> Vec<Room>;

    /// Who is behind a connected socket.
    fn identity(&self, socket: &SocketId) -> Option<Identity>;

    /// Gives a socket's connection the user's new token, in every namespace. Nothing happens when
    /// the socket has gone or is another user's.
    fn renew(&self, socket: &SocketId, user: &Arc<User>);

    /// The name of a connected user, as their token gives it.
    fn name_of(&self, user: &UserId) -> Option<Arc<str>>;

    /// The connected sockets of a user.
    fn devices_of(&self, user: &UserId) -> Vec<SocketId>;

    /// Whether the user has a connected socket.
    fn is_connected(&self, user: &UserId) -> bool;

    /// Ends every connection of which `which` is true.
    fn disconnect(&self, which: &dyn Fn(&Identity) -> bool, reason: DisconnectReason);
}
