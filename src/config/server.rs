//! The listener, and from which pages browsers may reach it.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;

use super::{
    error::{ConfigError, ensure},
    schema::section,
};

section! {
    /// The listener, and from which pages browsers may reach it.
    pub struct Server = "server" {
        /// The address or host name to listen on. 0.0.0.0 = every IPv4 address, :: = every address.
        pub host: String = "127.0.0.1".into(),
        /// The TCP port to listen on. 0 = any free port.
        #[env("PORT")]
        pub port: u16 = 3000,
        /// The origins (scheme://host or scheme://host:port) of pages that may use the server, for
        /// HTTP routes and for sockets alike. "*" = any origin; [] = only pages of the same origin.
        #[env("ALLOWED_ORIGINS", "CLIENT_URL")]
        pub allowed_origins: Vec<String> = Vec::new(),
        /// Serve the client demo at /.
        pub demo: bool = false,
        /// The proxies, by address or network (10.0.0.0/8), whose X-Forwarded-For is believed. Who
        /// else sends that header is known by the address of the connection.
        pub trusted_proxies: Vec<String> = Vec::new(),
        /// How long the head of a request may take to arrive, counted from the end of the one before
        /// it, in milliseconds: so long a connection may be idle, too. The body of a poll may take
        /// as long again.
        #[min(1)]
        pub header_read_timeout_ms: u64 = 30_000,
        /// How many connections a second are ended at a shutdown; more, where the deadline would
        /// pass otherwise.
        #[min(1)]
        pub drain_per_second: u32 = 1_000,
        /// How long a shutdown may take to finish accepted work, in milliseconds. 0 = not at all.
        pub drain_deadline_ms: u64 = 30_000,
    }
}

impl Server {
    /// How long a shutdown may take.
    pub fn drain_deadline(&self) -> Duration {
        Duration::from_millis(self.drain_deadline_ms)
    }

    /// How long the head of a request may take to arrive.
    pub fn header_read_timeout(&self) -> Duration {
        Duration::from_millis(self.header_read_timeout_ms)
    }

    /// The trusted proxies' networks.
    pub fn proxies(&self) -> Result<Vec<IpNet>, ConfigError> {
        let network = |text: &String| {
            let network = text.parse::<IpNet>();
            network
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| {
                    ConfigError::new(format!(
                        "server.trusted_proxies: {text:?} is no address and no network; write \
                     192.0.2.1 or 10.0.0.0/8"
                    ))
                })
        };
        self.trusted_proxies.iter().map(network).collect()
    }

    /// Browsers send origins without the slash that people like to end addresses with.
    pub(super) fn normalise(&mut self) {
        for origin in &mut self.allowed_origins {
            origin.truncate(origin.trim_end_matches('/').len());
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ensure(!self.host.trim().is_empty(), || {
            "server.host must not be empty; 0.0.0.0 listens on every IPv4 address".into()
        })?;
        self.proxies()?;
        for origin in &self.allowed_origins {
            ensure(is_origin(origin), || {
                format!(
                    "server.allowed_origins: {origin:?} is not an origin; write scheme://host or \
                     scheme://host:port, or * for any"
                )
            })?;
        }
        Ok(())
    }
}

fn is_origin(text: &str) -> bool {
    let has_host = |(scheme, host): (&str, &str)| {
        !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '*', ' '])
    };
    text == "*" || text == "null" || text.split_once("://").is_some_and(has_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_no_path() {
        for origin in [
            "*",
            "null",
            "https://a.example",
            "http://localhost:5173",
            "capacitor://app",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in [
            "",
            "a.example",
            "https://",
            "https://a.example/chat",
            "https://*.example",
        ] {
            assert!(!is_origin(other), "{other}");
        }
    }

    #[test]
    fn the_slash_after_an_origin_is_forgiven() {
        let mut server = Server {
            allowed_origins: vec!["https://a.example/".into()],
            ..Server::default()
        };
        server.normalise();
        assert_eq!(server.allowed_origins, ["https://a.example"]);
    }
}
