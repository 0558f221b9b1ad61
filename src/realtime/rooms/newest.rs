//! Which value of a latest one was sent last. Nodes tell of values side by side: an older one may
//! come after a newer one, and is not sent then.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// For at least so long a value's number is remembered; no two nodes are further apart.
const REMEMBERED: Duration = Duration::from_secs(30);

/// The most values that are remembered in that time, twice.
const MAX_VALUES: usize = 100_000;

/// The numbers of the values that were sent, by what they are the value of.
pub(super) struct Newest {
    now: HashMap<u64, u64>,
    before: HashMap<u64, u64>,
    since: Instant,
}

impl Default for Newest {
    fn default() -> Self {
        Self {
            now: HashMap::new(),
            before: HashMap::new(),
            since: Instant::now(),
        }
    }
}

impl Newest {
    /// Whether no newer value was sent; then this one is the newest. The same again is sent again.
    pub fn accept(&mut self, of: u64, number: u64) -> bool {
        if self.since.elapsed() > REMEMBERED || self.now.len() >= MAX_VALUES {
            self.before = std::mem::take(&mut self.now);
            self.since = Instant::now();
        }
        let known = self.now.get(&of).or_else(|| self.before.get(&of));
        let is_newest = known.is_none_or(|known| *known <= number);
        if is_newest {
            self.now.insert(of, number);
        }
        is_newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_older_than_one_that_was_sent_is_not_sent() {
        let mut newest = Newest::default();
        assert!(newest.accept(1, 5));
        assert!(!newest.accept(1, 4));
        assert!(newest.accept(1, 5));
        assert!(newest.accept(2, 1));
        for of in 10..10 + MAX_VALUES as u64 {
            newest.accept(of, 1);
        }
        assert!(!newest.accept(1, 4));
    }
}
