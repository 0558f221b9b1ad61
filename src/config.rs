//! The configuration: one section a file, each key documented where it stands.

mod admin;
mod auth;
mod bridge;
mod cluster;
mod document;
mod error;
mod explain;
mod forward;
mod limits;
mod load;
mod log;
mod names;
mod ops;
mod payments;
mod presence;
mod push;
mod recovery;
mod relay;
mod retention;
mod rooms;
mod schema;
mod secret;
mod server;
mod socket;
mod sse;
mod store;
mod tracking;
mod typing;
mod watch;
mod webhooks;

use figment::value::Value;
use serde::{Deserialize, Serialize};

pub(crate) use admin::PASSWORD_BYTES;
pub use admin::{Admin, AdminMode};
pub use auth::Auth;
pub use bridge::Bridge;
pub use cluster::{Adapter, Cluster};
pub use error::ConfigError;
pub use forward::ForwardRule;
pub use limits::Limits;
pub use load::{Override, Preset, Sources};
pub use log::{Log, LogFormat};
pub use ops::Ops;
pub use payments::{Gateway, Payments};
pub use presence::{Audience, Presence};
pub use push::Push;
pub use recovery::Recovery;
pub use relay::{RelayAs, RelayRule};
pub use retention::Retention;
pub use rooms::{RoomAccess, Rooms};
pub use secret::{ApiKeyError, ApiKeys, Secret};
pub use server::Server;
pub use socket::{Parser, Socket};
pub use sse::Sse;
pub use store::{Store, Synchronous};
pub use tracking::Tracking;
pub use typing::Typing;
pub use watch::{SnapshotKind, WatchRule, Who};
pub use webhooks::Webhooks;

#[cfg(test)]
pub(crate) use forward::OWN_EVENTS;

use error::ensure;
use schema::Section;

/// The longest time that a key may state: a year of 365 days. Longer ones cannot be added to
/// every clock.
const MAX_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

/// Every section, in the order in which they are printed.
static SECTIONS: &[Section] = &[
    Server::SECTION,
    Auth::SECTION,
    Rooms::SECTION,
    Socket::SECTION,
    Recovery::SECTION,
    Sse::SECTION,
    Limits::SECTION,
    Presence::SECTION,
    Typing::SECTION,
    Tracking::SECTION,
    Payments::SECTION,
    Push::SECTION,
    Webhooks::SECTION,
    Store::SECTION,
    Retention::SECTION,
    Log::SECTION,
    Ops::SECTION,
    Cluster::SECTION,
    Bridge::SECTION,
    Admin::SECTION,
];

/// The whole configuration. Its `Debug` shows no secrets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The listener, and from which pages browsers may reach it.
    pub server: Server,
    /// Who may connect.
    pub auth: Auth,
    /// Who may enter which chat room.
    pub rooms: Rooms,
    /// The Engine.IO and Socket.IO connection.
    pub socket: Socket,
    /// Clients whose transport drops for a moment.
    pub recovery: Recovery,
    /// Event streams.
    pub sse: Sse,
    /// How much one client, user or address may take.
    pub limits: Limits,
    /// Who is online, and who is told.
    pub presence: Presence,
    /// The typing indicator.
    pub typing: Typing,
    /// Drivers' positions.
    pub tracking: Tracking,
    /// Where the outcome of a payment comes from.
    pub payments: Payments,
    /// What users who are away are sent.
    pub push: Push,
    /// What your backend is told of sockets, rooms and users.
    pub webhooks: Webhooks,
    /// Where what is durable lies.
    pub store: Store,
    /// How long entries are kept.
    pub retention: Retention,
    /// What is logged, and how.
    pub log: Log,
    /// Metrics and health.
    pub ops: Ops,
    /// Several nodes that act as one.
    pub cluster: Cluster,
    /// What workers publish on Redis.
    pub bridge: Bridge,
    /// The namespace of the Admin UI.
    pub admin: Admin,
    /// Configured `[[watch]]` rules; see [`Config::watch_rules`] for all of them.
    pub watch: Vec<WatchRule>,
    /// Configured `[[relay]]` rules, beside the built-in channels.
    pub relay: Vec<RelayRule>,
    /// Configured `[[forward]]` rules.
    pub forward: Vec<ForwardRule>,
}

impl Config {
    /// Merges the sources. Fails at an unknown key, naming the nearest one, at a value of the wrong
    /// type, and at a file that cannot be read. What the values say is not checked yet: see
    /// [`Config::check`].
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut config = load::load(sources)?;
        config.server.normalise();
        Ok(config)
    }

    /// Whether a server can start with these values.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_ranges()?;
        self.server.check()?;
        self.auth.check()?;
        self.rooms.check()?;
        self.payments.check()?;
        self.push.check()?;
        self.webhooks.check()?;
        self.store.check()?;
        ensure(
            !self.cluster.is_on() || self.store.postgres().is_some(),
            || {
                "cluster.redis_url (REDIS_URL) makes this node one of a cluster, whose nodes must share \
             a database: set store.path (DATABASE_URL) to postgres://…"
                .into()
            },
        )?;
        self.log.check()?;
        self.ops.check()?;
        self.cluster.check()?;
        self.admin.check()?;
        relay::check(&self.relay)?;
        let watch = self.watch_rules();
        watch::check(&watch)?;
        let watched = watch.iter().flat_map(|rule| [&*rule.event, &*rule.leave]);
        forward::check(&self.forward, watched, self.socket.event_timeout_ms)
    }

    /// What is allowed, but unwise; one line each.
    pub fn warnings(&self) -> Vec<String> {
        self.auth.warning().into_iter().collect()
    }

    /// The built-in rules, then the configured ones; a configured rule replaces the built-in one
    /// of the same event.
    pub fn watch_rules(&self) -> Vec<WatchRule> {
        watch::with_built_in(&self.watch)
    }

    /// Every key with its default, meaning and names in the environment, as TOML.
    pub fn document() -> Result<String, ConfigError> {
        document::document().map_err(|error| ConfigError::new(error.to_string()))
    }

    fn check_ranges(&self) -> Result<(), ConfigError> {
        let values = Value::serialize(self).map_err(|error| explain::explain(&error))?;
        for section in SECTIONS {
            for key in section.keys {
                let path = section.path(key);
                let number = values.find_ref(&path).and_then(Value::to_u128);
                let Some(number) = number else { continue };
                ensure(number >= u128::from(key.min), || {
                    format!("{path} must be at least {}", key.min)
                })?;
                ensure(
                    !key.name.ends_with("_ms") || number <= u128::from(MAX_MS),
                    || format!("{path} must be at most {MAX_MS} (a year)"),
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
