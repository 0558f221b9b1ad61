//! Clients for Redis in each of its forms, and whom the next one asks where the last one got no further.

use std::time::Duration;

use fred::{
    clients::Client,
    error::Error,
    interfaces::{ClientLike, ClusterInterface, ServerInterface},
    types::{
        Builder,
        config::{ClusterDiscoveryPolicy, Config, ReconnectPolicy, Server, ServerConfig},
    },
};

use super::{RedisOpenError, RedisOptions};

/// The first wait before a connection is tried again, in milliseconds; it doubles.
const MIN_BACKOFF_MS: u32 = 50;

/// The longest such wait.
const MAX_BACKOFF_MS: u32 = 2_000;

/// By how much such a wait differs by chance, so that nodes do not come back at once.
const JITTER_MS: u32 = 100;

/// The most commands that wait for the connection; one more fails.
const MAX_COMMANDS: usize = 65_536;

/// The most events that a client keeps until they are noticed: messages where it hears channels, where it
/// does not only what becomes of its connection. All that space is taken at once.
const MAX_EVENTS: usize = 64;
const MAX_MESSAGES: usize = 16_384;

/// Makes clients, one in place of another.
#[derive(Clone)]
pub(super) struct Setup {
    config: Config,
    timeout: Duration,
    max_events: usize,
}

impl Setup {
    pub fn new(options: &RedisOptions) -> Result<Self, RedisOpenError> {
        let mut config = Config::from_url(&options.url)
            .map_err(|error| RedisOpenError::Url(error.details().to_owned()))?;
        // The first connection is tried again like any other.
        config.fail_fast = false;
        if let ServerConfig::Clustered { policy, .. } = &mut config.server {
            // Those that the address names may all be gone one day.
            *policy = ClusterDiscoveryPolicy::UseCache;
        }
        Ok(Self {
            config,
            timeout: options.timeout,
            max_events: MAX_EVENTS,
        })
    }

    /// For clients that hear channels.
    pub fn to_hear(&self) -> Self {
        Self {
            max_events: MAX_MESSAGES,
            ..self.clone()
        }
    }

    pub fn is_clustered(&self) -> bool {
        self.config.server.is_clustered()
    }

    /// How long a command may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The first client.
    pub fn client(&self) -> Result<Client, Error> {
        self.build(self.config.clone())
    }

    /// A client in place of another, which knows whom that one has heard of.
    pub fn instead_of(&self, client: &Client) -> Result<Client, Error> {
        let mut config = self.config.clone();
        let known = match &config.server {
            ServerConfig::Clustered { .. } => {
                let state = client.cached_cluster_state();
                state.map(|state| state.unique_primary_nodes())
            }
            ServerConfig::Sentinel { .. } => client.sentinel_nodes(),
            _ => None,
        };
        // A client that got nowhere has heard of nobody.
        let known = known.filter(|known| !known.is_empty());
        let known = known.unwrap_or_else(|| client.client_config().server.hosts());
        if let ServerConfig::Clustered { hosts, .. } | ServerConfig::Sentinel { hosts, .. } =
            &mut config.server
        {
            *hosts = next_asked(known, hosts);
        }
        self.build(config)
    }

    fn build(&self, config: Config) -> Result<Client, Error> {
        let (timeout, max_events) = (self.timeout, self.max_events);
        Builder::from_config(config)
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
                performance.broadcast_channel_capacity = max_events;
            })
            .with_connection_config(|connection| {
                connection.connection_timeout = timeout;
                connection.internal_command_timeout = timeout;
                connection.max_command_attempts = 1;
                connection.max_command_buffer_len = MAX_COMMANDS;
                connection.tcp.nodelay = Some(true);
            })
            .build()
    }
}

/// Whom a client asks first where the one before it asked the first of `known` first: those that are
/// held accept connections, but a client does not go on to the next one by itself.
fn next_asked(mut known: Vec<Server>, named: &[Server]) -> Vec<Server> {
    if !known.is_empty() {
        known.rotate_left(1);
    }
    for server in named {
        if !known.contains(server) {
            known.push(server.clone());
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(names: &[&str]) -> Vec<Server> {
        names
            .iter()
            .map(|name| Server::new(*name, 26_379))
            .collect()
    }

    #[test]
    fn whoever_was_asked_first_and_did_not_answer_is_asked_last_next_time() {
        let named = servers(&["a", "b", "c"]);
        let mut asked = named.clone();
        for expected in [["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]] {
            asked = next_asked(asked, &named);
            assert_eq!(asked, servers(&expected));
        }
    }

    #[test]
    fn those_that_were_heard_of_are_asked_before_those_that_the_address_names() {
        let named = servers(&["a", "b"]);
        let asked = next_asked(servers(&["d", "b", "c"]), &named);
        assert_eq!(asked, servers(&["b", "c", "d", "a"]));
        assert_eq!(next_asked(Vec::new(), &named), named);
    }

    #[test]
    fn a_client_in_place_of_another_asks_the_next_sentinel() {
        let setup = Setup::new(&RedisOptions {
            url: "redis-sentinel://a:1?sentinelServiceName=main&node=b:2".into(),
            prefix: "test".into(),
            timeout: Duration::from_secs(1),
        });
        let setup = setup.unwrap();
        let first = setup.client().unwrap();
        let asked = first.sentinel_nodes().unwrap();
        let second = setup.instead_of(&first).unwrap();
        let turned: Vec<_> = asked.into_iter().rev().collect();
        assert_eq!(second.sentinel_nodes(), Some(turned));
    }
}
