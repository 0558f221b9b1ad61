//! Every socket of every namespace: the way out to them, and the rooms they are in.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use parking_lot::Mutex;
use socketioxide::SocketIo;
use tokio::{task::AbortHandle, time::timeout};

use super::handle::NamespaceHandle;
use crate::{
    ports::{Emit, Emitter},
    realtime::{
        Order, Session,
        expiry::Expiry,
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
    closing: AtomicBool,
    /// Tasks that end with the hub.
    kept: Mutex<Vec<AbortHandle>>,
}

/// The namespace where users chat.
pub(super) const ROOT: &str = "/";

/// How often a drain looks whether all events are done.
const FINISH_POLL: Duration = Duration::from_millis(5);

/// How long connections may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl Hub {
    /// `max_rooms`: the most rooms of one socket, 0 for any number.
    pub fn new(
        io: SocketIo,
        paths: impl Iterator<Item = &'static str>,
        max_rooms: usize,
        expiry: Expiry,
    ) -> Self {
        let expiry = Arc::new(expiry);
        let mut namespaces: HashMap<_, Arc<Rooms>> =
            paths.map(|path| (path, Arc::default())).collect();
        let root = NamespaceHandle {
            path: ROOT,
            io: io.clone(),
            rooms: namespaces.entry(ROOT).or_default().clone(),
            max_rooms,
            expiry,
        };
        Self {
            io,
            namespaces,
            root,
            closing: AtomicBool::new(false),
            kept: Mutex::default(),
        }
    }

    /// The namespace with this path; `/` for one that was not declared.
    pub fn namespace(&self, path: &'static str) -> NamespaceHandle {
        match self.namespaces.get(path) {
            Some(rooms) => NamespaceHandle {
                path,
                rooms: rooms.clone(),
                ..self.root.clone()
            },
            None => self.root.clone(),
        }
    }

    /// Ends connections whose tokens expire, for ever.
    pub(super) fn watch_tokens(&self) -> impl Future<Output = ()> + use<> {
        let expiry = self.root.expiry.clone();
        let paths = self.namespaces.keys();
        let handles: Vec<_> = paths.map(|path| self.namespace(path)).collect();
        async move { expiry.run(&handles).await }
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
