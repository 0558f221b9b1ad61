//! Notes on their way to the store, in their order.

use std::collections::VecDeque;

use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Live;
use crate::{ports::HookNote, telemetry::metric};

/// The most notes that wait for the store; further ones are dropped and counted.
const MAX_WAITING: usize = 20_000;

/// Where notes wait, without holding up what they are about.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<HookNote>>,
    arrived: Notify,
}

impl Queue {
    /// Adds a note; whether there was room. Never waits.
    fn add(&self, note: HookNote) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= MAX_WAITING {
            drop(waiting);
            dropped(1);
            return false;
        }
        waiting.push_back(note);
        drop(waiting);
        self.arrived.notify_one();
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.lock().is_empty()
    }

    /// The first notes, which stay until they are [done](Queue::done).
    pub(super) fn first(&self, most: usize) -> Vec<HookNote> {
        self.waiting.lock().iter().take(most).cloned().collect()
    }

    /// The first so many are noted.
    pub(super) fn done(&self, count: usize) {
        self.waiting.lock().drain(..count);
    }

    /// Ends when a note has come since this last ended.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

impl Live {
    /// Adds a note to those that are to be written. Never waits.
    pub(super) fn add(&self, note: HookNote) {
        if !self.queue.add(note) {
            self.is_missing();
        }
    }
}

/// Counts what was not noted.
pub(super) fn dropped(count: u64) {
    counter!(metric::WEBHOOKS, "event" => "any", "outcome" => "dropped").increment(count);
}
