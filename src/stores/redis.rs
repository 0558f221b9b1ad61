//! What the nodes of a cluster share in Redis. All of it may be lost: it is what the nodes know.

mod link;
mod mirror;
mod places;
mod positions;
mod presence;
mod scripts;

pub use places::RedisPlaces;
pub use positions::RedisPositions;
pub use presence::{PresenceOptions, RedisPresence};

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fred::{
    clients::{Client, SubscriberClient},
    interfaces::ClientLike,
    types::{
        Builder,
        config::{
            ClusterDiscoveryPolicy, Config, ReconnectPolicy, ServerConfig, UnresponsiveConfig,
        },
    },
};
use futures::{FutureExt, future::BoxFuture};
use metrics::counter;
use tokio::sync::Notify;

use self::link::Lost;
use crate::{ports::StoreError, telemetry::metric};

/// The first wait before a connection is tried again, in milliseconds; it doubles.
const MIN_BACKOFF_MS: u32 = 50;

/// The longest such wait.
const MAX_BACKOFF_MS: u32 = 2_000;

/// By how much such a wait differs by chance, so that nodes do not come back at once.
const JITTER_MS: u32 = 100;

/// The most commands that wait for the connection; one more fails.
const MAX_COMMANDS: usize = 65_536;

/// The most messages of channels that wait for us.
const MAX_MESSAGES: usize = 65_536;

/// Where Redis is, and how long it may take.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Its URL, which may hold a password.
    pub url: String,
    /// What the names of keys and channels begin with.
    pub prefix: String,
    /// How long a command may take.
    pub timeout: Duration,
}

/// Why Redis cannot be used, in one line that shows no password.
#[derive(Debug, thiserror::Error)]
pub enum RedisOpenError {
    /// The URL.
    #[error("cluster.redis_url (REDIS_URL) cannot be read: {0}")]
    Url(String),
    /// The client.
    #[error("the Redis client cannot be set up: {0}")]
    Client(String),
}

/// A connection that comes back by itself; clones share it.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    client: Client,
    subscriber: SubscriberClient,
    prefix: String,
    timeout: Duration,
    /// The subscriber's connection leads nowhere.
    is_deaf: Arc<Notify>,
    is_closed: Arc<AtomicBool>,
}

impl Redis {
    /// Begins to connect, for ever. Nothing waits for the first connection.
    pub fn open(options: &RedisOptions) -> Result<Self, RedisOpenError> {
        let mut config = Config::from_url(&options.url)
            .map_err(|error| RedisOpenError::Url(error.details().to_owned()))?;
        // The first connection is tried again like any other.
        config.fail_fast = false;
        if let ServerConfig::Clustered { policy, .. } = &mut config.server {
            // Those that the address names may all be gone one day.
            *policy = ClusterDiscoveryPolicy::UseCache;
        }
        let mut builder = Builder::from_config(config);
        let timeout = options.timeout;
        builder
            .set_policy(ReconnectPolicy::Exponential {
                attempts: 0,
                max_attempts: 0,
                min_delay: MIN_BACKOFF_MS,
                max_delay: MAX_BACKOFF_MS,
                base: 2,
                jitter: JITTER_MS,
            })
            .with_performance_config(|performance| {
                performance.default_command_timeout = timeout;
                performance.broadcast_channel_capacity = MAX_MESSAGES;
            })
            .with_connection_config(|connection| {
                connection.connection_timeout = timeout;
                connection.internal_command_timeout = timeout;
                connection.max_command_attempts = 1;
                connection.max_command_buffer_len = MAX_COMMANDS;
                connection.tcp.nodelay = Some(true);
                // A server that has stopped is as good as gone.
                connection.unresponsive = UnresponsiveConfig {
                    max_timeout: Some(timeout * 2),
                    interval: timeout / 2,
                };
            });
        let failed = |error: fred::error::Error| RedisOpenError::Client(error.details().to_owned());
        let client = builder.build().map_err(failed)?;
        let subscriber = builder.build_subscriber_client().map_err(failed)?;
        subscriber.manage_subscriptions();
        let shared = Arc::new(Shared {
            client,
            subscriber,
            prefix: options.prefix.clone(),
            timeout,
            is_deaf: Arc::default(),
            is_closed: Arc::default(),
        });
        let redis = Self(shared);
        redis.keep(redis.client().clone());
        let (of, lost) = (&redis.0, Lost::Told(redis.0.is_deaf.clone()));
        let subscriber = of.subscriber.clone();
        tokio::spawn(link::keep(subscriber, of.is_closed.clone(), lost));
        Ok(redis)
    }

    /// Connects, and keeps the connection until the end.
    fn keep(&self, client: Client) {
        let lost = Lost::Silent(client.clone(), self.key("probe"), self.0.timeout);
        tokio::spawn(link::keep(client, self.0.is_closed.clone(), lost));
    }

    /// Nothing is heard on channels although there should be: the connection is made anew.
    pub fn connect_anew(&self) {
        self.0.is_deaf.notify_one();
    }

    /// For commands. Each fails within the timeout.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// For channels: what is subscribed is subscribed again after each reconnect.
    pub fn subscriber(&self) -> &SubscriberClient {
        &self.0.subscriber
    }

    /// A connection of its own, for commands that wait.
    pub fn dedicated(&self) -> Client {
        let client = self.0.client.clone_new();
        self.keep(client.clone());
        client
    }

    /// Whether both connections stand.
    pub fn is_up(&self) -> bool {
        self.0.client.is_connected() && self.0.subscriber.is_connected()
    }

    /// The name of a key. All keys lie in one slot of a Redis Cluster, so that scripts may use
    /// several.
    pub fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.0.prefix)
    }

    /// The name of a channel of ours.
    pub fn channel(&self, name: &str) -> String {
        format!("{}:{name}", self.0.prefix)
    }

    /// Ends the connections.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        let closing = async {
            self.0.is_closed.store(true, Ordering::Relaxed);
            // Whether the goodbye arrives makes no difference.
            let _ = self.0.subscriber.quit().await;
            let _ = self.0.client.quit().await;
        };
        closing.boxed()
    }
}

/// Counts a command that failed.
pub fn failed(command: &'static str) -> impl FnOnce(fred::error::Error) -> StoreError {
    move |error| {
        counter!(metric::REDIS_ERRORS, "command" => command).increment(1);
        tracing::debug!(%error, command, "a command to Redis failed");
        StoreError
    }
}
