//! Several nodes that act as one.

use std::time::Duration;

use super::{
    Secret,
    error::{ConfigError, ensure},
    schema::{choice, section},
};

/// The forms of a Redis server's address.
const SCHEMES: [&str; 6] = [
    "redis://",
    "rediss://",
    "redis-sentinel://",
    "rediss-sentinel://",
    "redis-cluster://",
    "rediss-cluster://",
];

choice! {
    /// How nodes, and other servers, tell each other events.
    pub enum Adapter {
        /// By Roomcast's own protocol.
        Roomcast = "roomcast",
        /// The same, by the name that deployments may know.
        SocketioxideRedis = "socketioxide-redis",
        /// By that, and with Node's servers in the words of @socket.io/redis-adapter.
        Node = "node",
        /// The same on sharded pub/sub.
        NodeSharded = "node-sharded",
    }
}

section! {
    /// Several nodes that act as one. They share a Redis or Valkey server, version 7 or newer, and a
    /// PostgreSQL database (store.path).
    pub struct Cluster = "cluster" {
        /// Where Redis is: redis://host:port, redis-sentinel://host:port?sentinelServiceName=name,
        /// or redis-cluster://host:port; rediss… with TLS. "" = this is the only node.
        #[env("REDIS_URL")]
        pub redis_url: Secret = Secret::default(),
        /// What the names of our keys and channels in Redis begin with: several clusters can share
        /// one server.
        pub prefix: String = "roomcast".into(),
        /// How nodes tell each other events: roomcast (or socketioxide-redis, which is the same), by
        /// their own protocol; node, which makes them one cluster with Node's servers that use
        /// @socket.io/redis-adapter; or node-sharded, the same on sharded pub/sub, for which Node's
        /// adapter is created with subscriptionMode: "static".
        pub adapter: Adapter = Adapter::Roomcast,
        /// The key of Node's adapters and emitters: what the names of their channels begin with.
        pub node_key: String = "socket.io".into(),
        /// How long the answers of Node's servers are waited for, in milliseconds.
        #[min(1)]
        pub node_timeout_ms: u64 = 5_000,
        /// How long a command to Redis may take, in milliseconds.
        #[min(1)]
        pub redis_timeout_ms: u64 = 2_000,
        /// Whether a node without Redis says at /readyz that it is not ready. Otherwise it stays
        /// ready, says "degraded", and serves its own clients.
        pub redis_required: bool = false,
        /// For how long a node counts as alive after it was last heard of, in milliseconds. Then the
        /// others tell that its users have gone.
        #[min(500)]
        pub lease_ms: u64 = 10_000,
        /// How often each node looks in the store for entries of other nodes that Redis has not
        /// brought, in milliseconds.
        #[min(10)]
        pub poll_ms: u64 = 2_000,
        /// How long a node waits for an entry that is due before it looks in the store, in
        /// milliseconds.
        pub gap_ms: u64 = 50,
        /// The most events that wait to be told to other nodes; what is more is dropped.
        #[min(1)]
        pub publish_queue: usize = 65_536,
        /// The most bytes of them.
        #[min(1)]
        pub publish_bytes: usize = 67_108_864,
    }
}

impl Cluster {
    /// Whether there may be other nodes.
    pub fn is_on(&self) -> bool {
        !self.redis_url.is_empty()
    }

    /// How long a command to Redis may take.
    pub fn redis_timeout(&self) -> Duration {
        Duration::from_millis(self.redis_timeout_ms)
    }

    /// How long the answers of Node's servers are waited for.
    pub fn node_timeout(&self) -> Duration {
        Duration::from_millis(self.node_timeout_ms)
    }

    /// For how long a node counts as alive.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    /// How often the store is looked at.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    /// How long an entry that is due is waited for.
    pub fn gap(&self) -> Duration {
        Duration::from_millis(self.gap_ms)
    }

    /// The errors do not show the address: it may hold a password.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let url = self.redis_url.expose();
        let is_known = SCHEMES.iter().any(|scheme| url.starts_with(scheme));
        ensure(url.is_empty() || is_known, || {
            format!(
                "cluster.redis_url (REDIS_URL) must begin with one of {}",
                SCHEMES.join(", ")
            )
        })?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let fits = !self.prefix.is_empty() && self.prefix.chars().all(is_name);
        ensure(fits, || {
            "cluster.prefix must be one or more of the letters a-z and A-Z, digits, and - _ . :"
                .into()
        })?;
        ensure(!self.node_key.is_empty(), || {
            "cluster.node_key must not be empty".into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_redis_is_known_by_its_scheme_and_never_shown() {
        let at = |url: &str| Cluster {
            redis_url: Secret::new(url),
            ..Cluster::default()
        };
        for url in ["", "redis://r", "rediss://r:6380/1", "redis-cluster://r"] {
            at(url).check().unwrap();
        }
        let error = at("http://alice:hunter2@r").check().unwrap_err();
        assert!(error.to_string().contains("redis-sentinel://"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
