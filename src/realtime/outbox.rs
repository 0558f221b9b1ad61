//! What waits to be written to one client, and what gives way when it reads too slowly.

use std::collections::{HashMap, VecDeque};

use super::{
    budget::Budget,
    wire::{Frame, Packet},
};
use crate::domain::FeedId;

/// How a packet may be treated when its reader is slow.
#[derive(Clone, Copy, Debug)]
pub enum Treatment<'a> {
    /// It must go out: nothing else can replace it.
    Must,
    /// It must go out, and the client has asked for it: may take as much again.
    Answer,
    /// Dropped under pressure.
    Passing,
    /// Kept back under pressure, and read from the log of what can be recovered.
    Logged,
    /// Replaces a waiting packet of the same key.
    Latest(u64),
    /// Kept back under pressure, and read from its feed later.
    Entry {
        /// The feed.
        feed: &'a FeedId,
        /// Its place in it.
        seq: u64,
    },
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits to be written.
    Queued,
    /// It was dropped.
    Dropped,
    /// It stays in its feed until the reader has caught up.
    KeptBack,
    /// The budget is used up.
    OverBudget,
}

/// The entries of one feed that are kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The first one that the client has not been sent.
    pub next: u64,
    /// The newest one.
    pub newest: u64,
}

/// A queue of packets.
#[derive(Default)]
pub struct Outbox {
    queue: VecDeque<Packet>,
    /// Bytes of the first packet that have been written.
    written: usize,
    bytes: usize,
    /// The number of the first packet, counted from the connection's beginning.
    first: u64,
    /// Only while the reader is slow.
    slow: Option<Box<Slow>>,
}

#[derive(Default)]
struct Slow {
    /// The waiting packet of each key, by its number.
    latest: HashMap<u64, u64>,
    behind: HashMap<FeedId, Behind>,
}

impl Outbox {
    /// Adds a packet, if the budget lets it. `slow`: the client does not take what waits, so what
    /// a newer value replaces is worth knowing.
    pub fn push(
        &mut self,
        packet: &Packet,
        treatment: Treatment<'_>,
        budget: Budget,
        slow: bool,
    ) -> Pushed {
        let pressed = self.bytes + packet.size() > budget.pressure() && !self.queue.is_empty();
        match treatment {
            Treatment::Passing if pressed => return Pushed::Dropped,
            Treatment::Logged if pressed => return Pushed::KeptBack,
            Treatment::Latest(key) if slow => {
                if self.replace(key, packet) {
                    return Pushed::Queued;
                }
                let number = self.first + self.queue.len() as u64;
                let slow = self.slow.get_or_insert_default();
                slow.latest.insert(key, number);
            }
            Treatment::Entry { feed, seq } if pressed || self.is_behind(feed) => {
                self.keep_back(feed, seq);
                return Pushed::KeptBack;
            }
            Treatment::Must
            | Treatment::Answer
            | Treatment::Passing
            | Treatment::Logged
            | Treatment::Latest(_)
            | Treatment::Entry { .. } => {}
        }
        // What waits may be within the budget and the packet alone beyond it.
        let limit = match treatment {
            Treatment::Answer => budget.answers(),
            _ => budget.bytes,
        };
        if self.bytes() >= limit {
            return Pushed::OverBudget;
        }
        self.bytes += packet.size();
        self.queue.push_back(packet.clone());
        Pushed::Queued
    }

    /// Puts a newer value where the older one waits, unless that is being written.
    fn replace(&mut self, key: u64, packet: &Packet) -> bool {
        let number = self.slow.as_ref().and_then(|slow| slow.latest.get(&key));
        let Some(number) = number else {
            return false;
        };
        let Some(index) = number.checked_sub(self.first) else {
            return false;
        };
        if index == 0 && self.written > 0 {
            return false;
        }
        let Some(older) = usize::try_from(index)
            .ok()
            .and_then(|index| self.queue.get_mut(index))
        else {
            return false;
        };
        self.bytes = self.bytes - older.size() + packet.size();
        *older = packet.clone();
        true
    }

