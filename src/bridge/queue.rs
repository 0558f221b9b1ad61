//! Messages that were heard: those that wait, or, on a node that does not take them up, those of
//! late.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::message::Action;
use crate::{domain::Timestamp, telemetry::metric};

/// For how long a node that does not take messages up keeps them.
pub(super) const KEPT: Duration = Duration::from_secs(10);

/// How far the clocks of two nodes may be apart.
const SKEW: Duration = Duration::from_secs(1);

/// A message that was heard.
#[derive(Debug)]
pub(super) struct Message {
    /// What it is known by on every node.
    pub digest: u64,
    pub heard_at: Timestamp,
    pub action: Action,
    /// Which rule or channel it came by.
    pub source: &'static str,
}

/// A message that was taken up, as nodes note it for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub at: Timestamp,
    pub digest: u64,
}

impl Done {
    pub fn to_text(self) -> String {
        format!("{}:{:016x}", self.at.as_ms(), self.digest)
    }

    pub fn from_text(text: &str) -> Option<Self> {
        let (at, digest) = text.split_once(':')?;
        Some(Self {
            at: Timestamp::from_ms(at.parse().ok()?),
            digest: u64::from_str_radix(digest, 16).ok()?,
        })
    }
}

/// Messages in the order in which they were heard.
pub(super) struct Queue {
    limit: usize,
    messages: Mutex<VecDeque<Message>>,
    changed: Notify,
}

impl Queue {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            messages: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Adds a message. Beyond the limit the one that has waited longest goes.
    pub fn push(&self, message: Message) {
        let mut messages = self.messages.lock();
        if messages.len() >= self.limit
            && let Some(dropped) = messages.pop_front()
        {
            count(dropped.source, "dropped");
        }
        messages.push_back(message);
        drop(messages);
        self.changed.notify_one();
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
        let mut messages = self.messages.lock();
        let Some(first) = messages.front() else {
            return;
        };
        let since = first.heard_at.minus(SKEW);
        let mut counts: HashMap<u64, usize> = HashMap::new();
        for done in done.iter().filter(|done| done.at >= since) {
            *counts.entry(done.digest).or_default() += 1;
        }
        messages.retain(|message| match counts.get_mut(&message.digest) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
    }
}

/// Counts what became of a message.
pub(super) fn count(source: &'static str, outcome: &'static str) {
    counter!(metric::BRIDGE, "channel" => source, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Room;

    fn message(digest: u64, heard_at: i64) -> Message {
        Message {
            digest,
            heard_at: Timestamp::from_ms(heard_at),
            action: Action::Emit {
                room: Room::named("r"),
                event: "e".into(),
                args: Vec::new(),
            },
            source: "orders",
        }
    }

    fn done(at: i64, digest: u64) -> Done {
        let at = Timestamp::from_ms(at);
        Done { at, digest }
    }

    async fn left(queue: &Queue) -> Vec<u64> {
        let taken = queue.take(100).await;
        taken.iter().map(|message| message.digest).collect()
    }

    #[tokio::test]
    async fn who_takes_over_goes_on_after_what_was_taken_up() {
        let queue = Queue::new(10);
        for (digest, at) in [(1, 5_000), (2, 5_001), (1, 5_002), (3, 5_003)] {
            queue.push(message(digest, at));
        }
        // The first of these was another one, before any that is kept.
        queue.leave_out(&[done(3_000, 3), done(5_001, 1), done(5_002, 2)]);
        assert_eq!(left(&queue).await, [1, 3]);
    }

    #[tokio::test]
    async fn what_is_beyond_the_limit_or_too_old_is_forgotten() {
        let queue = Queue::new(2);
        (1..=3).for_each(|digest| queue.push(message(digest, 1_000)));
        queue.put_back(vec![message(9, 0)]);
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
