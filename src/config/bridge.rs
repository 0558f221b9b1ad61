//! What workers publish on Redis.

use std::time::Duration;

use super::schema::section;

section! {
    /// What workers publish on Redis. It is heard where cluster.redis_url is set; of several nodes
    /// one takes it up.
    pub struct Bridge = "bridge" {
        /// Whether the channels inventory-updates, orders, notifications:{userId},
        /// broadcast:room:{roomId} and broadcast:user:{userId} are heard, and presence:updates is
        /// published.
        pub channels: bool = true,
        /// The most messages that wait to be taken up; what is more is dropped and counted.
        #[min(1)]
        pub queue: usize = 10_000,
        /// How many are taken up at a time.
        #[min(1)]
        pub in_flight: usize = 64,
        /// For how long a message that the store cannot take is tried again, in milliseconds.
        pub retry_ms: u64 = 60_000,
        /// The consumer group in which nodes read Redis Streams.
        pub group: String = "roomcast".into(),
        /// An entry of a Redis Stream that a node has taken and not acknowledged for so long is
        /// taken by another, in milliseconds.
        #[min(1_000)]
        pub claim_idle_ms: u64 = 15_000,
    }
}

impl Bridge {
    /// After how long without an acknowledgement an entry is another node's.
    pub fn claim_idle(&self) -> Duration {
        Duration::from_millis(self.claim_idle_ms)
    }

    /// For how long a message is tried again.
    pub fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }
}
