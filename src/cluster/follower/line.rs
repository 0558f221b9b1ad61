//! Entries that have come and are not delivered.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use tokio::sync::oneshot;

use super::Reading;
use crate::{
    domain::Entry,
    ports::{Appended, StoreResult},
};

/// What has come and is not delivered.
pub(super) struct Line {
    /// The position of the entry that was delivered last.
    pub cursor: u64,
    pub waiting: BTreeMap<u64, Waiting>,
    /// Since when an entry that is due has not come.
    pub gap_since: Option<Instant>,
    pub reading: Option<Reading>,
    /// When the store is looked at next, whatever happens.
    pub look_at: Instant,
}

pub(super) struct Waiting {
    pub entry: Arc<Entry>,
    pub is_own: bool,
    /// Of an entry of our own: whoever waits for it.
    pub done: Option<oneshot::Sender<StoreResult<Appended>>>,
}

impl Waiting {
    /// An entry that this node has committed, and whoever waits for it.
    pub fn own(entry: Arc<Entry>, done: oneshot::Sender<StoreResult<Appended>>) -> Self {
        let (is_own, done) = (true, Some(done));
        Self {
            entry,
            is_own,
            done,
        }
    }

    /// An entry that another node has committed.
    pub fn of_others(entry: Arc<Entry>) -> Self {
        let (is_own, done) = (false, None);
        Self {
            entry,
            is_own,
            done,
        }
    }

    /// Tells whoever waits for it that it is delivered, or will be.
    pub fn answer(mut self) {
        self.tell();
    }

    fn tell(&mut self) {
        if let Some(done) = self.done.take() {
            let appended = Appended {
                entry: self.entry.clone(),
                duplicate: false,
            };
            // A sender that no longer waits has nobody to tell.
            let _ = done.send(Ok(appended));
        }
    }
}

impl Line {
    /// Ends the wait of everybody whose entry is stored.
    pub fn answer_all(&mut self) {
        self.waiting.values_mut().for_each(Waiting::tell);
    }
}
