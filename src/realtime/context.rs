//! What an event is, and what its handler may do.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Session,
    namespace::{NamespaceHandle, Rules},
};
use crate::{
    domain::{Identity, Room, SocketId, User},
    error::Result,
    ports::{Class, Emit, Joined, Left, Payload},
    services::{Services, Speaker},
};

/// What may run beside an event of the same socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Nothing: it waits for all earlier events of the socket, and later ones wait for it.
    #[default]
    Serial,
    /// Its effect takes its place when its handler is first polled; from then on later events of
    /// the socket may start while it is still waiting, for a commit for example.
    FirstPoll,
}

/// How a failure is told to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failure {
    /// By the ack; as an `error` event when the client asked for none.
    #[default]
    AckOrEvent,
    /// By an `error` event in any case, and by the ack.
    AckAndEvent,
}

/// From which arguments an event is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arguments {
    /// From the first one; more are ignored, as JavaScript ignores them. From nothing (`()`, an
    /// `Option`) when there is none.
    #[default]
    First,
    /// From all of them: the event is a tuple struct with as many fields, or one transparent
    /// around [`Args`](crate::domain::Args).
    All,
}

/// What an ack looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    /// `{ ok: true, ...reply }`.
    #[default]
    Object,
    /// The reply itself; a tuple, or [`Args`](crate::domain::Args), becomes several arguments.
    Bare,
}

/// How an event is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// What may run beside it.
    pub order: Order,
    /// How its failures are told.
    pub failure: Failure,
    /// From which arguments it is read.
    pub arguments: Arguments,
    /// What its ack looks like.
    pub acks: Acks,
    /// Whether it brings secrets, as a token: no administrator is shown it.
    pub is_secret: bool,
}

/// An event that clients send.
///
/// The type is read from the event's first argument, or from all of them: see
/// [`Event::HANDLING`]. The reply becomes the ack, unless told otherwise `{ ok: true, ...reply }`. An error becomes
/// `{ ok: false, error, code }`, or an `error` event where the client asked for no ack.
pub trait Event: DeserializeOwned + Send + 'static {
    /// The event's name.
    const NAME: &'static str;
    /// How it is taken: after all earlier events of the socket, from its first argument, its
    /// failures told by the ack or else by an `error` event.
    const HANDLING: Handling = Handling {
        order: Order::Serial,
        failure: Failure::AckOrEvent,
        arguments: Arguments::First,
        acks: Acks::Object,
        is_secret: false,
    };
    /// What the ack adds to `ok`: a struct or map, or `()` for nothing.
    type Reply: Serialize + Send + Sync + 'static;

    /// Handles one event. One socket's events are handled in the order in which it sent them.
    ///
    /// Until it first waits, it runs in the task that reads the client's connection, which neither
    /// reads nor writes meanwhile: what takes long belongs into `tokio::task::spawn_blocking`.
    fn handle(self, cx: Context) -> impl Future<Output = Result<Self::Reply>> + Send;
}

/// Who sent an event, and the way to answer beyond the ack.
#[derive(Clone)]
pub struct Context {
    pub(super) session: Arc<Session>,
    pub(super) identity: Identity,
    pub(super) asks: bool,
}

/// What all sockets of a namespace are served by.
pub struct Scope {
    /// The namespace.
    pub namespace: NamespaceHandle,
    /// How its events are handled.
    pub rules: Rules,
    /// Roomcast's own services.
    pub services: Arc<Services>,
}

impl Context {
    /// Whether the client asks for an ack.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// The id of the socket that sent the event.
    pub fn socket_id(&self) -> &SocketId {
        self.session.id()
    }

    /// Who is behind the socket.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The signed-in user, or `Authentication required`.
    pub fn user(&self) -> Result<&Arc<User>> {
        self.identity.user()
    }

    /// The signed-in user on this device, or `Authentication required`.
    pub fn speaker(&self) -> Result<Speaker<'_>> {
        Ok(Speaker {
            socket: self.session.id(),
            user: self.user()?,
        })
    }

    /// Puts the socket into a room of its namespace.
    pub fn join(&self, room: &Room) -> Result<Joined> {
        self.namespace().join(self.session.id(), room)
    }

    /// Takes the socket out of a room.
    pub fn leave(&self, room: &Room) -> Left {
        self.namespace().leave(self.session.id(), room)
    }

    /// The rooms that the socket is in, its own among them.
    pub fn rooms(&self) -> Vec<Room> {
        self.namespace().rooms_of(self.session.id())
    }

    /// Sends an event to every socket of a room, this one included if it is in it. Nothing is kept
    /// for those who are away.
    pub fn emit(&self, room: &Room, event: &str, payload: Payload<'_>) {
        let to = std::slice::from_ref(room);
        let emit = Emit::new(Class::Passing, to, event, payload);
        self.namespace().emit(emit);
    }

    /// Roomcast's own services.
    pub fn services(&self) -> &Services {
        &self.session.scope().services
    }

    /// The socket's namespace.
    pub(super) fn namespace(&self) -> &NamespaceHandle {
        &self.session.scope().namespace
    }

    /// How its events are handled.
    pub(super) fn rules(&self) -> &Rules {
        &self.session.scope().rules
    }
}
