//! What workers publish on Redis enters at the same services as HTTP does.
//!
//! Every node hears the channels; the one that holds a short lease takes the messages up, and what
//! comes of them reaches the clients of all nodes like everything else. The others keep what they
//! heard of late: whoever takes the lease over goes on where the last one stopped. It reads the streams,
//! too, as one consumer of a group: what its predecessor was given and did not acknowledge comes first.

mod announce;
mod lease;
mod listen;
mod message;
mod misfits;
mod perform;
mod queue;
mod stream;

pub use announce::Announcer;

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, future::join_all};

use self::{
    lease::Lease, listen::Listener, misfits::Misfits, perform::Worker, queue::Queue,
    stream::StreamReader,
};
use crate::{cluster::Hearing, config::RelayRule, services::Services, stores::redis::Redis};

/// How messages are taken up.
#[derive(Clone, Debug)]
pub struct BridgeOptions {
    /// This node's name.
    pub node: String,
    /// How long a command to Redis may take.
    pub timeout: Duration,
    /// Whether the built-in channels are heard.
    pub channels: bool,
    /// What else is heard.
    pub rules: Vec<RelayRule>,
    /// The largest message that is taken, in bytes.
    pub payload_bytes: usize,
    /// The most messages that wait.
    pub queue: usize,
    /// The most that are taken up at a time.
    pub in_flight: usize,
    /// For how long a message that the store cannot take is tried again.
    pub retry: Duration,
    /// The consumer group.
    pub group: String,
}

/// Hears channels and streams.
pub struct Bridge {
    redis: Redis,
    options: BridgeOptions,
    queue: Arc<Queue>,
    misfits: Misfits,
    lease: Lease,
}

impl Bridge {
    /// Nothing is heard before [`Bridge::run`].
    pub fn new(redis: Redis, hearing: Hearing, options: BridgeOptions) -> Self {
        Self {
            queue: Arc::new(Queue::new(options.queue)),
            misfits: Misfits::default(),
            lease: Lease::new(redis.clone(), options.node.clone(), hearing),
            redis,
            options,
        }
    }

    /// Hears, for ever.
    pub async fn run(&self, services: &Services) {
        let listener = Listener {
            redis: &self.redis,
            lease: &self.lease,
            options: &self.options,
            queue: &self.queue,
            misfits: &self.misfits,
        };
        let worker = Worker {
            lease: &self.lease,
            queue: &self.queue,
            misfits: &self.misfits,
            options: &self.options,
            services,
        };
        let streams = self.options.rules.iter();
        let streams = streams.filter(|rule| !rule.stream.is_empty());
        let mut reading = Vec::new();
        for rule in streams {
            let reader = StreamReader {
                redis: &self.redis,
                lease: &self.lease,
                options: &self.options,
                rule,
                misfits: &self.misfits,
                services,
            };
            reading.push(reader.run().boxed());
        }
        tokio::join!(
            listener.run(),
            self.lease.run(&self.queue),
            worker.run(),
            join_all(reading),
        );
    }

    /// Lets another node take over, once what was taken up is done.
    pub async fn release(&self) {
        self.lease.release().await;
    }
}
