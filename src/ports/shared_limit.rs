//! A limit on how often a caller may do something, whichever nodes of a cluster it calls.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parking_lot::Mutex;

/// How often a second nodes tell each other what callers have used up.
pub const TOLD_PER_SECOND: u32 = 4;

/// A caller who uses less than this part of its limit on a node is not worth telling of.
const PART: u32 = 20;

/// The most callers who owe; beyond it all are forgiven.
const MAX_OWING: usize = 100_000;

/// A limit that each node holds by itself, and that callers use up on other nodes, too.
pub trait SharedLimit: Send + Sync + 'static {
    /// What callers have used up on this node since it was last asked, by their names.
    fn take_spent(&self) -> Vec<(String, u32)>;

    /// A caller has used up so much on another node.
    fn spend(&self, caller: &str, count: u32);
}

/// Counts what callers use up, for other nodes. While there are none nothing is counted.
#[derive(Debug)]
pub struct Spent<K> {
    per_second: u32,
    threshold: u32,
    is_told: AtomicBool,
    counts: Mutex<HashMap<K, u32>>,
    /// What callers have used up elsewhere, beyond what they had left here.
    owed: Mutex<HashMap<K, u32>>,
}

impl<K: Hash + Eq + Clone> Spent<K> {
    /// `per_second`: the limit.
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            threshold: (per_second / PART / TOLD_PER_SECOND).max(1),
            is_told: AtomicBool::new(false),
            counts: Mutex::default(),
            owed: Mutex::default(),
        }
    }

    /// A caller owes so much, at most a second's worth in all.
    pub fn owe(&self, caller: K, count: u32) {
        if count > 0 {
            let mut owed = self.owed.lock();
            if owed.len() >= MAX_OWING {
                owed.clear();
            }
            let all = owed.entry(caller).or_default();
            *all = (*all + count).min(self.per_second);
        }
    }

    /// Whether what the caller has just got goes to pay what it owes; then it has to wait for the
    /// next, that long.
    pub fn pays(&self, caller: &K) -> Option<Duration> {
        if !self.is_told.load(Ordering::Relaxed) {
            return None;
        }
        let mut owed = self.owed.lock();
        let all = owed.get_mut(caller)?;
        *all -= 1;
        if *all == 0 {
            owed.remove(caller);
        }
        Some(Duration::from_secs(1) / self.per_second.max(1))
    }

    /// Counts one.
    pub fn note(&self, caller: &K) {
        if self.is_told.load(Ordering::Relaxed) {
            let mut counts = self.counts.lock();
            match counts.get_mut(caller) {
                Some(count) => *count += 1,
                None => drop(counts.insert(caller.clone(), 1)),
            }
        }
    }

    /// What was counted, of callers who are worth telling of; from the first call on it is counted.
    pub fn take(&self) -> impl Iterator<Item = (K, u32)> + use<K> {
        self.is_told.store(true, Ordering::Relaxed);
        let threshold = self.threshold;
        let counts = std::mem::take(&mut *self.counts.lock());
        counts
            .into_iter()
            .filter(move |(_, count)| *count >= threshold)
    }
}
