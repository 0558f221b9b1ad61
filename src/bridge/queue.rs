//! Messages that were heard: those that wait, or, on a node that does not take them up, those of
//! late.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::message::Action;
use crate::{
    domain::{ClientId, Timestamp},
    telemetry::metric,
};

/// For how long a node that does not take messages up keeps them.
pub(super) const KEPT: Duration = Duration::from_secs(10);

/// How far the clocks of a node and of Redis may be apart.
const SKEW: Duration = Duration::from_secs(2);

/// Which channel or rule a message came by, as logs and metrics name it.
pub(super) type Source = Arc<str>;

/// A message that was heard.
#[derive(Debug)]
pub(super) struct Message {
    /// What it is known by on every node.
    pub name: Done,
    pub heard_at: Timestamp,
    pub action: Action,
    /// Makes storing idempotent: what was given up may have been stored.
    pub key: Option<ClientId>,
    pub source: Source,
}

/// No mark was heard since the connection was made; marks may have been missed.
const UNKNOWN: u64 = 0;

/// What a message is known by on every node, and noted when it is taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Done {
    /// The mark that was heard last before it: milliseconds of Redis' clock, or [`UNKNOWN`].
    pub mark: u64,
    /// Of its channel and payload.
    pub digest: u64,
}

impl Done {
    pub fn to_text(self) -> String {
        format!("{}:{:016x}", self.mark, self.digest)
    }

    pub fn from_text(text: &str) -> Option<Self> {
        let (mark, digest) = text.split_once(':')?;
        Some(Self {
            mark: mark.parse().ok()?,
            digest: u64::from_str_radix(digest, 16).ok()?,
        })
    }
}

/// Messages in the order in which they were heard.
pub(super) struct Queue {
    limit: usize,
    messages: Mutex<VecDeque<Message>>,
    changed: Notify,
    mark: AtomicU64,
    unmarked: Notify,
}

impl Queue {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            messages: Mutex::default(),
            changed: Notify::new(),
            mark: AtomicU64::new(UNKNOWN),
            unmarked: Notify::new(),
        }
    }

    /// The mark that was heard last.
    pub fn mark(&self) -> u64 {
        self.mark.load(Ordering::Relaxed)
    }

    pub fn set_mark(&self, mark: u64) {
        self.mark.store(mark, Ordering::Relaxed);
    }

    /// What is heard from now on is heard anew: a mark is needed.
    pub fn begin_anew(&self) {
        self.set_mark(UNKNOWN);
        self.unmarked.notify_one();
    }

    /// Whether no mark is known.
    pub fn is_unmarked(&self) -> bool {
        self.mark() == UNKNOWN
    }

    /// Waits until a mark is needed.
    pub async fn unmarked(&self) {
        self.unmarked.notified().await;
    }

    /// Forgets what cannot be told by its name from what another node takes up.
    pub fn forget_unmarked(&self) {
        let mut messages = self.messages.lock();
        messages.retain(|message| message.name.mark != UNKNOWN);
    }

    /// Forgets what was heard before this mark, as far as it is known.
    pub fn forget_before(&self, since: u64) {
        let mut messages = self.messages.lock();
        messages.retain(|Message { name, .. }| name.mark == UNKNOWN || name.mark >= since);
    }

    /// Adds a message. Beyond the limit the one that has waited longest goes, and is returned.
    pub fn push(&self, message: Message) -> Option<Message> {
        let mut messages = self.messages.lock();
        let dropped = match messages.len() >= self.limit {
            true => messages.pop_front(),
            false => None,
        };
        messages.push_back(message);
        drop(messages);
        self.changed.notify_one();
        dropped
    }

    /// Puts messages back that could not be taken up, before the others.
    pub fn put_back(&self, failed: Vec<Message>) {
        let mut messages = self.messages.lock();
        for message in failed.into_iter().rev() {
            messages.push_front(message);
        }
    }

    /// Takes the next messages, once there are some.
    pub async fn take(&self, most: usize) -> Vec<Message> {
        loop {
            let changed = self.changed.notified();
            let taken = self.next(most);
            if !taken.is_empty() {
                return taken;
            }
            changed.await;
        }
    }

    fn next(&self, most: usize) -> Vec<Message> {
        let mut messages = self.messages.lock();
        let count = messages.len().min(most);
        messages.drain(..count).collect()
    }

    /// Forgets what is too old for whoever does not take messages up.
    pub fn forget_older(&self, now: Timestamp) {
        let mut messages = self.messages.lock();
        while messages
            .front()
            .is_some_and(|message| message.heard_at.age(now) > KEPT)
        {
            messages.pop_front();
        }
    }

    /// Leaves out what another node has taken up: each note stands for one message.
    pub fn leave_out(&self, done: &[Done]) {
        let mut counts: HashMap<Done, usize> = HashMap::new();
        for done in done {
            *counts.entry(*done).or_default() += 1;
        }
        let mut take = |done: Done| match counts.get_mut(&done) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        };
        self.messages.lock().retain(|message| {
            let Done { mark, digest } = message.name;
            // The node that took it up may not have known the mark, or we do not.
            let unmarked = Done {
                mark: UNKNOWN,
                digest,
            };
            if take(message.name) || take(unmarked) {
                return false;
            }
            let heard_at = message.heard_at.minus(SKEW).as_ms();
            let is_late = |other: &&Done| i64::try_from(other.mark).unwrap_or(0) >= heard_at;
            let same = done.iter().filter(|other| other.digest == digest);
            mark != UNKNOWN || !same.filter(is_late).any(|other| take(*other))
        });
    }
}

