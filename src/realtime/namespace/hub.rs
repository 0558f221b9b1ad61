//! Every socket of every namespace: the way out to them, and the rooms they are in.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use metrics::counter;
use parking_lot::Mutex;
use socketioxide::{BroadcastError, SocketError, SocketIo, extract::SocketRef, socket::Sid};
use tokio::{task::AbortHandle, time::timeout};

use crate::{
    domain::{Room, SocketId},
    error::Result,
    ports::{DisconnectReason, Emit, Emitter, Joined, Left},
    realtime::{
        Order, Session,
        queue::{Job, Pending},
        rooms::Rooms,
    },
    telemetry::metric,
};

/// The namespaces' sockets.
pub struct Hub {
    io: SocketIo,
    pub(super) namespaces: HashMap<&'static str, Arc<Rooms>>,
    pub(super) root: NamespaceHandle,
    max_rooms: usize,
    closing: AtomicBool,
    /// Tasks that end with the hub.
    kept: Mutex<Vec<AbortHandle>>,
}

/// One namespace's sockets.
#[derive(Clone)]
pub struct NamespaceHandle {
    path: &'static str,
    io: SocketIo,
    rooms: Arc<Rooms>,
    max_rooms: usize,
}

const ROOT: &str = "/";

/// How often a drain looks whether all events are done.
const FINISH_POLL: Duration = Duration::from_millis(5);

/// How long connections may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl Hub {
    /// `max_rooms`: the most rooms of one socket, 0 for any number.
    pub fn new(io: SocketIo, paths: impl Iterator<Item = &'static str>, max_rooms: usize) -> Self {
        let mut namespaces: HashMap<_, Arc<Rooms>> =
            paths.map(|path| (path, Arc::default())).collect();
        let root = NamespaceHandle {
            path: ROOT,
            io: io.clone(),
            rooms: namespaces.entry(ROOT).or_default().clone(),
            max_rooms,
        };
        Self {
            io,
            namespaces,
            root,
            max_rooms,
            closing: AtomicBool::new(false),
            kept: Mutex::default(),
        }
    }

    /// The namespace with this path; `/` for one that was not declared.
    pub fn namespace(&self, path: &'static str) -> NamespaceHandle {
        match self.namespaces.get(path) {
            Some(rooms) => NamespaceHandle {
                path,
                io: self.io.clone(),
                rooms: rooms.clone(),
                max_rooms: self.max_rooms,
            },
            None => self.root.clone(),
        }
    }

    /// How many sockets are connected to `/`.
    pub fn connected(&self) -> usize {
        self.root.rooms.len()
    }

    /// Finishes the events that were accepted, acks included, then closes every connection in a
    /// way that lets its client come back, here or elsewhere.
    pub async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let mut poll = tokio::time::interval(FINISH_POLL);
        while self.namespaces.values().any(|rooms| rooms.len() > 0) {
            for rooms in self.namespaces.values() {
                let sessions = rooms.all().into_iter();
                sessions.for_each(|session| finish(session, rooms));
            }
            poll.tick().await;
        }
        // A client that does not read would hold this up; the others are closed by then.
        if timeout(CLOSE_TIMEOUT, self.io.close()).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
    }

    /// Whether nobody may connect any more.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    pub(super) fn io(&self) -> &SocketIo {
        &self.io
    }

    pub(super) fn keep(&self, task: AbortHandle) {
        self.kept.lock().push(task);
    }
}

/// Takes nothing more from a socket, and forgets it once what it sent is done.
fn finish(session: Arc<Session>, rooms: &Arc<Rooms>) {
    let (queue, rooms) = (session.queue().clone(), rooms.clone());
    let forget = Job {
        order: Order::Serial,
        bytes: 0,
        work: Box::pin(async move { rooms.remove(&session) }),
    };
    queue.close(Pending::Finished, forget);
}

impl Drop for Hub {
    fn drop(&mut self) {
        for task in self.kept.lock().drain(..) {
            task.abort();
        }
    }
}

impl NamespaceHandle {
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

impl Emitter for Hub {
    fn emit(&self, emit: Emit<'_>) {
        match self.namespaces.get_key_value(emit.namespace) {
            Some((path, _)) => self.namespace(path).emit(emit),
            None => {
                counter!(metric::DROPS, "class" => emit.class.as_str(), "reason" => "namespace")
                    .increment(1);
            }
        }
    }
}
