//! The way out to clients: one call for every event that leaves the server.

use serde::{Deserialize, Serialize};

use crate::domain::{FeedId, Room, SocketId};

/// What an event carries. A tuple becomes several arguments, anything else one.
pub type Payload<'a> = &'a (dyn erased_serde::Serialize + Sync);

/// How an event must be treated when a reader is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Stored: every reader gets it once, in order.
    Durable,
    /// The newest value wins.
    Latest,
    /// At most once; the first to be dropped.
    Passing,
}

impl Class {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Latest => "latest",
            Self::Passing => "passing",
        }
    }
}

/// The entry of a feed that an event carries.
#[derive(Clone, Copy, Debug)]
pub struct EntryRef<'a> {
    /// The feed.
    pub feed: &'a FeedId,
    /// Its place in the feed.
    pub seq: u64,
    /// Its place among the entries of all feeds.
    pub position: u64,
}

/// Whether an event is worth keeping for a client that is away for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// It is kept for as long as sessions can be recovered.
    Kept,
    /// It is for those who are there.
    Volatile,
}

/// An event on its way to sockets of the namespace `/` (or of the one named).
#[derive(Clone, Copy)]
pub struct Emit<'a> {
    /// Its name.
    pub event: &'a str,
    /// Its arguments.
    pub payload: Payload<'a>,
    /// How it must be treated.
    pub class: Class,
    /// The rooms whose sockets get it, each socket once; empty: every socket.
    pub to: &'a [Room],
    /// Rooms whose sockets do not get it.
    pub except: &'a [Room],
    /// A socket that does not get it: the one that caused it.
    pub origin: Option<&'a SocketId>,
    /// The namespace; `/` by default.
    pub namespace: &'a str,
    /// Of a durable event: the entry, which a slow reader reads from its feed later.
    pub entry: Option<EntryRef<'a>>,
    /// Of a latest value: what it is the value of, beside its event; "": its first room.
    pub key: &'a str,
    /// Of a latest value: its number, where several nodes may send values of the same. One that is
    /// smaller than the last is not sent.
    pub number: Option<u64>,
    /// Of a latest value: what it says, in short, where the same may be told again.
    pub says: Option<Says>,
    /// Whether it is kept for clients that are away for a moment.
    pub keep: Keep,
}

/// What latest values of an event are values of.
#[derive(Clone, Copy, Debug, Hash)]
pub struct ValueOf<'a> {
    /// The event.
    pub event: &'a str,
    /// The key of its emits.
    pub key: &'a str,
}

/// What a latest value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Says {
    /// The value, in short.
    pub value: u8,
    /// Whether it is told only where the last one of this event and key said something else.
    pub only_news: bool,
}

impl<'a> Emit<'a> {
    /// An event for the sockets of these rooms.
    pub fn new(class: Class, to: &'a [Room], event: &'a str, payload: Payload<'a>) -> Self {
        Self {
            event,
            payload,
            class,
            to,
            except: &[],
            origin: None,
            namespace: "/",
            entry: None,
            key: "",
            number: None,
            says: None,
            keep: Keep::Kept,
        }
    }

    /// The latest value of this, for the sockets of these rooms.
    pub fn latest(of: ValueOf<'a>, to: &'a [Room], payload: Payload<'a>) -> Self {
        Self::new(Class::Latest, to, of.event, payload).keyed(of.key)
    }

    /// Carries an entry of a feed.
    pub fn of_entry(self, entry: EntryRef<'a>) -> Self {
        let entry = Some(entry);
        Self { entry, ..self }
    }

    /// Is the latest value of this.
    pub fn keyed(self, key: &'a str) -> Self {
        Self { key, ..self }
    }

    /// Is the value with this number; greater ones are newer.
    pub fn numbered(self, number: Option<u64>) -> Self {
        Self { number, ..self }
    }

    /// Says this.
    pub fn saying(self, value: u8, only_news: bool) -> Self {
        let says = Some(Says { value, only_news });
        Self { says, ..self }
    }

    /// Is for those who are there.
    pub fn volatile(self) -> Self {
        let keep = Keep::Volatile;
        Self { keep, ..self }
    }

    /// Leaves out the sockets of these rooms.
    pub fn except(self, rooms: &'a [Room]) -> Self {
        Self {
            except: rooms,
            ..self
        }
    }

    /// Leaves out one socket.
    pub fn from_socket(self, origin: Option<&'a SocketId>) -> Self {
        Self { origin, ..self }
    }

    /// Goes out in another namespace.
    pub fn in_namespace(self, namespace: &'a str) -> Self {
        Self { namespace, ..self }
    }
}

/// Sends events to connected sockets. Emits from one task reach each socket in the order in which
/// they were made. Never blocks and never fails: what cannot be delivered is counted.
pub trait Emitter: Send + Sync + 'static {
    /// Sends one event.
    fn emit(&self, emit: Emit<'_>);
}
