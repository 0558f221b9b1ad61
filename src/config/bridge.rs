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
        /// Whether what @socket.io/redis-emitter, and Node's servers with @socket.io/redis-adapter,
        /// tell is carried out: events for rooms, users and sockets, and sockets that join, leave or
        /// end. Each node does it for its own sockets.
        pub emitters: bool = true,
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
    }
}

impl Bridge {
    /// For how long a message is tried again.
    pub fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }
}
