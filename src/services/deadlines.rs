//! Keys that lapse after a time unless they are renewed.

use std::{
    collections::HashMap,
    future::poll_fn,
    hash::Hash,
    task::{Context, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::time::{DelayQueue, delay_queue};

use crate::sparse::{self, is_sparse};

/// A set of keys, each with a value and a time to live. One task waits on [`Deadlines::next`];
/// every other caller only locks for a moment.
pub struct Deadlines<K, V> {
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    queue: DelayQueue<K>,
    live: HashMap<K, Live<V>>,
}

struct Live<V> {
    handle: delay_queue::Key,
    /// When the queue hands it out. A key that was renewed goes back into the queue then, so that
    /// renewing it wakes nobody.
    queued_until: Instant,
    until: Instant,
    value: V,
}

impl<K: Hash + Eq + Clone, V> Deadlines<K, V> {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                queue: DelayQueue::new(),
                live: HashMap::new(),
            }),
        }
    }

    /// Starts or renews a key and returns the value it had.
    pub fn set(&self, key: K, value: V, after: Duration) -> Option<V> {
        let until = Instant::now() + after;
        let mut inner = self.inner.lock();
        if let Some(live) = inner.live.get_mut(&key)
            && live.queued_until <= until
        {
            live.until = until;
            return Some(std::mem::replace(&mut live.value, value));
        }
        let earlier = inner.take(&key);
        let live = Live {
            handle: inner.queue.insert_at(key.clone(), until),
            queued_until: until,
            until,
            value,
        };
        inner.live.insert(key, live);
        earlier
    }

    /// Ends a key if its value fits, and returns that value.
    pub fn cancel_if(&self, key: &K, fits: impl FnOnce(&V) -> bool) -> Option<V> {
        let mut inner = self.inner.lock();
        match inner.live.get(key) {
            Some(live) if fits(&live.value) => inner.take(key),
            _ => None,
        }
    }

    /// Ends a key.
    pub fn cancel(&self, key: &K) -> Option<V> {
        self.inner.lock().take(key)
    }

    /// Whether the key has been set and has not lapsed.
    pub fn is_live(&self, key: &K) -> bool {
        self.inner.lock().live.contains_key(key)
    }

    /// Waits for the next key that lapses. Only one task may wait at a time.
    pub async fn next(&self) -> (K, V) {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<(K, V)> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        // An empty queue has kept our waker and wakes it on the next insert.
        while let Poll::Ready(Some(lapsed)) = inner.queue.poll_expired(cx) {
            let key = lapsed.into_inner();
            if let Some(live) = inner.live.get_mut(&key)
                && live.until > live.queued_until
            {
                live.queued_until = live.until;
                live.handle = inner.queue.insert_at(key, live.until);
                continue;
            }
            if let Some(live) = inner.live.remove(&key) {
                inner.shrink();
                return Poll::Ready((key, live.value));
            }
        }
        Poll::Pending
    }
}

impl<K: Hash + Eq, V> Inner<K, V> {
    fn take(&mut self, key: &K) -> Option<V> {
        let live = self.live.remove(key)?;
        self.queue.try_remove(&live.handle);
        self.shrink();
        Some(live.value)
    }

    fn shrink(&mut self) {
        sparse::shrink(&mut self.live);
        if is_sparse(self.queue.len(), self.queue.capacity()) {
            self.queue.compact();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(5);
    /// Longer than a test may take.
    const NEVER: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn a_renewed_key_lapses_later_and_a_cancelled_one_never() {
        let deadlines = Deadlines::new();
        deadlines.set("renewed", 1, SOON);
        deadlines.set("cancelled", 2, SOON);
        deadlines.set("plain", 3, SOON * 2);
        assert_eq!(deadlines.set("renewed", 4, NEVER), Some(1));
        assert_eq!(deadlines.cancel(&"cancelled"), Some(2));
        assert_eq!(deadlines.next().await, ("plain", 3));
        deadlines.set("renewed", 5, NEVER);
        let began = Instant::now();
        deadlines.set("renewed", 6, SOON);
        assert_eq!(deadlines.next().await, ("renewed", 6));
        assert!(began.elapsed() >= SOON);
    }

    #[tokio::test]
    async fn a_key_set_while_somebody_waits_on_an_empty_set_is_seen() {
        let deadlines = std::sync::Arc::new(Deadlines::new());
        let waiting = tokio::spawn({
            let deadlines = deadlines.clone();
            async move { deadlines.next().await }
        });
        tokio::task::yield_now().await;
        deadlines.set("late", (), SOON);
        assert_eq!(waiting.await.unwrap(), ("late", ()));
    }
}
