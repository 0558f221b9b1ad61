//! What waits to be told to other nodes. Telling never waits for Redis.

mod told;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use fred::interfaces::PubsubInterface;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::told::Told;
use super::{
    CHANNEL,
    frame::{self, Frame, Head, WireEmit, WireEntry},
};
use crate::{
    domain::{Entry, Timestamp},
    ports::{Class, Emit, Notice, Peers},
    realtime::namespace::{Encoded, Relay},
    stores::redis::Redis,
    telemetry::metric,
};

/// The most bytes of one publication, unless one frame alone is larger.
const PUBLICATION_BYTES: usize = 256 * 1024;

/// How often it is looked whether all has been told.
const FLUSH_INTERVAL: Duration = Duration::from_millis(10);

/// How often a node says that it lives.
pub(super) const BEAT: Duration = Duration::from_millis(500);

/// The most notices that wait while there is no way to the other nodes, and that can be told again.
const MAX_NOTICES: usize = 10_000;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// The most frames.
    pub frames: usize,
    /// The most bytes of them.
    pub bytes: usize,
}

/// What waits to be told; clones share it.
#[derive(Clone)]
pub struct Outgoing(Arc<Shared>);

struct Shared {
    node: String,
    limits: QueueLimits,
    queue: Mutex<Queue>,
    changed: Notify,
    /// Publications that were tried, and those that Redis has taken.
    published: AtomicU64,
    taken: AtomicU64,
    /// Whether one is on its way.
    is_publishing: AtomicBool,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Waiting>,
    bytes: usize,
}

/// A frame that waits.
struct Waiting {
    bytes: Vec<u8>,
    kind: Kind,
    /// What is to be told again to a node that has not heard it.
    notice: Option<Notice>,
}

/// What becomes of a frame that cannot be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It is told later.
    Notice,
    /// The store has it.
    Entry,
    /// It is dropped.
    Event(Class),
    /// There will be another.
    Beat,
}

impl Outgoing {
    /// `node`: a name that no other node has.
    pub fn new(node: String, limits: QueueLimits) -> Self {
        Self(Arc::new(Shared {
            node,
            limits,
            queue: Mutex::default(),
            changed: Notify::new(),
            published: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            is_publishing: AtomicBool::new(false),
            told: Mutex::default(),
        }))
    }

    /// This node's name.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// Waits until what has been told so far has been published, at most so long.
    pub async fn flushed(&self, limit: Duration) {
        let is_busy = || {
            let waits = !self.0.queue.lock().frames.is_empty();
            waits || self.0.is_publishing.load(Ordering::SeqCst)
        };
        let empty = async {
            while is_busy() {
                tokio::time::sleep(FLUSH_INTERVAL).await;
            }
        };
        // Without Redis nobody can be told.
        let _ = tokio::time::timeout(limit, empty).await;
    }

