//! The server: built from a configuration, run on a listener until it is told to stop.

mod again;
mod background;
mod dashboard;
mod listener;

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use tokio::{
    net::TcpListener,
    time::{Instant, timeout_at},
};

use background::Background;
pub(crate) use listener::reserve;

use crate::{
    admin::{self, Admin},
    auth::MintError,
    config::{Config, ConfigError},
    events,
    http::{
        self, App, Parts, Readiness, RedisProbe, Requests,
        demo::{self, SampleUser},
    },
    realtime::namespace::{Behind, Endpoint, Namespace, Pace, Root},
    telemetry,
    wiring::{self, Wired, WiringError},
};

/// Why a server could not start or go on, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The parts.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// What was stored cannot be read.
    #[error("cannot take up stored work: {0}")]
    Resume(#[from] crate::error::Error),
    /// The metrics.
    #[error("cannot set up metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// The demo's tokens.
    #[error("cannot sign in the demo's users: {0}")]
    Demo(#[from] MintError),
    /// The listeners.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// Standard output or the listener failed.
    #[error("cannot serve: {0}")]
    Io(#[from] std::io::Error),
}

/// A Roomcast server.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use roomcast::{config::Config, server::Server};
///
/// let mut config = Config::default();
/// config.auth.jwt_secret = roomcast::config::Secret::new("at least sixteen bytes");
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// Server::new(config).run(listener, std::future::pending()).await?;
/// # Ok(()) }
/// ```
pub struct Server {
    config: Config,
    namespaces: Vec<Namespace>,
    root: Root,
    routes: Router,
}

impl Server {
    /// A server with Roomcast's own events.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            namespaces: Vec::new(),
            root: Root::Roomcast,
            routes: Router::new(),
        }
    }

    /// A server whose namespaces take only what is added to them.
    pub fn bare(config: Config) -> Self {
        Self {
            root: Root::Plain,
            ..Self::new(config)
        }
    }

    /// Adds HTTP routes of one's own.
    #[must_use]
    pub fn routes(mut self, routes: Router) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// Adds a namespace, or events to `/`.
    #[must_use]
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespaces.push(namespace);
        self
    }

    /// Serves until `shutdown` ends, then finishes what was accepted, within the configured
    /// deadline. Prints `listening on http://…` on standard output once it accepts.
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let Self {
            config,
            mut namespaces,
            root,
            routes,
        } = self;
        config.check()?;
        let metrics = telemetry::recorder()?;
        if let Some(what) = http::client_files::missing() {
            tracing::warn!("the browser client is not served: {what}");
        }
        namespaces.insert(0, Namespace::new("/"));
        if config.admin.enabled {
            namespaces.push(Namespace::new(admin::PATH));
        }
        let endpoint = Endpoint::new(&config, &namespaces, root);
        let hub = endpoint.hub();
        let wired = wiring::wire(&config, hub.clone()).await?;
        let Wired { auth, services, .. } = &wired;
        services.payments.resume().await?;
        let restored = services.presence_keeper.restore().await;
        restored.map_err(crate::error::Error::from)?;
        services.push.resume().await?;
        if root == Root::Roomcast {
            namespaces[0] = events::root(services);
        }
        namespaces.extend(wired.admin.as_ref().map(Admin::namespace));
        let behind = Behind {
            auth,
            services,
            sessions: wired.store.clone(),
        };
        let opened = endpoint.open(&config, behind, namespaces).await;
        opened.map_err(crate::error::Error::from)?;

        let store = wired.store.clone();
        let redis = wired.cluster.clone().map(|cluster| RedisProbe {
            is_up: Arc::new(move || cluster.is_up()),
            is_required: config.cluster.redis_required,
        });
        let readiness = Readiness::new(Arc::new(move || store.is_healthy()), redis);
        let config = Arc::new(config);
        let app = App::from(Parts {
            services: services.clone(),
            auth: auth.clone(),
            requests: Arc::new(Requests::new(config.limits.requests_per_second)),
            config: config.clone(),
            readiness: readiness.clone(),
            metrics,
            streams: wired.streams.clone(),
            sample_users: sample_users(&config)?,
        });
        let store = wired.store.clone();
        let mut background = Background::start(services.clone(), hub.clone(), store, &app).await?;
        if let Some(admin) = wired.admin.clone() {
            background.add_admin(admin, app.metrics.clone());
        }
        if let Some(cluster) = wired.cluster.clone() {
            endpoint.count_everywhere(Arc::new(cluster.places.clone()));
            cluster.share("events", endpoint.event_limits());
            cluster.share("requests", app.requests.clone());
            background.add_cluster(cluster, services.clone());
        }
        let router = http::outside(http::router(&app).merge(routes), endpoint.engine(), &config)?;
        let listener = listener::listen(listener)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let header_read_timeout = config.server.header_read_timeout();
        let mut serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            listener::serve(listener, router, header_read_timeout, stopped).await;
        });
        announce(address)?;
        shutdown.await;
        tracing::info!("draining");
        readiness.drain();
        let deadline = config.server.drain_deadline();
        let pace = Pace {
            per_second: config.server.drain_per_second,
            deadline,
        };
        let finished = async {
            // Polling clients still need new requests to take what waits for them.
            let streams = &app.streams;
            let streams = streams.close(config.server.drain_per_second, deadline);
            tokio::join!(hub.close(pace), streams);
            let _ = stop.send(());
            // Requests under way are answered.
            let _ = (&mut serving).await;
        };
        let finished = timeout_at(Instant::now() + deadline, finished).await;
        if finished.is_err() {
            tracing::warn!("the drain deadline has passed; what is left is cut off");
        }
        if let Some(cluster) = &wired.cluster {
            cluster.leave().await;
        }
        services.leave().await;
        if let Some(cluster) = &wired.cluster {
            cluster.hear_no_more().await;
        }
        drop(background);
        hub.save_sessions(&*wired.store).await;
        if let Err(error) = services.presence_keeper.save().await {
            tracing::warn!(%error, "presence could not be stored");
        }
        // What was accepted is committed and told; then both ends of the channel are gone.
        wired.store.close().await;
        let _ = wired.delivery.await;
        if let Some(cluster) = &wired.cluster {
            cluster.redis.close().await;
        }
        serving.abort();
        tracing::info!("stopped");
        Ok(())
    }
}

/// The demo's users, where the demo is switched on.
fn sample_users(config: &Config) -> Result<Vec<SampleUser>, MintError> {
    if config.server.demo {
        demo::everybody(&config.auth)
    } else {
        Ok(Vec::new())
    }
}

/// Prints the line that says where the server listens, for people and for scripts.
fn announce(address: SocketAddr) -> std::io::Result<()> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "listening on http://{address}")?;
    stdout.flush()
}
