//! What sockets of this node do, for whoever looks on. Where nobody does, it costs one look.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use super::{Hub, codec::Encoded, handle::NamespaceHandle};
use crate::{
    domain::{Room, SocketId, Timestamp},
    realtime::{Session, connection::Connection, engine::Engine},
};

/// Looks on.
pub trait Observer: Send + Sync + 'static {
    /// Takes what was seen. Never waits.
    fn see(&self, seen: Seen);

    /// Whether it looks at the events of this namespace.
    fn looks_at_events(&self, path: &str) -> bool;
}

/// Something that was seen.
pub struct Seen {
    /// In which namespace.
    pub path: &'static str,
    /// When.
    pub at: Timestamp,
    /// What it was.
    pub what: Sight,
}

impl Seen {
    /// Whether it is an event.
    pub const fn is_event(&self) -> bool {
        matches!(self.what, Sight::Received(..) | Sight::Sent(..))
    }
}

/// What a socket did, or what was done with it.
pub enum Sight {
    /// It has connected, and is in these rooms.
    Connected(Arc<Session>, Vec<Room>),
    /// It goes on over a WebSocket.
    Upgraded(SocketId),
    /// It has ended, and was in these rooms.
    Ended(SocketId, &'static str, Vec<Room>),
    /// It has come into a room.
    Joined(SocketId, Room),
    /// It has left a room.
    Left(SocketId, Room),
    /// It has sent an event.
    Received(SocketId, Encoded),
    /// These were sent an event.
    Sent(Vec<SocketId>, Encoded),
}

/// Who looks on, if anybody.
#[derive(Default)]
pub(super) struct Observed {
    is_on: AtomicBool,
    observer: OnceLock<Arc<dyn Observer>>,
}

impl Observed {
    fn get(&self) -> Option<&dyn Observer> {
        match self.is_on.load(Ordering::Relaxed) {
            true => self.observer.get().map(|observer| &**observer),
            false => None,
        }
    }
}

impl NamespaceHandle {
    /// Lets whoever looks on see something.
    pub(super) fn show(&self, what: impl FnOnce() -> Sight) {
        if let Some(observer) = self.observed.get() {
            observer.see(self.seen(what()));
        }
    }

    /// The same, of an event.
    pub(super) fn show_event(&self, what: impl FnOnce() -> Sight) {
        if let Some(observer) = self.observed.get()
            && observer.looks_at_events(self.path)
        {
            observer.see(self.seen(what()));
        }
    }

    /// Whether somebody looks at events here.
    pub(super) fn shows_events(&self) -> bool {
        let observer = self.observed.get();
        observer.is_some_and(|observer| observer.looks_at_events(self.path))
    }

    /// A socket has connected.
    pub(super) fn show_connected(&self, session: &Arc<Session>) {
        self.show(|| Sight::Connected(session.clone(), self.rooms.rooms_of(session.id())));
    }

    fn seen(&self, what: Sight) -> Seen {
        Seen {
            path: self.path,
            at: Timestamp::now(),
            what,
        }
    }
}

impl Hub {
    /// Has somebody look on, once [`Hub::set_observed`] says so.
    pub fn observe_by(&self, observer: Arc<dyn Observer>) {
        // There is one.
        let _ = self.root.observed.observer.set(observer);
    }

    /// Whether what sockets do is shown from now on.
    pub fn set_observed(&self, is_on: bool) {
        self.root.observed.is_on.store(is_on, Ordering::Relaxed);
    }

    /// How many sockets each namespace has.
    pub fn socket_counts(&self) -> Vec<(&'static str, usize)> {
        let counts = self.namespaces.iter();
        counts
            .map(|(path, namespace)| (*path, namespace.rooms.len()))
            .collect()
    }

    /// How many connections there are, and how many of them poll.
    pub fn connection_counts(&self) -> (usize, usize) {
        let connections = self.engine().map(Engine::connections).unwrap_or_default();
        let is_polling = |connection: &&Arc<Connection>| connection.is_polling();
        let polling = connections.iter().filter(is_polling).count();
        (connections.len(), polling)
    }
}
