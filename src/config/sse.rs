//! Event streams (SSE).

use std::time::Duration;

use super::schema::section;

section! {
    /// Event streams (SSE).
    pub struct Sse = "sse" {
        /// How long a stream is silent at most, in milliseconds; then comes a comment.
        #[min(1)]
        pub keep_alive_ms: u64 = 25_000,
        /// How long clients are told to wait before they come back, in milliseconds.
        #[min(1)]
        pub retry_ms: u64 = 3_000,
        /// The most bytes that wait to be written to one reader; beyond them its stream ends.
        #[min(1)]
        pub pending_bytes: usize = 1_048_576,
        /// How long a reader may take nothing of what waits for it, in milliseconds; then its
        /// connection ends.
        #[min(1)]
        pub stall_limit_ms: u64 = 20_000,
        /// The most streams in all. 0 = no limit.
        pub streams: usize = 100_000,
        /// The most streams of one user. 0 = no limit.
        pub streams_per_user: usize = 0,
    }
}

impl Sse {
    /// How long a stream is silent at most.
    pub fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.keep_alive_ms)
    }

    /// How long a reader may take nothing of what waits for it.
    pub fn stall_limit(&self) -> Duration {
        Duration::from_millis(self.stall_limit_ms)
    }
}
