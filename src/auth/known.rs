//! Tokens of callers that have been verified: who posts often shows the same one each time, and to
//! verify it costs more than most of what they ask for.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::domain::User;

/// How many are known at most, in two halves: when the newer one is full it becomes the older one,
/// which is forgotten. Who calls between is in the newer one again.
const MAX_HALF: usize = 1_024;

/// Longer tokens are verified each time, in bytes.
const MAX_TOKEN: usize = 2_048;

/// Whom verified tokens stand for. Whether a token has expired or been revoked since is for the
/// caller to check.
#[derive(Default)]
pub struct Known(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    /// The keys that verified them.
    keys: u64,
    newer: HashMap<Box<str>, Arc<User>>,
    older: HashMap<Box<str>, Arc<User>>,
}

impl Known {
    /// Whom the token stands for, if these keys have verified it. `keys` is another number whenever
    /// the keys may be others.
    pub fn find(&self, token: &str, keys: u64) -> Option<Arc<User>> {
        let mut halves = self.0.lock();
        if halves.keys != keys {
            return None;
        }
        if let Some(user) = halves.newer.get(token) {
            return Some(user.clone());
        }
        let (token, user) = halves.older.remove_entry(token)?;
        halves.add(token, user.clone());
        Some(user)
    }

    /// These keys have verified it.
    pub fn add(&self, token: &str, keys: u64, user: Arc<User>) {
        if token.len() > MAX_TOKEN {
            return;
        }
        let mut halves = self.0.lock();
        if halves.keys != keys {
            *halves = Halves {
                keys,
                ..Halves::default()
            };
        }
        halves.add(token.into(), user);
    }
}

impl Halves {
    fn add(&mut self, token: Box<str>, user: Arc<User>) {
        if self.newer.len() >= MAX_HALF {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(token, user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RoomPatterns, Token, UserId};

    fn user(id: &str) -> Arc<User> {
        Arc::new(User {
            id: UserId::new(id).unwrap(),
            name: id.into(),
            rooms: RoomPatterns::default(),
            roles: Vec::new(),
            token: Token::default(),
        })
    }

    fn is_known(known: &Known, token: &str, keys: u64) -> bool {
        known.find(token, keys).is_some()
    }

    #[test]
    fn a_token_is_known_to_the_keys_that_verified_it() {
        let known = Known::default();
        known.add("alice's", 1, user("alice"));
        assert_eq!(known.find("alice's", 1).unwrap().id.as_str(), "alice");
        assert!(!is_known(&known, "bob's", 1));
        assert!(!is_known(&known, "alice's", 2));
        known.add("bob's", 2, user("bob"));
        assert!(!is_known(&known, "alice's", 1));
        assert!(!is_known(&known, "alice's", 2));
    }

    #[test]
    fn who_has_not_called_for_long_is_forgotten() {
        let known = Known::default();
        known.add("often", 0, user("alice"));
        known.add("once", 0, user("bob"));
        for number in 0..3 * MAX_HALF {
            known.add(&number.to_string(), 0, user("carol"));
            assert!(is_known(&known, "often", 0), "{number}");
        }
        assert!(!is_known(&known, "once", 0));
        let halves = known.0.lock();
        assert!(halves.newer.len() <= MAX_HALF && halves.older.len() <= MAX_HALF);
    }

    #[test]
    fn a_token_that_is_too_long_is_not_kept() {
        let known = Known::default();
        let long = "x".repeat(MAX_TOKEN + 1);
        known.add(&long, 0, user("alice"));
        assert!(!is_known(&known, &long, 0));
    }
}
