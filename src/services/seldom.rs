//! Logs of what may happen many times a second, once in a while.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How often it is logged.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// What is counted until it is logged.
#[derive(Default)]
pub(super) struct Seldom(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    times: u64,
    logged_at: Option<Instant>,
}

impl Seldom {
    /// It has happened; how often it has since it was last logged, where it is to be logged now.
    pub(super) fn happened(&self) -> Option<u64> {
        self.happened_times(1)
    }

    /// The same of what has happened so often.
    pub(super) fn happened_times(&self, times: u64) -> Option<u64> {
        let mut counted = self.0.lock();
        counted.times += times;
        let now = Instant::now();
        let is_due = |at: Instant| now.duration_since(at) >= LOG_INTERVAL;
        if !counted.logged_at.is_none_or(is_due) {
            return None;
        }
        counted.logged_at = Some(now);
        Some(std::mem::take(&mut counted.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_minute_passes(seldom: &Seldom) {
        if let Some(at) = &mut seldom.0.lock().logged_at {
            *at -= LOG_INTERVAL;
        }
    }

    #[test]
    fn the_first_is_logged_at_once_and_the_next_with_their_number_a_minute_later() {
        let seldom = Seldom::default();
        assert_eq!(seldom.happened(), Some(1));
        assert_eq!(seldom.happened(), None);
        a_minute_passes(&seldom);
        assert_eq!(seldom.happened_times(3), Some(4));
        assert_eq!(seldom.happened(), None);
    }
}
