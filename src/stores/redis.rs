//! What the nodes of a cluster share in Redis. All of it may be lost: it is what the nodes know.

mod channels;
mod hearers;
mod link;
mod mirror;
mod places;
mod positions;
mod presence;
mod scripts;
mod setup;
mod shards;

pub use channels::Told;
pub use link::Link;
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
    clients::{Client, Pipeline, WithOptions},
    interfaces::ClientLike,
    types::config::Options,
    util::redis_keyslot,
};
use futures::{FutureExt, future::BoxFuture};
use metrics::counter;
use tokio::sync::broadcast;

use self::{
    channels::{Channels, at_slot},
    setup::Setup,
};
use crate::{ports::StoreError, telemetry::metric};

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

/// Connections that come back by themselves; clones share them.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    commands: Link,
    channels: Arc<Channels>,
    prefix: String,
    /// Where commands go, in a Redis Cluster: to the one server that has the keys.
    options: Options,
    is_closed: Arc<AtomicBool>,
    hears_no_more: Arc<AtomicBool>,
}

impl Redis {
    /// Begins to connect, for ever. Nothing waits for the first connection.
    pub fn open(options: &RedisOptions) -> Result<Self, RedisOpenError> {
        let setup = Setup::new(options)?;
        let slot = setup
            .is_clustered()
            .then(|| redis_keyslot(key(&options.prefix, "").as_bytes()));
        let is_closed: Arc<AtomicBool> = Arc::default();
        let failed = |error: fred::error::Error| RedisOpenError::Client(error.details().to_owned());
        let commands = Link::new(setup.clone(), is_closed.clone()).map_err(failed)?;
        let hears_no_more: Arc<AtomicBool> = Arc::default();
        let channels = Channels::new(setup.to_hear(), slot, hears_no_more.clone());
        let channels = channels.map_err(failed)?;
        let redis = Self(Arc::new(Shared {
            commands,
            channels: Arc::new(channels),
            prefix: options.prefix.clone(),
            options: at_slot(slot),
            is_closed,
            hears_no_more,
        }));
        redis.keep();
        Ok(redis)
    }

    /// Keeps both connections until the end.
    fn keep(&self) {
        let (link, probe) = (self.0.commands.clone(), self.key("probe"));
        let channels = self.0.channels.clone();
        tokio::spawn(async move {
            let used = |client| {
                let channels = channels.clone();
                let made = move |client: &Client, server: &_| channels.commands_at(client, server);
                link::commands(link.clone(), client, probe.clone(), made)
            };
            link.keep(used).await;
        });
        let channels = self.0.channels.clone();
        tokio::spawn(async move {
            let link = channels.link.clone();
            link.keep(|client| channels.clone().hear(client)).await;
        });
    }

    /// Nothing is heard on channels although there should be: the connection is made anew.
    pub fn connect_anew(&self) {
        self.0.channels.is_deaf.notify_one();
    }

    /// For the next commands, each of which fails within the timeout.
    pub fn client(&self) -> WithOptions<Client> {
        self.0.commands.client().with_options(&self.0.options)
    }

    /// For several of them at a time.
    pub fn pipeline(&self) -> Pipeline<WithOptions<Client>> {
        Pipeline::from(self.client())
    }

    /// Whether commands may be answered.
    pub fn is_connected(&self) -> bool {
        self.0.commands.is_connected()
    }

    /// Told after each connection for commands that was made.
    pub fn made(&self) -> broadcast::Receiver<()> {
        self.0.commands.made()
    }

    /// Hears channels, and those that fit patterns, as soon as there is a connection, and on each one
    /// after it.
    pub fn listen(
        &self,
        channels: Vec<String>,
        patterns: Vec<String>,
    ) -> broadcast::Receiver<Told> {
        self.0.channels.listen(channels, patterns)
    }

    /// Whoever listens hears these sharded channels, too. In a Redis Cluster they are in no order with
    /// others.
    pub fn listen_to_shards(&self, channels: Vec<String>) {
        self.0.channels.shards.want(channels);
    }

    /// For several commands at a time that are about channels or keys anywhere in a Redis Cluster.
    pub fn pipeline_anywhere(&self) -> Pipeline<Client> {
        self.0.commands.client().pipeline()
    }

    /// Whether channels may be heard.
    pub fn is_listening(&self) -> bool {
        self.0.channels.link.is_connected()
    }

    /// A connection of its own, for commands that wait, about this key.
    pub fn dedicated(&self, key: String) -> Link {
        let link = self.0.commands.another();
        let kept = link.clone();
        tokio::spawn(async move {
            let used = |client| link::commands(kept.clone(), client, key.clone(), |_, _| {});
            kept.keep(used).await;
        });
        link
    }

    /// Whether both connections stand.
    pub fn is_up(&self) -> bool {
        self.is_connected() && self.is_listening()
    }

    /// The name of a key. All keys lie in one slot of a Redis Cluster, so that scripts may use
    /// several.
    pub fn key(&self, name: &str) -> String {
        key(&self.0.prefix, name)
    }

    /// The name of a channel of ours.
    pub fn channel(&self, name: &str) -> String {
        format!("{}:{name}", self.0.prefix)
    }

    /// Hears nothing from now on, and is not counted among those that do.
    pub fn hear_no_more(&self) -> BoxFuture<'_, ()> {
        let ending = async {
            self.0.hears_no_more.store(true, Ordering::Relaxed);
            self.0.channels.link.quit().await;
        };
        ending.boxed()
    }

    /// Ends the connections.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        let closing = async {
            self.0.is_closed.store(true, Ordering::Relaxed);
            self.hear_no_more().await;
            self.0.commands.quit().await;
        };
        closing.boxed()
    }
}

fn key(prefix: &str, name: &str) -> String {
    format!("{{{prefix}}}:{name}")
}

/// Counts a command that failed.
pub fn failed(command: &'static str) -> impl FnOnce(fred::error::Error) -> StoreError {
    move |error| {
        counter!(metric::REDIS_ERRORS, "command" => command).increment(1);
        tracing::debug!(%error, command, "a command to Redis failed");
        StoreError
    }
}
