//! One namespace: the way out to its sockets, their rooms, and their end.

use std::sync::Arc;

use futures::FutureExt;
use metrics::counter;
use socketioxide::{BroadcastError, SocketError, SocketIo, extract::SocketRef, socket::Sid};

use super::hub::ROOT;
use crate::{
    domain::{Room, SocketId},
    error::Result,
    ports::{DisconnectReason, Emit, Joined, Left},
    realtime::{Session, expiry::Expiry, rooms::Rooms},
    telemetry::metric,
};

/// One namespace's sockets.
#[derive(Clone)]
pub struct NamespaceHandle {
    pub(super) path: &'static str,
    pub(super) io: SocketIo,
    pub(super) rooms: Arc<Rooms>,
    pub(super) max_rooms: usize,
    pub(super) expiry: Arc<Expiry>,
}

impl NamespaceHandle {
    /// Its path.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Watches the end of a socket's token.
    pub(super) fn watch_token(&self, session: &Session) {
        let identity = session.identity();
        let end = identity.user().ok().and_then(|user| user.token.expires_at);
        self.expiry.watch(self.path, session.id(), end);
    }

    /// Forgets the token of a socket that has gone.
    pub(super) fn forget_token(&self, socket: &SocketId) {
        self.expiry.forget(self.path, socket);
    }

    /// Ends a connection.
    pub fn end(&self, socket: &SocketId, reason: DisconnectReason) {
        if let Some(session) = self.rooms.get(socket) {
            self.disconnect(&session, reason);
        }
    }

    /// Whether this is `/`, where users chat.
    pub fn is_root(&self) -> bool {
        self.path == ROOT
    }

    /// The index of its sockets.
    pub(super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Puts a socket into a room. Fails with `too_many_rooms` or `not_found`.
    pub fn join(&self, socket: &SocketId, room: &Room) -> Result<Joined> {
        let handle = self.socket(socket);
        self.rooms.join(socket, room, self.max_rooms, || {
            if let Some(handle) = handle {
                handle.join(room.as_str().to_owned());
            }
        })
    }

    /// Takes a socket out of a room.
    pub fn leave(&self, socket: &SocketId, room: &Room) -> Left {
        let handle = self.socket(socket);
        self.rooms.leave(socket, room, || {
            if let Some(handle) = handle {
                handle.leave(room.as_str().to_owned());
            }
        })
    }

    /// Sends an event to sockets of this namespace, whatever namespace the emit names.
    pub fn emit(&self, emit: Emit<'_>) {
        let Some(mut to) = self.io.of(self.path) else {
            return;
        };
        let names = |rooms: &[Room]| -> Vec<String> {
            rooms.iter().map(|room| room.as_str().to_owned()).collect()
        };
        to = if emit.to.is_empty() {
            to.broadcast()
        } else {
            to.within(names(emit.to))
        };
        if !emit.except.is_empty() {
            to = to.except(names(emit.except));
        }
        if let Some(origin) = emit.origin {
            to = to.except(vec![origin.as_str().to_owned()]);
        }
        // The local adapter sends on the first poll.
        let sent = to.emit(emit.event, emit.payload).now_or_never();
        self.count(&emit, sent.unwrap_or(Ok(())));
    }

    fn count(&self, emit: &Emit<'_>, sent: Result<(), BroadcastError>) {
        let class = emit.class.as_str();
        let members = match emit.to {
            [] => self.rooms.len(),
            rooms => rooms.iter().map(|room| self.rooms.size(room)).sum(),
        };
        let mut dropped = 0;
        match sent {
            Ok(()) => {}
            Err(BroadcastError::Socket(errors)) => {
                let full = |error: &&SocketError| matches!(error, SocketError::InternalChannelFull);
                dropped = errors.iter().filter(full).count();
                if dropped > 0 {
                    counter!(metric::DROPS, "class" => class, "reason" => "buffer_full")
                        .increment(dropped as u64);
                }
            }
            Err(error) => {
                tracing::error!(%error, "an event could not be encoded");
                counter!(metric::DROPS, "class" => class, "reason" => "encoding").increment(1);
                dropped = members;
            }
        }
        counter!(metric::DELIVERIES, "class" => class)
            .increment(members.saturating_sub(dropped) as u64);
    }

    fn socket(&self, id: &SocketId) -> Option<SocketRef> {
        let sid: Sid = id.as_str().parse().ok()?;
        self.io.of(self.path)?.get_socket(sid)
    }

    pub(super) fn disconnect(&self, session: &Session, reason: DisconnectReason) {
        session.expel();
        let Some(socket) = self.socket(session.id()) else {
            return;
        };
        if let Err(error) = socket.clone().disconnect() {
            // It does not read. Nothing reaches it any more, nothing is taken from it, and its
            // transport ends when it misses the next ping.
            tracing::warn!(%error, socket = %session.id(), "a socket could not be disconnected");
            socket.leave_all();
        }
        counter!(metric::DISCONNECTS, "reason" => reason.as_str()).increment(1);
    }
}
