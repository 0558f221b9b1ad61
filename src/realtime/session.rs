//! One connected socket, as the server knows it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use governor::DefaultDirectRateLimiter;

use super::{ConnectionGuard, queue::EventQueue};
use crate::domain::{Identity, SocketId};

/// A socket of one namespace, from its handshake to its end.
pub struct Session {
    id: SocketId,
    identity: Identity,
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
            identity,
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

    /// Who is behind it.
    pub fn identity(&self) -> &Identity {
        &self.identity
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
