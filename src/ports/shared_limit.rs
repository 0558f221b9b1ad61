//! A limit on how often a caller may do something, whichever nodes of a cluster it calls.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;

/// How often a second nodes tell each other what callers have used up.
pub const TOLD_PER_SECOND: u32 = 4;

/// A caller who uses less than this part of its limit on a node is not worth telling of.
const PART: u32 = 20;

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
    threshold: u32,
    is_told: AtomicBool,
    counts: Mutex<HashMap<K, u32>>,
}

impl<K: Hash + Eq + Clone> Spent<K> {
    /// `per_second`: the limit.
    pub fn new(per_second: u32) -> Self {
        Self {
            threshold: (per_second / PART / TOLD_PER_SECOND).max(1),
            is_told: AtomicBool::new(false),
            counts: Mutex::default(),
        }
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
