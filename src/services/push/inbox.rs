//! Entries on their way from live delivery to the planner.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::{Entry, is_pushed};

/// The most entries that wait here; what comes beyond is read from the store.
const MAX_WAITING: usize = 1_024;

/// Where live delivery leaves entries, without ever waiting.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

/// What has come since it was last asked for.
#[derive(Default)]
pub(super) struct Waiting {
    /// Entries that are for one user, in the order of their positions.
    pub(super) entries: Vec<Arc<Entry>>,
    /// Whether there were too many, so that some are missing.
    pub(super) overflowed: bool,
    /// The newest entry's position, whomever it is for; 0 when there was none.
    pub(super) position: u64,
}

impl Inbox {
    pub(super) fn offer(&self, entry: &Arc<Entry>) {
        let mut waiting = self.waiting.lock();
        waiting.position = entry.position;
        if !is_pushed(&entry.feed) {
            return;
        }
        if waiting.entries.len() < MAX_WAITING {
            waiting.entries.push(entry.clone());
        } else {
            waiting.overflowed = true;
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    pub(super) fn take(&self) -> Waiting {
        std::mem::take(&mut self.waiting.lock())
    }

    /// Ends when an entry for one user has come since this last ended.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}
