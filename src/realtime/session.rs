//! One connected socket, as the server knows it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::RwLock;

use super::{
    EventBucket, Scope, connection::Connection, namespace::ClientSockets, queue::EventQueue,
};
use crate::domain::{Identity, SocketId, User, UserId};

/// What a new socket is made of.
pub struct NewSession {
    /// `socket.id`.
    pub id: SocketId,
    /// What its client calls it to recover it, where that is possible.
    pub pid: Option<Arc<str>>,
    /// What serves it.
    pub scope: Arc<Scope>,
    /// Who is behind it.
    pub identity: Identity,
    /// The client's sockets, which it is to be one of.
    pub client: Arc<ClientSockets>,
    /// Its events.
    pub queue: Arc<EventQueue>,
    /// How many of them it may send.
    pub bucket: EventBucket,
}

/// A socket of one namespace, from its handshake to its end.
pub struct Session {
    id: SocketId,
    pid: Option<Arc<str>>,
    scope: Arc<Scope>,
    user_id: Option<UserId>,
    identity: RwLock<Identity>,
    client: Arc<ClientSockets>,
    queue: Arc<EventQueue>,
    bucket: EventBucket,
    expelled: AtomicBool,
    gone: AtomicBool,
    /// The last emit that was meant for it, or not meant for it. Guarded by the rooms' lock.
    emit: AtomicU64,
    /// From which packet on it finds them in the log alone. Guarded by the rooms' lock.
    lag: AtomicU64,
    /// The entries up to this position it has been sent from the store, or they are not for it.
    position: AtomicU64,
}

/// No packet has this number.
const NO_LAG: u64 = u64::MAX;

impl Session {
    /// A socket whose handshake was accepted.
    pub fn new(new: NewSession) -> Arc<Self> {
        Arc::new(Self {
            id: new.id,
            pid: new.pid,
            scope: new.scope,
            user_id: new.identity.user_id().cloned(),
            identity: RwLock::new(new.identity),
            client: new.client,
            queue: new.queue,
            bucket: new.bucket,
            expelled: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            emit: AtomicU64::new(0),
            lag: AtomicU64::new(NO_LAG),
            position: AtomicU64::new(0),
        })
    }

    /// `socket.id`.
    pub fn id(&self) -> &SocketId {
        &self.id
    }

    /// The secret by which its client recovers it.
    pub fn pid(&self) -> Option<&Arc<str>> {
        self.pid.as_ref()
    }

    /// What serves it.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Who is behind it now: the token may have been renewed.
    pub fn identity(&self) -> Identity {
        self.identity.read().clone()
    }

    /// The user behind it, for as long as it lasts.
    pub fn user_id(&self) -> Option<&UserId> {
        self.user_id.as_ref()
    }

    /// The same user has come with a new token.
    pub(super) fn renew(&self, user: Arc<User>) {
        *self.identity.write() = Identity::User(user);
    }

    /// The connection that it shares with the client's sockets of other namespaces.
    pub(super) fn connection(&self) -> &Arc<Connection> {
        self.client.connection()
    }

    /// The client's sockets, it among them.
    pub(super) fn client(&self) -> &Arc<ClientSockets> {
        &self.client
    }

    /// Its events.
    pub(super) fn queue(&self) -> &Arc<EventQueue> {
        &self.queue
    }

    /// Its bucket of events.
    pub(super) fn bucket(&self) -> &EventBucket {
        &self.bucket
    }

    /// Marks it for an emit; whether it was not yet.
    pub(super) fn mark(&self, emit: u64) -> bool {
        self.emit.swap(emit, Ordering::Relaxed) != emit
    }

    /// Whether it has been sent the entry at this position from the store.
    pub(super) fn has(&self, position: Option<u64>) -> bool {
        position.is_some_and(|position| position <= self.position.load(Ordering::Relaxed))
    }

    /// It has been sent the entries up to this position.
    pub(super) fn set_position(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
    }

    /// Whether it finds packets in the log alone.
    pub(super) fn lags(&self) -> bool {
        self.lag.load(Ordering::Relaxed) != NO_LAG
    }

    /// From which number on it does.
    pub(super) fn lag(&self) -> Option<u64> {
        Some(self.lag.load(Ordering::Relaxed)).filter(|index| *index != NO_LAG)
    }

    pub(super) fn set_lag(&self, lag: Option<u64>) {
        self.lag.store(lag.unwrap_or(NO_LAG), Ordering::Relaxed);
    }

    /// Notes that the connection has ended; what the client sent before may still be under way.
    pub(super) fn leave(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    /// Whether nothing can reach the client any more.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || self.is_expelled()
    }

    /// Notes that the server ends the connection: what the client sent before is no longer done.
    pub(super) fn expel(&self) {
        self.expelled.store(true, Ordering::Relaxed);
    }

    /// Whether the server ended the connection.
    pub(super) fn is_expelled(&self) -> bool {
        self.expelled.load(Ordering::Relaxed)
    }
}