    /// How many publications Redis has taken.
    pub(super) fn published(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// Tells of a committed entry.
    pub fn entry(&self, entry: &Entry) {
        let frame = Frame::Entry(Box::new(WireEntry::new(entry)));
        self.put(&frame, Kind::Entry);
    }

    fn put(&self, frame: &Frame, kind: Kind) {
        if let Err(reason) = self.offer(frame, kind) {
            drop_one(kind, reason);
        }
    }

    fn offer(&self, frame: &Frame, kind: Kind) -> Result<(), &'static str> {
        let bytes = frame::encode(frame);
        let notice = match frame {
            Frame::Notice(notice) if kind == Kind::Notice => Some(notice.clone()),
            _ => None,
        };
        let limits = self.0.limits;
        let mut queue = self.0.queue.lock();
        let is_full =
            queue.frames.len() >= limits.frames || queue.bytes + bytes.len() > limits.bytes;
        match kind {
            Kind::Notice if queue.frames.len() >= limits.frames.max(MAX_NOTICES) => {
                return Err("full");
            }
            Kind::Notice => {}
            _ if is_full => return Err("full"),
            _ => {}
        }
        queue.bytes += bytes.len();
        queue.frames.push_back(Waiting {
            bytes,
            kind,
            notice,
        });
        drop(queue);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Tells what waits and that this node lives, for ever.
    pub async fn run(&self, redis: &Redis) {
        let channel = redis.channel(CHANNEL);
        let depth = gauge!(metric::CLUSTER_QUEUE);
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.0.changed.notified() => {}
                _ = beat.tick() => self.beat(),
            }
            self.0.is_publishing.store(true, Ordering::SeqCst);
            while let Some(taken) = self.take() {
                #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
                depth.set(self.0.queue.lock().frames.len() as f64);
                let number = self.0.published.fetch_add(1, Ordering::Relaxed);
                let publication = self.publication(number, &taken);
                let told: Result<i64, _> = redis.client().publish(&channel, publication).await;
                let Err(error) = told else {
                    self.note_told(number, taken);
                    continue;
                };
                tracing::debug!(%error, "other nodes could not be told");
                counter!(metric::REDIS_ERRORS, "command" => "publish").increment(1);
                self.keep_notices(taken);
                break;
            }
            self.0.is_publishing.store(false, Ordering::SeqCst);
        }
    }

    fn beat(&self) {
        let mut queue = self.0.queue.lock();
        let bytes = frame::encode(&Frame::Beat);
        queue.bytes += bytes.len();
        queue.frames.push_back(Waiting {
            bytes,
            kind: Kind::Beat,
            notice: None,
        });
    }

    /// What goes into the next publication.
    fn take(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.0.queue.lock();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(next) = queue.frames.front()
            && (taken.is_empty() || bytes + next.bytes.len() <= PUBLICATION_BYTES)
        {
            bytes += next.bytes.len();
            taken.extend(queue.frames.pop_front());
        }
        queue.bytes -= bytes;
        (!taken.is_empty()).then_some(taken)
    }

    fn publication(&self, number: u64, taken: &[Waiting]) -> Vec<u8> {
        let mut out = frame::begin(&Head {
            node: self.0.node.clone(),
            number,
            sent_at_ms: Timestamp::now().as_ms(),
        });
        taken
            .iter()
            .for_each(|waiting| out.extend_from_slice(&waiting.bytes));
        out
    }

    /// There is no way to the other nodes: of what has waited only notices stay. What comes after is
    /// tried again.
    fn keep_notices(&self, taken: Vec<Waiting>) {
        let mut queue = self.0.queue.lock();
        let rest = std::mem::take(&mut queue.frames);
        for waiting in taken.into_iter().chain(rest) {
            if waiting.kind == Kind::Notice && queue.frames.len() < MAX_NOTICES {
                queue.frames.push_back(waiting);
            } else {
                drop_one(waiting.kind, "redis");
            }
        }
        queue.bytes = queue.frames.iter().map(|waiting| waiting.bytes.len()).sum();
    }
}

impl Relay for Outgoing {
    fn relay(&self, emit: &Emit<'_>, encoded: Encoded) {
        let frame = Frame::Emit(Box::new(WireEmit::new(emit, encoded)));
        self.put(&frame, Kind::Event(emit.class));
    }
}

impl Peers for Outgoing {
    fn tell(&self, notice: Notice) {
        let kind = match &notice {
            // It is about this moment.
            Notice::Spent { .. } | Notice::Sockets { .. } | Notice::AdminsThere { .. } => {
                Kind::Event(Class::Passing)
            }
            _ => Kind::Notice,
        };
        self.put(&Frame::Notice(notice), kind);
    }

    fn are_there(&self) -> bool {
        true
    }
}

fn drop_one(kind: Kind, reason: &'static str) {
    let class = match kind {
        Kind::Event(class) => class.as_str(),
        Kind::Notice => "notice",
        // Nothing is lost.
        Kind::Entry | Kind::Beat => return,
    };
    counter!(metric::CLUSTER_DROPS, "class" => class, "reason" => reason).increment(1);
}

#[cfg(test)]
mod tests;
