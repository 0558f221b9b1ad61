//! Socket.IO namespaces: connects, packets and their dispatch. The only module that knows
//! socketioxide, whose parsers read and write the packets.

mod acceptor;
mod admission;
mod answer;
mod arguments;
mod asks;
mod catch_up;
mod client;
mod client_sockets;
mod codec;
mod connect;
mod credentials;
mod depart;
mod dispatch;
mod drain;
#[cfg(fuzzing)]
pub(super) mod fuzzing;
mod handle;
mod hub;
mod observe;
mod options;
mod persist;
mod reach;
mod recover;
mod server_events;
mod sockets;

use std::{collections::HashMap, sync::Arc};

use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

pub use client_sockets::ClientSockets;
pub use codec::Encoded;
pub use dispatch::Rules;
pub use drain::Pace;
pub use handle::{NamespaceHandle, Relay};
pub use hub::{Hub, OwnSockets, Root};
pub use observe::{Observer, Seen, Sight};
pub use reach::Described;
pub use server_events::ServerHandler;

use self::{
    acceptor::{Acceptor, AcceptorLimits},
    admission::NamespaceAdmission,
    codec::Encoder,
    connect::Gate,
    dispatch::Route,
    hub::HubOptions,
    options::{engine_options, queue_limits},
};
use super::{
    ConnectionLimits, Context, Event, EventLimits, Handling, Scope, engine::Engine, expiry::Expiry,
    log::LogLimits,
};
use crate::{
    auth::Auth,
    config::Config,
    error::Result,
    ports::{Places, SessionStore, StoreResult},
    services::Services,
};

/// A namespace and the events that it takes.
///
/// `/` has all of Roomcast's own events; what is added comes beside them.
pub struct Namespace {
    path: &'static str,
    routes: Vec<Route>,
    on_connect: Option<OnConnect>,
    admission: NamespaceAdmission,
    server_events: Vec<(String, ServerHandler)>,
}

/// What happens first when a socket has connected, given what its client brought as `auth`.
type OnConnect = Arc<dyn Fn(Context, serde_json::Value) -> BoxFuture<'static, ()> + Send + Sync>;

impl Namespace {
    /// A namespace, for example `/` or `/game`.
    pub fn new(path: &'static str) -> Self {
        Self {
            path,
            routes: Vec::new(),
            on_connect: None,
            admission: NamespaceAdmission::default(),
            server_events: Vec::new(),
        }
    }

    /// Does something when a socket has connected, before its first event. `auth` is what its
    /// client brought, an empty object where that was nothing.
    #[must_use]
    pub fn on_connect<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Context, serde_json::Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.on_connect = Some(Arc::new(move |cx, auth| Box::pin(handler(cx, auth))));
        self
    }

    /// Takes an event. Of two with one name, the later one counts.
    #[must_use]
    pub fn on<E: Event>(self) -> Self {
        self.on_fn(E::NAME, E::HANDLING, |event: E, cx| event.handle(cx))
    }

    /// Takes an event whose name is known only at run time.
    pub(crate) fn on_fn<A, R, F, Fut>(mut self, name: &str, handling: Handling, handler: F) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize + Send + Sync + 'static,
        F: Fn(A, Context) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
    {
        self.routes.push(Route::new(name, handling, handler));
        self
    }

    fn path(&self) -> &'static str {
        self.path
    }
}

/// The Socket.IO endpoint: an Engine.IO one, and the hub behind it.
pub struct Endpoint {
    engine: Engine,
    hub: Arc<Hub>,
    acceptor: Arc<Acceptor>,
    events: Arc<EventLimits>,
}

/// What stands behind the namespaces.
pub struct Behind<'a> {
    /// Who may connect.
    pub auth: &'a Auth,
    /// What the events do.
    pub services: &'a Arc<Services>,
    /// Where sessions that can be recovered are stored.
    pub sessions: Arc<dyn SessionStore>,
}

