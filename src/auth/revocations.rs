//! What has been revoked, in memory: every token is held against it.

use std::{collections::HashMap, time::Duration};

use parking_lot::RwLock;

use crate::{
    domain::{Timestamp, User, UserId},
    ports::Revocation,
};

/// How often revocations of tokens that have expired since are dropped.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);

/// When a revocation need not be kept any longer, if ever.
type Until = Option<Timestamp>;

/// The revocations that have not expired.
pub struct Revocations(RwLock<Revoked>);

#[derive(Default)]
struct Revoked {
    token_ids: HashMap<String, Until>,
    token_digests: HashMap<String, Until>,
    /// By user, the latest time up to which tokens issued to them are refused.
    users: HashMap<UserId, (Timestamp, Until)>,
    purged_at: Option<Timestamp>,
}

impl Revocations {
    /// From what was stored; how long these are needed is the store's knowledge, so they are
    /// kept while the process lives.
    pub fn new(stored: Vec<Revocation>) -> Self {
        let mut revoked = Revoked::default();
        for revocation in stored {
            revoked.add(revocation, None);
        }
        Self(RwLock::new(revoked))
    }

    /// Applies a revocation, which may be dropped after `until`.
    pub fn add(&self, revocation: Revocation, until: Until, now: Timestamp) {
        let mut revoked = self.0.write();
        revoked.purge(now);
        revoked.add(revocation, until);
    }

    /// Whether one of them concerns the user or their token.
    pub fn cover(&self, user: &User) -> bool {
        let revoked = self.0.read();
        let token = &user.token;
        let named = token
            .id
            .as_ref()
            .is_some_and(|id| revoked.token_ids.contains_key(id));
        let issued_before = |at: Timestamp| token.issued_at.is_none_or(|issued| issued <= at);
        named
            || revoked.token_digests.contains_key(&token.digest)
            || revoked
                .users
                .get(&user.id)
                .is_some_and(|(at, _)| issued_before(*at))
    }
}

impl Revoked {
    fn add(&mut self, revocation: Revocation, until: Until) {
        match revocation {
            Revocation::TokenId(id) => {
                let kept = self.token_ids.entry(id).or_insert(until);
                *kept = longer(*kept, until);
            }
            Revocation::TokenDigest(digest) => {
                let kept = self.token_digests.entry(digest).or_insert(until);
                *kept = longer(*kept, until);
            }
            Revocation::User(user, at) => {
                let kept = self.users.entry(user).or_insert((at, until));
                *kept = (kept.0.max(at), longer(kept.1, until));
            }
        }
    }

    fn purge(&mut self, now: Timestamp) {
        let recent = |at: Timestamp| at.age(now) < PURGE_INTERVAL;
        if self.purged_at.is_some_and(recent) {
            return;
        }
        let needed = |until: Until| until.is_none_or(|until| until > now);
        self.token_ids.retain(|_, until| needed(*until));
        self.token_digests.retain(|_, until| needed(*until));
        self.users.retain(|_, (_, until)| needed(*until));
        self.purged_at = Some(now);
    }
}

fn longer(one: Until, other: Until) -> Until {
    one.zip(other).map(|(one, other)| one.max(other))
}
