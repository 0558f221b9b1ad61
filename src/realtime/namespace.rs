//! Socket.IO namespaces on socketioxide: the only module that knows it.

mod arguments;
mod connect;
mod depart;
mod dispatch;
mod handle;
mod hub;
mod sockets;

use std::{sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use socketioxide::{ParserConfig, SocketIo, SocketIoBuilder, layer::SocketIoLayer};

pub use handle::NamespaceHandle;
pub use hub::Hub;

use self::{connect::Gate, dispatch::Route};
use super::{ConnectionLimits, Context, Event, EventLimits, Handling, QueueLimits, expiry::Expiry};
use crate::{
    auth::Auth,
    config::{self, Config, Parser},
    error::Result,
    services::Services,
};

/// The largest packet that is read at all, in bytes. Between the payload limit and this one an
/// event is answered with `payload_too_large` and the connection stays; beyond, it ends.
const MAX_PACKET_BYTES: usize = 16 * 1024 * 1024;

/// The most binary attachments of one packet.
const MAX_BINARIES: usize = 100;

/// A namespace and the events that it takes.
///
/// `/` has all of Roomcast's own events; what is added comes beside them.
pub struct Namespace {
    path: &'static str,
    routes: Vec<Route>,
}

impl Namespace {
    /// A namespace, for example `/` or `/game`.
    pub fn new(path: &'static str) -> Self {
        Self {
            path,
            routes: Vec::new(),
        }
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

/// The Socket.IO endpoint: a layer around the HTTP routes, and the hub behind it.
pub struct Endpoint {
    layer: SocketIoLayer,
    hub: Arc<Hub>,
}

impl Endpoint {
    /// Builds the endpoint. Nobody can connect before [`Endpoint::open`].
    pub fn new(config: &Config, namespaces: &[Namespace]) -> Self {
        let (layer, io) = builder(config).build_layer();
        let paths = namespaces.iter().map(Namespace::path);
        let hub = Arc::new(Hub::new(
            io,
            paths,
            config.limits.rooms_per_socket,
            Expiry::new(config.auth.leeway()),
        ));
        Self { layer, hub }
    }

    /// The way out to clients, and who is connected.
    pub fn hub(&self) -> Arc<Hub> {
        self.hub.clone()
    }

    /// The layer that takes `/socket.io/`.
    pub fn layer(&self) -> SocketIoLayer {
        self.layer.clone()
    }

    /// Lets clients connect. Namespaces with the same path become one.
    pub fn open(
        &self,
        config: &Config,
        auth: &Auth,
        services: &Arc<Services>,
        namespaces: Vec<Namespace>,
    ) {
        let connections = Arc::new(ConnectionLimits::new(&config.limits));
        let events = Arc::new(EventLimits::new(&config.limits));
        let watching = tokio::spawn(self.hub.watch_tokens());
        self.hub.keep(watching.abort_handle());
        let forgetting = events.clone();
        self.hub
            .keep(tokio::spawn(async move { forgetting.run().await }).abort_handle());
        let mut merged: Vec<Namespace> = Vec::new();
        for namespace in namespaces {
            match merged.iter_mut().find(|known| known.path == namespace.path) {
                Some(known) => known.routes.extend(namespace.routes),
                None => merged.push(namespace),
            }
        }
        for Namespace { path, routes } in merged {
            let gate = Gate::new(connect::Parts {
                hub: Arc::downgrade(&self.hub),
                namespace: self.hub.namespace(path),
                routes: dispatch::table(routes),
                auth: auth.clone(),
                services: services.clone(),
                connections: connections.clone(),
                events: events.clone(),
                queue: queue_limits(&config.socket),
                payload_bytes: config.limits.payload_bytes,
                event_timeout: config.socket.event_timeout(),
            });
            self.hub.io().ns(path, gate);
        }
    }
}

fn queue_limits(socket: &config::Socket) -> QueueLimits {
    QueueLimits {
        events: socket.queued_events,
        bytes: socket.queued_bytes,
        in_flight: socket.in_flight_events,
    }
}

fn builder(config: &Config) -> SocketIoBuilder {
    let socket = &config.socket;
    let ms = Duration::from_millis;
    let builder = SocketIo::builder()
        .ping_interval(ms(socket.ping_interval_ms))
        .ping_timeout(ms(socket.ping_timeout_ms))
        .connect_timeout(ms(socket.connect_timeout_ms))
        .upgrade_timeout(ms(socket.upgrade_timeout_ms))
        .max_buffer_size(socket.send_buffer_packets)
        .max_payload(config.limits.payload_bytes as u64)
        .ws_max_message_size(MAX_PACKET_BYTES)
        .ws_max_frame_size(MAX_PACKET_BYTES);
    match socket.parser {
        Parser::Json => builder.with_parser(
            ParserConfig::common()
                .max_incoming_binaries(MAX_BINARIES)
                .max_incoming_binary_buf_size(MAX_PACKET_BYTES),
        ),
        Parser::Msgpack => builder.with_parser(ParserConfig::msgpack()),
    }
}
