//! What an event is, and what its handler may do.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::{Session, namespace::NamespaceHandle};
use crate::{
    domain::{Identity, Room, SocketId, User},
    error::Result,
    ports::{Class, Emit, Joined, Left, Payload},
    services::{Services, Speaker},
};

/// What may run beside an event of the same socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nothing: it waits for all earlier events of the socket, and later ones wait for it.
    Serial,
    /// Its effect takes its place when its handler is first polled; from then on later events of
    /// the socket may start while it is still waiting, for a commit for example.
    FirstPoll,
}

/// How a failure is told to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// By the ack; as an `error` event when the client asked for none.
    AckOrEvent,
    /// By an `error` event in any case, and by the ack.
    AckAndEvent,
}

/// An event that clients send.
///
/// The type is read from the event's first argument; a tuple struct with several fields is read
/// from as many arguments. The reply becomes the ack: `{ ok: true, ...reply }`. An error becomes
/// `{ ok: false, error, code }`, or an `error` event where the client asked for no ack.
pub trait Event: DeserializeOwned + Send + 'static {
    /// The event's name.
    const NAME: &'static str;
    /// What may run beside it.
    const ORDER: Order = Order::Serial;
    /// How its failures are told.
    const FAILURE: Failure = Failure::AckOrEvent;
    /// What the ack adds to `ok`: a struct or map, or `()` for nothing.
    type Reply: Serialize + Send + Sync + 'static;

    /// Handles one event. One socket's events are handled in the order in which it sent them.
    fn handle(self, cx: Context) -> impl Future<Output = Result<Self::Reply>> + Send;
}

/// Who sent an event, and the way to answer beyond the ack.
#[derive(Clone)]
pub struct Context {
    pub(super) session: Arc<Session>,
    pub(super) namespace: NamespaceHandle,
    pub(super) services: Arc<Services>,
}

impl Context {
    /// The id of the socket that sent the event.
    pub fn socket_id(&self) -> &SocketId {
        self.session.id()
    }

    /// Who is behind the socket.
    pub fn identity(&self) -> &Identity {
        self.session.identity()
    }

    /// The signed-in user, or `Authentication required`.
    pub fn user(&self) -> Result<&Arc<User>> {
        self.session.identity().user()
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
        self.namespace.join(self.session.id(), room)
    }

    /// Takes the socket out of a room.
    pub fn leave(&self, room: &Room) -> Left {
        self.namespace.leave(self.session.id(), room)
    }

    /// Sends an event to every socket of a room, this one included if it is in it. Nothing is kept
    /// for those who are away.
    pub fn emit(&self, room: &Room, event: &str, payload: Payload<'_>) {
        let to = std::slice::from_ref(room);
        let emit = Emit::new(Class::Passing, to, event, payload);
        self.namespace.emit(emit);
    }

    /// Roomcast's own services.
    pub fn services(&self) -> &Services {
        &self.services
    }
}
