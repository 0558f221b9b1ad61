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

/// The values that were sent, by what they are the value of.
pub(super) struct Newest {
    now: HashMap<u64, Sent>,
    before: HashMap<u64, Sent>,
    since: Instant,
    /// What was said last.
    said: HashMap<u64, u8>,
}

/// A value that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    number: u64,
    /// To its room, not only to some that asked.
    to_room: bool,
}

/// What is to become of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// A newer one was sent.
    Old,
    /// Its room was sent it before.
    Repeated,
    /// Its room has not been sent it yet.
    New,
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

    /// Notes that a value is sent, unless a newer one was. `to_room`: to all whom it is for, not to one.
    pub fn accept(&mut self, of: u64, number: u64, to_room: bool) -> Age {
        if self.since.elapsed() > REMEMBERED || self.now.len() >= MAX_VALUES {
            self.before = std::mem::take(&mut self.now);
            self.since = Instant::now();
        }
        let known = self.now.get(&of).or_else(|| self.before.get(&of)).copied();
        if known.is_some_and(|known| known.number > number) {
            return Age::Old;
        }
        let repeated = known.is_some_and(|known| known.number == number && known.to_room);
        let to_room = to_room || repeated;
        self.now.insert(of, Sent { number, to_room });
        if repeated { Age::Repeated } else { Age::New }
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
        assert_eq!(newest.accept(1, 5, true), Age::New);
        assert_eq!(newest.accept(1, 4, true), Age::Old);
        assert_eq!(newest.accept(1, 5, true), Age::Repeated);
        assert_eq!(newest.accept(2, 1, true), Age::New);
        for of in 10..10 + MAX_VALUES as u64 {
            newest.accept(of, 1, true);
        }
        assert_eq!(newest.accept(1, 4, true), Age::Old);
    }

    #[test]
    fn what_one_was_shown_is_new_to_the_room() {
        let mut newest = Newest::default();
        assert_eq!(newest.accept(1, 5, false), Age::New);
        assert_eq!(newest.accept(1, 4, true), Age::Old);
        assert_eq!(newest.accept(1, 5, true), Age::New);
        assert_eq!(newest.accept(1, 5, false), Age::Repeated);
        assert_eq!(newest.accept(1, 5, true), Age::Repeated);
    }
}
