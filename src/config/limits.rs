//! How much one client, user or address may take.

use super::schema::section;

section! {
    /// How much one client, user or address may take. Rates are token buckets that hold one
    /// second's worth, so that much may come at once.
    pub struct Limits = "limits" {
        /// The most connections in all. 0 = no limit.
        pub connections: usize = 100_000,
        /// The most connections from one IP address. 0 = no limit.
        pub connections_per_ip: usize = 0,
        /// The most connections of one user. 0 = no limit.
        pub connections_per_user: usize = 0,
        /// The most sessions by polling from one IP address. 0 = no limit.
        pub polling_sessions_per_ip: usize = 0,
        /// The most namespaces of one connection. 0 = no limit.
        pub namespaces_per_connection: usize = 16,
        /// The most binary attachments of one packet. Clients of today refuse packets with more
        /// than 10.
        pub binaries_per_packet: usize = 10,
        /// Events per second of one socket. 0 = no limit.
        pub events_per_second: u32 = 1_000,
        /// Events per second of one user, all devices together. 0 = no limit.
        pub user_events_per_second: u32 = 2_000,
        /// After how long without a pause of events beyond these rates the connection ends, in
        /// milliseconds. 0 = never.
        pub flood_ms: u64 = 10_000,
        /// The most rooms that one socket has joined at a time. 0 = no limit.
        pub rooms_per_socket: usize = 1_000,
        /// HTTP requests per second of one API key, user or, for guests, address. 0 = no limit.
        pub requests_per_second: u32 = 0,
        /// The largest event or request body, in bytes.
        #[min(1)]
        pub payload_bytes: usize = 1_000_000,
        /// The longest text of a message, in characters.
        #[min(1)]
        pub content_chars: usize = 8_192,
    }
}
