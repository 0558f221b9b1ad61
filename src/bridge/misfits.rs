//! Messages that do not fit: counted, and logged once in a while.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::queue::{Source, count};

/// How often what does not fit is logged, of one channel.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// When each channel was last complained of.
#[derive(Default)]
pub(super) struct Misfits(Mutex<HashMap<Source, Instant>>);

impl Misfits {
    /// A message of this channel does not fit.
    pub fn note(&self, source: &Source, reason: &str) {
        count(source, "invalid");
        let now = Instant::now();
        let mut logged = self.0.lock();
        let is_due = |at: &Instant| now.duration_since(*at) > LOG_INTERVAL;
        if logged.get(source).is_none_or(is_due) {
            logged.insert(source.clone(), now);
            drop(logged);
            tracing::warn!(channel = &**source, reason, "a message does not fit");
        }
    }
}
