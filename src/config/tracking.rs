//! Drivers' positions.

use std::time::Duration;

use super::schema::section;

section! {
    /// Drivers' positions.
    pub struct Tracking = "tracking" {
        /// How long a position is fresh, in milliseconds; then the driver counts as offline.
        #[min(1)]
        pub ttl_ms: u64 = 30_000,
        /// The most positions in one request.
        #[min(1)]
        pub positions_per_request: usize = 1_000,
    }
}

impl Tracking {
    /// How long a position is fresh.
    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }
}