impl Endpoint {
    /// Builds the endpoint. Nobody can connect before [`Endpoint::open`]. Must be called within a
    /// runtime.
    pub fn new(config: &Config, namespaces: &[Namespace], root: Root) -> Self {
        let options = HubOptions {
            encoder: Encoder(config.socket.parser),
            max_rooms: config.limits.rooms_per_socket,
            recovers: config.recovery.enabled,
            root,
        };
        let paths = namespaces.iter().map(Namespace::path);
        let expiry = Expiry::new(config.auth.leeway());
        let hub = Arc::new(Hub::new(options, paths, expiry));
        let acceptor = Arc::new(Acceptor {
            hub: Arc::downgrade(&hub),
            encoder: options.encoder,
            limits: AcceptorLimits {
                connect_timeout: config.socket.connect_timeout(),
                namespaces: config.limits.namespaces_per_connection,
                binaries: config.limits.binaries_per_packet,
                payload_bytes: config.limits.payload_bytes,
            },
            connections: Arc::new(ConnectionLimits::new(&config.limits)),
            gates: std::sync::OnceLock::new(),
        });
        let engine = Engine::new(engine_options(config), Arc::new(acceptor.clone()));
        hub.set_engine(engine.clone());
        Self {
            engine,
            hub,
            acceptor,
            events: Arc::new(EventLimits::new(&config.limits)),
        }
    }

    /// The way out to clients, and who is connected.
    pub fn hub(&self) -> Arc<Hub> {
        self.hub.clone()
    }

    /// From now on limits on connections hold over all nodes.
    pub fn count_everywhere(&self, places: Arc<dyn Places>) {
        self.acceptor.connections.count_everywhere(places);
    }

    /// How many events users may send.
    pub fn event_limits(&self) -> Arc<EventLimits> {
        self.events.clone()
    }

    /// What takes the requests to `/socket.io/`.
    pub fn engine(&self) -> Engine {
        self.engine.clone()
    }

    /// Lets clients connect. Namespaces with the same path become one. Fails when what is stored
    /// cannot be read.
    pub async fn open(
        &self,
        config: &Config,
        behind: Behind<'_>,
        namespaces: Vec<Namespace>,
    ) -> StoreResult<()> {
        let hub = &self.hub;
        let events = self.events.clone();
        hub.keep(tokio::spawn(hub.watch_tokens()).abort_handle());
        let forgetting = events.clone();
        hub.keep(tokio::spawn(async move { forgetting.run().await }).abort_handle());
        if config.recovery.enabled {
            let position = behind.services.chat.feeds.last_position().await?;
            let limits = LogLimits {
                window: config.recovery.window(),
                bytes: config.recovery.log_bytes,
            };
            hub.keep_logs(limits, position);
            hub.persist(&behind.sessions, config.recovery.window());
        }
        let mut server_events = HashMap::new();
        let mut merged: Vec<Namespace> = Vec::new();
        for mut namespace in namespaces {
            for (name, handler) in namespace.server_events.drain(..) {
                server_events.insert((namespace.path, name), handler);
            }
            match merged.iter_mut().find(|known| known.path == namespace.path) {
                Some(known) => {
                    known.routes.extend(namespace.routes);
                    known.admission = namespace.admission;
                    known.on_connect = namespace.on_connect.or(known.on_connect.take());
                }
                None => merged.push(namespace),
            }
        }
        let gates = merged.into_iter().map(|namespace| {
            let Namespace {
                path,
                routes,
                on_connect,
                admission,
                ..
            } = namespace;
            let gate = Gate {
                hub: Arc::downgrade(hub),
                scope: Arc::new(Scope {
                    namespace: hub.namespace(path),
                    rules: Rules {
                        routes: dispatch::table(routes),
                        events: events.clone(),
                        event_timeout: config.socket.event_timeout(),
                        payload_bytes: config.limits.payload_bytes,
                    },
                    services: behind.services.clone(),
                }),
                auth: behind.auth.clone(),
                connections: self.acceptor.connections.clone(),
                queue: queue_limits(&config.socket),
                on_connect,
                admission,
                sessions: config.recovery.enabled.then(|| behind.sessions.clone()),
            };
            (path, Arc::new(gate))
        });
        let _ = hub.server_events.set(server_events);
        let gates: HashMap<_, _> = gates.collect();
        // It is opened once.
        let _ = self.acceptor.gates.set(gates);
        Ok(())
    }
}
