//! Seeing what sockets do.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use tokio::sync::mpsc;

use super::{PATH, lost};
use crate::realtime::namespace::{Observer, Seen};

/// The most events a second that are told; of the others administrators see nothing.
const MAX_EVENTS_PER_SECOND: u64 = 500;

/// Sees what sockets do, for all administrators.
pub(super) struct Eye {
    seen: mpsc::Sender<Seen>,
    /// The second, and how many events there were in it.
    events: [AtomicU64; 2],
    began: Instant,
}

impl Eye {
    pub fn new(seen: mpsc::Sender<Seen>) -> Self {
        Self {
            seen,
            events: Default::default(),
            began: Instant::now(),
        }
    }

    /// Whether one more event may be told in this second.
    fn has_room(&self) -> bool {
        let [second, count] = &self.events;
        let now = self.began.elapsed().as_secs();
        if second.swap(now, Ordering::Relaxed) != now {
            count.store(0, Ordering::Relaxed);
        }
        count.fetch_add(1, Ordering::Relaxed) < MAX_EVENTS_PER_SECOND
    }
}

impl Observer for Eye {
    fn see(&self, seen: Seen) {
        if seen.is_event() && !self.has_room() {
            return lost("rate");
        }
        if self.seen.try_send(seen).is_err() {
            lost("full");
        }
    }

    fn looks_at_events(&self, path: &str) -> bool {
        // What administrators do would make more to be told.
        path != PATH
    }
}
