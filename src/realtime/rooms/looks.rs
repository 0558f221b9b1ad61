//! Who is in which room.

use super::{Rooms, occupants::Occupants};
use crate::domain::{Room, SocketId, UserId};

impl Rooms {
    /// Whether the socket is in the room.
    pub fn is_in(&self, id: &SocketId, room: &Room) -> bool {
        let inner = self.inner.lock();
        let member = inner.sockets.get(id);
        member.is_some_and(|member| member.rooms.get(room).is_some())
    }

    /// Whether somebody is in the room of this name.
    pub fn is_occupied(&self, room: &str) -> bool {
        self.inner.lock().rooms.contains_key(room)
    }

    /// Whether a socket with this id is connected.
    pub fn has(&self, id: &str) -> bool {
        self.inner.lock().sockets.contains_key(id)
    }

    /// Whether anybody is in the room.
    pub fn is_anyone_in(&self, room: &Room) -> bool {
        self.inner.lock().rooms.contains_key(room)
    }

    /// Whether a device of the user is in the room.
    pub fn is_user_in(&self, user: &UserId, room: &Room) -> bool {
        let inner = self.inner.lock();
        let occupants = inner.rooms.get(room);
        occupants.is_some_and(|occupants| occupants.has(user))
    }

    /// The users in the room, sorted.
    pub fn users_in(&self, room: &Room) -> Vec<UserId> {
        let mut users = {
            let inner = self.inner.lock();
            let occupants = inner.rooms.get(room);
            occupants.map_or_else(Vec::new, Occupants::users)
        };
        // There may be many, and nobody is to wait for it.
        users.sort_unstable();
        users
    }

    /// The rooms with somebody in them whose names begin so.
    pub fn with_prefix(&self, prefix: &str) -> Vec<Room> {
        let inner = self.inner.lock();
        let rooms = inner.rooms.keys();
        let fitting = rooms.filter(|room| room.as_str().starts_with(prefix));
        fitting.cloned().collect()
    }

    /// The rooms a socket is in.
    pub fn rooms_of(&self, id: &SocketId) -> Vec<Room> {
        let inner = self.inner.lock();
        let member = inner.sockets.get(id);
        member.map_or_else(Vec::new, |member| member.rooms.rooms())
    }
}
