//! One change at a time for each key.

use std::hash::{BuildHasher, Hash, RandomState};

use tokio::sync::{Mutex, MutexGuard};

/// How many locks there are; keys share them by their hash.
const LOCKS: usize = 256;

/// Locks by key, for what is stored and told in one step: whoever hears of two changes hears of
/// them in the order in which they were stored. A task holds one of them at most.
pub struct KeyedLocks {
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for KeyedLocks {
    fn default() -> Self {
        Self {
            locks: (0..LOCKS).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl KeyedLocks {
    /// Waits until nobody else holds the key.
    pub async fn lock(&self, key: &(impl Hash + ?Sized)) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one(key) % LOCKS as u64;
        self.locks[usize::try_from(hash).unwrap_or(0)].lock().await
    }
}
