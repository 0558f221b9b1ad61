//! One connected socket, as the server knows it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use governor::DefaultDirectRateLimiter;
use parking_lot::RwLock;

use super::{ConnectionGuard, queue::EventQueue};
use crate::domain::{Identity, SocketId, User, UserId};

/// A socket of one namespace, from its handshake to its end.
pub struct Session {
    id: SocketId,
    user_id: Option<UserId>,
    identity: RwLock<Identity>,
    queue: Arc<EventQueue>,
    bucket: Option<DefaultDirectRateLimiter>,
    expelled: AtomicBool,
    gone: AtomicBool,
    _counted: ConnectionGuard,
}

impl Session {
    /// A socket whose handshake was accepted.
    pub fn new(
        id: SocketId,
        identity: Identity,
        queue: Arc<EventQueue>,
        bucket: Option<DefaultDirectRateLimiter>,
        counted: ConnectionGuard,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            user_id: identity.user_id().cloned(),
            identity: RwLock::new(identity),
            queue,
            bucket,
            expelled: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            _counted: counted,
        })
    }

    /// `socket.id`.
    pub fn id(&self) -> &SocketId {
        &self.id
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

    /// Its events.
    pub(super) fn queue(&self) -> &Arc<EventQueue> {
        &self.queue
    }

    /// Its bucket of events, if they are limited.
    pub(super) fn bucket(&self) -> Option<&DefaultDirectRateLimiter> {
        self.bucket.as_ref()
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