    fn is_behind(&self, feed: &FeedId) -> bool {
        self.next_behind(feed).is_some()
    }

    fn keep_back(&mut self, feed: &FeedId, seq: u64) {
        let behind = &mut self.slow.get_or_insert_default().behind;
        match behind.get_mut(feed) {
            Some(feed) => feed.newest = feed.newest.max(seq),
            None => {
                let (next, newest) = (seq, seq);
                behind.insert(feed.clone(), Behind { next, newest });
            }
        }
    }

    /// A feed of which entries are kept back.
    pub fn any_behind(&self) -> Option<(FeedId, Behind)> {
        let (feed, behind) = self.slow.as_ref()?.behind.iter().next()?;
        Some((feed.clone(), *behind))
    }

    /// The first entry of the feed that is kept back.
    pub fn next_behind(&self, feed: &FeedId) -> Option<u64> {
        let slow = self.slow.as_ref()?;
        Some(slow.behind.get(feed)?.next)
    }

    /// The feed's entries up to this one have been queued or are not for this client; with the
    /// newest of them the feed goes on live.
    pub fn caught_up(&mut self, feed: &FeedId, seq: u64) {
        let slow = self.slow.as_mut();
        if let Some(at) = slow.and_then(|slow| slow.behind.get_mut(feed)) {
            at.next = seq + 1;
            if at.next > at.newest {
                self.forget(feed);
            }
        }
    }

    /// The client no longer follows the feed.
    pub fn forget(&mut self, feed: &FeedId) {
        if let Some(slow) = &mut self.slow {
            slow.behind.remove(feed);
        }
    }

    /// The client follows no feed any more.
    pub fn forget_all(&mut self) {
        if let Some(slow) = &mut self.slow {
            slow.behind.clear();
        }
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes - self.written
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the first packet has been written in part.
    pub fn is_in_the_middle(&self) -> bool {
        self.written > 0
    }

    /// What is to be written next: a packet as it is, or small ones together, put into `room`. To copy
    /// them takes less than to tell the system where each of them is.
    pub fn next_bytes<'a>(&'a self, room: &'a mut Vec<u8>) -> &'a [u8] {
        let mut packets = self.queue.iter();
        let first = packets.next();
        let first = first.map_or(&[][..], |packet| packet.from_byte(self.written));
        let mut bytes = first.len();
        let together = packets.take_while(|packet| {
            bytes += packet.size();
            bytes <= MAX_TOGETHER
        });
        room.clear();
        for packet in together {
            if room.is_empty() {
                room.extend_from_slice(first);
            }
            room.extend_from_slice(packet.from_byte(0));
        }
        if room.is_empty() { first } else { room }
    }

    /// The next frame for a polling answer.
    pub fn next_frame(&self) -> Option<Frame<'_>> {
        self.queue.front()?.frames(self.written).next()
    }

    /// The first packet has been sent up to this byte.
    pub fn advance_to(&mut self, end: usize) {
        self.advance(end - self.written);
    }

    /// So many bytes have been written.
    pub fn advance(&mut self, mut bytes: usize) {
        while bytes > 0 {
            let Some(first) = self.queue.front() else {
                return;
            };
            let left = first.size() - self.written;
            if bytes < left {
                self.written += bytes;
                return;
            }
            bytes -= left;
            self.bytes -= first.size();
            self.written = 0;
            self.first += 1;
            self.queue.pop_front();
        }
        if self.queue.is_empty() {
            self.rest();
        }
    }

    /// Gives back what a burst needed.
    fn rest(&mut self) {
        if self
            .slow
            .as_ref()
            .is_some_and(|slow| slow.behind.is_empty())
        {
            self.slow = None;
        }
        self.queue.shrink_to(KEPT_CAPACITY);
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The most bytes of packets that are put together for one write.
const MAX_TOGETHER: usize = 64 * 1024;

/// How many places an idle queue keeps.
const KEPT_CAPACITY: usize = 4;

#[cfg(test)]
#[path = "outbox/tests.rs"]
mod tests;