/// Counts what became of a message.
pub(super) fn count(source: &Source, outcome: &'static str) {
    counter!(metric::BRIDGE, "channel" => source.clone(), "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Room;

    fn done(mark: u64, digest: u64) -> Done {
        Done { mark, digest }
    }

    fn message(mark: u64, digest: u64, heard_at: i64) -> Message {
        Message {
            name: done(mark, digest),
            heard_at: Timestamp::from_ms(heard_at),
            action: Action::Emit {
                room: Room::named("r"),
                event: "e".into(),
                args: Vec::new(),
            },
            key: None,
            source: "orders".into(),
        }
    }

    async fn left(queue: &Queue) -> Vec<u64> {
        let taken = queue.take(100).await;
        taken.iter().map(|message| message.name.digest).collect()
    }

    #[tokio::test]
    async fn who_takes_over_goes_on_after_what_was_taken_up_however_late_it_was_heard() {
        let queue = Queue::new(10);
        for (mark, digest) in [(5_000, 1), (5_000, 2), (6_000, 1), (6_000, 3)] {
            queue.push(message(mark, digest, 90_000));
        }
        // The first of these was another one, before any that is kept.
        queue.leave_out(&[done(3_000, 3), done(5_000, 1), done(5_000, 2)]);
        assert_eq!(left(&queue).await, [1, 3]);
    }

    #[tokio::test]
    async fn what_came_before_redis_lost_its_notes_or_has_no_name_is_left_to_others() {
        let queue = Queue::new(10);
        for (mark, digest) in [(5_000, 1), (UNKNOWN, 2), (6_000, 3), (6_000, 4)] {
            queue.push(message(mark, digest, 7_000));
        }
        queue.forget_before(6_000);
        queue.forget_unmarked();
        assert_eq!(left(&queue).await, [3, 4]);
    }

    #[tokio::test]
    async fn where_no_mark_was_heard_a_note_of_about_then_stands_for_a_message() {
        let queue = Queue::new(10);
        for (mark, digest) in [(UNKNOWN, 1), (UNKNOWN, 2), (8_000, 3)] {
            queue.push(message(mark, digest, 8_000));
        }
        queue.leave_out(&[done(7_500, 1), done(3_000, 2), done(UNKNOWN, 3)]);
        assert_eq!(left(&queue).await, [2]);
    }

    #[tokio::test]
    async fn what_is_beyond_the_limit_or_too_old_is_forgotten() {
        let queue = Queue::new(2);
        (1..=3).for_each(|digest| drop(queue.push(message(1, digest, 1_000))));
        queue.put_back(vec![message(1, 9, 0)]);
        queue.forget_older(Timestamp::from_ms(10_500));
        assert_eq!(left(&queue).await, [2, 3]);
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let note = done(1_764_000_000_123, 0xABCD);
        assert_eq!(Done::from_text(&note.to_text()), Some(note));
        assert_eq!(Done::from_text("x"), None);
    }
}
