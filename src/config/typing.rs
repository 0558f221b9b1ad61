//! The typing indicator.

use std::time::Duration;

use super::schema::section;

section! {
    /// The typing indicator.
    pub struct Typing = "typing" {
        /// After how long without a repeat typing ends by itself, in milliseconds.
        #[min(1)]
        pub timeout_ms: u64 = 6_000,
    }
}

impl Typing {
    /// After how long without a repeat typing ends by itself.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}
