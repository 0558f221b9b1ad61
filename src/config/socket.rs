//! The Engine.IO and Socket.IO connection.

use std::time::Duration;

use super::schema::{choice, section};

choice! {
    /// How Socket.IO packets are encoded; clients must use the same parser.
    pub enum Parser {
        /// socket.io-parser, what clients use unless told otherwise.
        Json = "json",
        /// socket.io-msgpack-parser.
        Msgpack = "msgpack",
    }
}

section! {
    /// The Engine.IO and Socket.IO connection.
    pub struct Socket = "socket" {
        /// Accept clients of Engine.IO 3 (socket.io-client 2.x) too.
        pub eio3: bool = false,
        /// The packet parser: json (socket.io-parser) or msgpack (socket.io-msgpack-parser).
        /// Clients must use the same.
        pub parser: Parser = Parser::Json,
        /// How often the server pings a client, in milliseconds.
        #[min(1)]
        pub ping_interval_ms: u64 = 25_000,
        /// How long the client's answer may take before it is taken for gone, in milliseconds.
        #[min(1)]
        pub ping_timeout_ms: u64 = 20_000,
        /// How long a client may be without a namespace, in milliseconds: until it has signed in,
        /// and after it has left.
        #[min(1)]
        pub connect_timeout_ms: u64 = 45_000,
        /// How long an upgrade from polling to WebSocket may take, in milliseconds.
        #[min(1)]
        pub upgrade_timeout_ms: u64 = 10_000,
        /// The most events of one socket that wait to be handled.
        #[min(1)]
        pub queued_events: usize = 4_096,
        /// The most bytes of events of one socket that wait to be handled.
        #[min(1)]
        pub queued_bytes: usize = 8_388_608,
        /// The most events of one socket that have begun and are not yet acknowledged.
        #[min(1)]
        pub in_flight_events: usize = 64,
        /// How long the handling of one event may take, in milliseconds; then it fails, and the
        /// next one of the socket begins.
        #[min(1)]
        pub event_timeout_ms: u64 = 30_000,
        /// The most bytes that wait to be written to one client. From half of them on, typing and
        /// the like are dropped and messages stay in the store until the client has caught up;
        /// beyond them the connection ends.
        #[min(1)]
        pub pending_bytes: usize = 1_048_576,
        /// How long a client may take nothing of what waits for it, in milliseconds; then its
        /// connection ends.
        #[min(1)]
        pub stall_limit_ms: u64 = 20_000,
    }
}

impl Socket {
    /// How often the server pings a client.
    pub fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval_ms)
    }

    /// How long the client's answer to a ping may take.
    pub fn ping_timeout(&self) -> Duration {
        Duration::from_millis(self.ping_timeout_ms)
    }

    /// How long a client may take to connect to a namespace.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// How long the handling of one event may take.
    pub fn event_timeout(&self) -> Duration {
        Duration::from_millis(self.event_timeout_ms)
    }

    /// How long a client may take nothing of what waits for it.
    pub fn stall_limit(&self) -> Duration {
        Duration::from_millis(self.stall_limit_ms)
    }

    /// How long an upgrade to WebSocket may take.
    pub fn upgrade_timeout(&self) -> Duration {
        Duration::from_millis(self.upgrade_timeout_ms)
    }
}
