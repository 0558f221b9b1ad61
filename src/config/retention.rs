//! How long entries of feeds are kept.

use std::time::Duration;

use super::schema::section;

section! {
    /// How long entries of feeds are kept, by their age and by their number in one feed. 0 = for
    /// ever. Who asks for what is gone is answered by the verdict gap.
    pub struct Retention = "retention" {
        /// Messages of a chat room: the age at which they go, in hours.
        pub room_hours: u64 = 0,
        /// Messages of a chat room: the most that are kept.
        pub room_entries: u64 = 0,
        /// Messages between two users: the age at which they go, in hours.
        pub direct_hours: u64 = 0,
        /// Messages between two users: the most that are kept.
        pub direct_entries: u64 = 0,
        /// Notifications of a user: the age at which they go, in hours.
        pub notification_hours: u64 = 2_160,
        /// Notifications of a user: the most that are kept.
        pub notification_entries: u64 = 10_000,
        /// Orders of a vendor: the age at which they go, in hours.
        pub order_hours: u64 = 2_160,
        /// Orders of a vendor: the most that are kept.
        pub order_entries: u64 = 100_000,
        /// Updates of a channel: the age at which they go, in hours.
        pub channel_hours: u64 = 168,
        /// Updates of a channel: the most that are kept.
        pub channel_entries: u64 = 10_000,
        /// How often it is looked for what may go, in milliseconds.
        #[min(1)]
        pub interval_ms: u64 = 60_000,
        /// The most entries that go in one step, which other writes wait for.
        #[min(1)]
        pub step: usize = 200,
    }
}

impl Retention {
    /// How often it is looked for what may go.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }
}
