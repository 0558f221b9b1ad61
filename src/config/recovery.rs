//! Clients whose transport drops for a moment (connection state recovery).

use std::time::Duration;

use super::schema::section;

section! {
    /// Clients whose transport drops for a moment: they get their socket back, with its id and its
    /// rooms, and what they missed.
    pub struct Recovery = "recovery" {
        /// Recover sessions. Every event then carries its offset as one more argument, which
        /// handlers with a fixed number of arguments do not expect.
        pub enabled: bool = false,
        /// How long a client may be away, in milliseconds.
        #[min(1)]
        pub window_ms: u64 = 120_000,
        /// The most bytes of events that are kept for it, in each namespace. Who missed more gets a
        /// new session.
        #[min(1)]
        pub log_bytes: usize = 67_108_864,
    }
}

impl Recovery {
    /// How long a client may be away.
    pub fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms)
    }
}
