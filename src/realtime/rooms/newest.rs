//! Which value of a latest one was sent last. Nodes tell of values side by side: an older one may
//! come after a newer one, and is not sent then.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::ports::Says;

/// For at least so long a value's number is remembered; no two nodes are further apart.
const REMEMBERED: Duration = Duration::from_secs(30);

/// The most values that are remembered in that time, twice.
const MAX_VALUES: usize = 100_000;

/// The numbers of the values that were sent, by what they are the value of.
pub(super) struct Newest {
    now: HashMap<u64, u64>,
    before: HashMap<u64, u64>,
    since: Instant,
    /// What was said last.
    said: HashMap<u64, u8>,
}

impl Default for Newest {
    fn default() -> Self {
        Self {
            now: HashMap::new(),
            before: HashMap::new(),
            since: Instant::now(),
            said: HashMap::new(),
        }
    }
}

/// The most values of which it is remembered what they said.
const MAX_SAID: usize = 1_000_000;

impl Newest {
    /// Whether the value is to be told.
    pub fn is_told(&mut self, of: u64, says: Says) -> bool {
        if self.said.len() >= MAX_SAID {
            self.said.clear();
        }
        let before = self.said.insert(of, says.value);
        !says.only_news || before != Some(says.value)
    }

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
    fn what_was_said_last_is_no_news() {
        let mut newest = Newest::default();
        let says = |value, only_news| Says { value, only_news };
        assert!(newest.is_told(1, says(0, true)));
        assert!(!newest.is_told(1, says(0, true)));
        assert!(newest.is_told(1, says(0, false)));
        assert!(newest.is_told(1, says(2, true)));
    }

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
