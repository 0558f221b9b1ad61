//! What waits to be told to other nodes. Telling never waits for Redis.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fred::interfaces::PubsubInterface;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::Notify;

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

/// How often a node says that it lives.
pub(super) const BEAT: Duration = Duration::from_millis(500);

/// The most notices that wait while there is no way to the other nodes.
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
    published: AtomicU64,
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
        }))
    }

    /// This node's name.
    pub fn node(&self) -> &str {
        &self.0.node
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
        queue.frames.push_back(Waiting { bytes, kind });
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
            while let Some(taken) = self.take() {
                #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
                depth.set(self.0.queue.lock().frames.len() as f64);
                let publication = self.publication(&taken);
                let told: Result<i64, _> = redis.client().publish(&channel, publication).await;
                let Err(error) = told else {
                    continue;
                };
                tracing::debug!(%error, "other nodes could not be told");
                counter!(metric::REDIS_ERRORS, "command" => "publish").increment(1);
                self.keep_notices(taken);
                break;
            }
        }
    }

    fn beat(&self) {
        let mut queue = self.0.queue.lock();
        let bytes = frame::encode(&Frame::Beat);
        queue.bytes += bytes.len();
        let kind = Kind::Beat;
        queue.frames.push_back(Waiting { bytes, kind });
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

    fn publication(&self, taken: &[Waiting]) -> Vec<u8> {
        let mut out = frame::begin(&Head {
            node: self.0.node.clone(),
            number: self.0.published.fetch_add(1, Ordering::Relaxed),
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
            Notice::Spent { .. } => Kind::Event(Class::Passing),
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
mod tests {
    use super::*;
    use crate::domain::{RoomId, UserId};

    fn outgoing(frames: usize) -> Outgoing {
        let bytes = 1_000_000;
        Outgoing::new("a".into(), QueueLimits { frames, bytes })
    }

    fn notice(name: &str) -> Notice {
        Notice::Evicted {
            user: UserId::new(name).unwrap(),
            room: RoomId::new("lobby").unwrap(),
        }
    }

    fn event(outgoing: &Outgoing) -> Result<(), &'static str> {
        outgoing.offer(&Frame::Beat, Kind::Event(Class::Passing))
    }

    #[test]
    fn events_beyond_the_limit_are_dropped_and_notices_are_not() {
        let outgoing = outgoing(1);
        event(&outgoing).unwrap();
        assert_eq!(event(&outgoing), Err("full"));
        outgoing.tell(notice("alice"));
        let taken = outgoing.take().unwrap();
        assert_eq!(taken.len(), 2);
        assert!(outgoing.take().is_none());
        event(&outgoing).unwrap();
    }

    #[test]
    fn what_could_not_be_told_leaves_only_its_notices_in_their_order() {
        let outgoing = outgoing(100);
        outgoing.tell(notice("alice"));
        event(&outgoing).unwrap();
        let taken = outgoing.take().unwrap();
        outgoing.tell(notice("bob"));
        outgoing.keep_notices(taken);
        let taken = outgoing.take().unwrap();
        let told = [notice("alice"), notice("bob")].map(|one| frame::encode(&Frame::Notice(one)));
        let kept: Vec<_> = taken.into_iter().map(|waiting| waiting.bytes).collect();
        assert_eq!(kept, told);
        assert_eq!(outgoing.0.queue.lock().bytes, 0);
    }
}
