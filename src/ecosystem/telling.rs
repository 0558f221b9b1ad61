//! What waits to be told to other servers. Telling never waits for Redis; what cannot be told is lost,
//! as it is between Node's servers.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fred::interfaces::PubsubInterface;
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::dialect::Dialect;
use crate::{cluster::QueueLimits, stores::redis::Redis, telemetry::metric};

/// The most publications that are on their way at a time.
const AT_ONCE: usize = 256;

/// How often it is looked whether all has been told.
const FLUSH_INTERVAL: Duration = Duration::from_millis(10);

/// Something to be told.
pub(super) struct Publication {
    pub channel: String,
    pub bytes: Vec<u8>,
    /// Its name in metrics, where it is lost.
    pub class: &'static str,
}

/// What waits; clones share it.
#[derive(Clone)]
pub(super) struct Telling(Arc<Shared>);

struct Shared {
    limits: QueueLimits,
    queue: Mutex<Queue>,
    changed: Notify,
    is_busy: AtomicBool,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Publication>,
    bytes: usize,
}

impl Telling {
    pub fn new(limits: QueueLimits) -> Self {
        Self(Arc::new(Shared {
            limits,
            queue: Mutex::default(),
            changed: Notify::new(),
            is_busy: AtomicBool::new(false),
        }))
    }

    pub fn put(&self, publication: Publication) {
        let limits = self.0.limits;
        let mut queue = self.0.queue.lock();
        let bytes = queue.bytes + publication.bytes.len();
        if queue.waiting.len() >= limits.frames || bytes > limits.bytes {
            drop(queue);
            return lost(&publication, "full");
        }
        queue.bytes = bytes;
        queue.waiting.push_back(publication);
        drop(queue);
        self.0.changed.notify_one();
    }

    fn take(&self) -> Vec<Publication> {
        let mut queue = self.0.queue.lock();
        let count = queue.waiting.len().min(AT_ONCE);
        let taken: Vec<_> = queue.waiting.drain(..count).collect();
        queue.bytes -= taken.iter().map(|one| one.bytes.len()).sum::<usize>();
        self.0.is_busy.store(!taken.is_empty(), Ordering::SeqCst);
        taken
    }

    fn clear(&self) -> VecDeque<Publication> {
        let mut queue = self.0.queue.lock();
        queue.bytes = 0;
        std::mem::take(&mut queue.waiting)
    }

    /// Tells what waits, in order, for ever.
    pub async fn run(&self, redis: &Redis, dialect: Dialect) {
        loop {
            let taken = self.take();
            if taken.is_empty() {
                self.0.changed.notified().await;
                continue;
            }
            if let Err(error) = publish(redis, dialect, &taken).await {
                tracing::debug!(%error, "other servers could not be told");
                counter!(metric::REDIS_ERRORS, "command" => "publish").increment(1);
                // What has waited meanwhile is as old.
                let rest = self.clear();
                taken.iter().chain(&rest).for_each(|one| lost(one, "redis"));
            }
        }
    }

    /// Waits until what has been told so far has been published, at most so long.
    pub async fn flushed(&self, limit: Duration) {
        let waits = || {
            let is_empty = self.0.queue.lock().waiting.is_empty();
            !is_empty || self.0.is_busy.load(Ordering::SeqCst)
        };
        let empty = async {
            while waits() {
                tokio::time::sleep(FLUSH_INTERVAL).await;
            }
        };
        // Without Redis nobody can be told.
        let _ = tokio::time::timeout(limit, empty).await;
    }
}

async fn publish(
    redis: &Redis,
    dialect: Dialect,
    taken: &[Publication],
) -> Result<(), fred::error::Error> {
    let pipeline = redis.pipeline_anywhere();
    for one in taken {
        let (channel, bytes) = (one.channel.as_str(), one.bytes.as_slice());
        let _: () = match dialect {
            Dialect::PubSub => pipeline.publish(channel, bytes).await?,
            Dialect::Sharded => pipeline.spublish(channel, bytes).await?,
        };
    }
    let _: Vec<i64> = pipeline.all().await?;
    Ok(())
}

fn lost(publication: &Publication, reason: &'static str) {
    let class = publication.class;
    counter!(metric::CLUSTER_DROPS, "class" => class, "reason" => reason).increment(1);
}
