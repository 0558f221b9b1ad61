//! Every socket of every namespace: the way out to them, and the rooms they are in.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use metrics::counter;
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::{
    codec::{Encoded, Encoder},
    handle::{NamespaceHandle, Parts, Relay},
    server_events::ServerEvents,
};
use crate::{
    ports::{Emit, Emitter},
    realtime::{engine::Engine, expiry::Expiry, rooms::Rooms},
    telemetry::metric,
};

/// The namespaces' sockets.
pub struct Hub {
    pub(super) namespaces: HashMap<&'static str, NamespaceHandle>,
    pub(super) root: NamespaceHandle,
    engine: OnceLock<Engine>,
    closing: AtomicBool,
    /// What takes events of other servers.
    pub(super) server_events: OnceLock<ServerEvents>,
    /// Tasks that end with the hub.
    kept: Mutex<Vec<AbortHandle>>,
}

/// The namespace where users chat.
pub(super) const ROOT: &str = "/";

/// How sockets of all namespaces are treated.
#[derive(Clone, Copy, Debug)]
pub(super) struct HubOptions {
    pub encoder: Encoder,
    /// The most rooms of one socket, 0 for any number.
    pub max_rooms: usize,
    /// Whether sockets can be recovered.
    pub recovers: bool,
    /// What `/` is.
    pub root: Root,
}

/// What the namespace `/` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// Where users chat: their presence is told, and their sockets hear their ids.
    Roomcast,
    /// A namespace like any other.
    Plain,
}

impl Hub {
    pub(super) fn new(
        options: HubOptions,
        paths: impl Iterator<Item = &'static str>,
        expiry: Expiry,
    ) -> Self {
        let (expiry, relay, servers) = (Arc::new(expiry), Arc::default(), Arc::default());
        let (asks, observed) = (Arc::default(), Arc::default());
        let namespace = |path| {
            NamespaceHandle(Arc::new(Parts {
                path,
                encoder: options.encoder,
                rooms: Rooms::default(),
                max_rooms: options.max_rooms,
                expiry: Arc::clone(&expiry),
                recovers: options.recovers,
                root: options.root,
                relay: Arc::clone(&relay),
                servers: Arc::clone(&servers),
                asks: Arc::clone(&asks),
                observed: Arc::clone(&observed),
            }))
        };
        let mut namespaces: HashMap<_, _> = paths.map(|path| (path, namespace(path))).collect();
        let root = namespaces
            .entry(ROOT)
            .or_insert_with(|| namespace(ROOT))
            .clone();
        Self {
            namespaces,
            root,
            engine: OnceLock::new(),
            closing: AtomicBool::new(false),
            server_events: OnceLock::new(),
            kept: Mutex::default(),
        }
    }

    pub(super) fn set_engine(&self, engine: Engine) {
        // There is one.
        let _ = self.engine.set(engine);
    }

    pub(super) fn engine(&self) -> Option<&Engine> {
        self.engine.get()
    }

    /// The namespace with this path; `/` for one that was not declared.
    pub fn namespace(&self, path: &'static str) -> NamespaceHandle {
        self.namespaces.get(path).unwrap_or(&self.root).clone()
    }

    /// The paths of the namespaces.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.namespaces.keys().copied()
    }

    /// Ends connections whose tokens expire, for ever.
    pub(super) fn watch_tokens(&self) -> impl Future<Output = ()> + use<> {
        let expiry = self.root.expiry.clone();
        let handles: Vec<_> = self.namespaces.values().cloned().collect();
        async move { expiry.run(&handles).await }
    }

    /// How many sockets are connected to `/`.
    pub fn connected(&self) -> usize {
        self.root.rooms.len()
    }

    /// How many bytes wait to be written to clients.
    pub fn pending_bytes(&self) -> usize {
        let connections = self.engine().map(Engine::connections).unwrap_or_default();
        connections.iter().map(|one| one.pending_bytes()).sum()
    }

    /// Nobody may connect from now on.
    pub(super) fn begin_closing(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether nobody may connect any more.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    pub(super) fn keep(&self, task: AbortHandle) {
        self.kept.lock().push(task);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        for task in self.kept.lock().drain(..) {
            task.abort();
        }
    }
}

impl Hub {
    /// From now on events go to other nodes, too.
    pub fn relay_to(&self, relay: Arc<dyn Relay>) {
        // There is one.
        let _ = self.root.relay.set(relay);
    }

    /// From now on events go to other servers, too.
    pub fn tell_servers_by(&self, servers: Arc<dyn Relay>) {
        // There is one.
        let _ = self.root.servers.set(servers);
    }

    /// An event of `/` as other servers are told it.
    pub fn encode(&self, emit: &Emit<'_>) -> Option<Encoded> {
        let draft = self.named(emit)?.draft(emit)?;
        Some(draft.encoded())
    }

    /// Sends this node's sockets an event that another node has encoded.
    pub fn send_encoded(&self, emit: &Emit<'_>, encoded: Encoded) {
        let Some(namespace) = self.named(emit) else {
            return;
        };
        match namespace.encoder.encoded(emit.namespace, encoded) {
            Some(draft) => {
                namespace.send(emit, draft);
            }
            None => drop_one(emit, "parser"),
        }
    }

    fn named(&self, emit: &Emit<'_>) -> Option<&NamespaceHandle> {
        let namespace = self.namespaces.get(emit.namespace);
        if namespace.is_none() {
            drop_one(emit, "namespace");
        }
        namespace
    }
}

fn drop_one(emit: &Emit<'_>, reason: &'static str) {
    counter!(metric::DROPS, "class" => emit.class.as_str(), "reason" => reason).increment(1);
}

impl Emitter for Hub {
    fn emit(&self, emit: Emit<'_>) {
        if let Some(namespace) = self.named(&emit) {
            namespace.emit(emit);
        }
    }
}

/// The way to the sockets of this node alone.
pub struct OwnSockets(pub Arc<Hub>);

impl Emitter for OwnSockets {
    fn emit(&self, emit: Emit<'_>) {
        let namespace = self.0.named(&emit);
        if let Some(namespace) = namespace
            && let Some(draft) = namespace.draft(&emit)
        {
            namespace.send(&emit, draft);
        }
    }
}
