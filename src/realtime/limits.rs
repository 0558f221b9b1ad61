//! How many connections, and how many events a second.

mod events;

pub use events::{EventBucket, EventLimits, Exceeded, drain};

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::{
    config,
    domain::UserId,
    error::{Code, Error, Result},
    ports::{Places, Taken, Whose},
    sparse, telemetry,
};

/// How many connections that are over a limit are held at a time, to be told so; more are refused
/// with their first request.
const REFUSED_AT_ONCE: usize = 1_000;

/// Counts by key, up to a limit; 0 means no limit.
struct Counts<K> {
    limit: usize,
    taken: Mutex<HashMap<K, usize>>,
}

/// A counted place; dropping it gives it back.
struct Place<K: Hash + Eq> {
    counts: Arc<Counts<K>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Counts<K> {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            taken: Mutex::default(),
        })
    }

    fn take(self: &Arc<Self>, key: &K) -> Option<Place<K>> {
        let mut taken = self.taken.lock();
        let count = taken.entry(key.clone()).or_default();
        if self.limit > 0 && *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Place {
            counts: self.clone(),
            key: key.clone(),
        })
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.counts.taken.lock();
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
                sparse::shrink(&mut taken);
            }
        }
    }
}

/// Counts connections in all, per address and per user, and polling ones per address.
pub struct ConnectionLimits {
    all: Arc<Counts<()>>,
    refused: Arc<Counts<()>>,
    per_ip: Arc<Counts<IpAddr>>,
    polling_per_ip: Arc<Counts<IpAddr>>,
    per_user: Arc<Counts<UserId>>,
    /// Where other nodes count, too.
    everywhere: OnceLock<Arc<dyn Places>>,
}

/// A counted connection; dropping it ends the count.
pub struct ConnectionGuard {
    _all: Place<()>,
    ip: Option<Place<IpAddr>>,
    /// Its place among those of its address on all nodes, once that was asked for.
    everywhere: OnceCell<Option<Taken>>,
}

/// A connection that polls; dropping it ends the count.
pub struct PollingGuard {
    _ip: Option<Place<IpAddr>>,
}

/// A user's connection; dropping it ends the count.
pub struct UserGuard {
    _user: Place<UserId>,
    _everywhere: Option<Taken>,
}

/// A connection that is held to be refused; dropping it makes room for another.
pub struct RefusedGuard {
    _refused: Place<()>,
}

impl ConnectionLimits {
    /// From the section `limits`.
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            all: Counts::new(limits.connections),
            refused: Counts::new(REFUSED_AT_ONCE),
            per_ip: Counts::new(limits.connections_per_ip),
            polling_per_ip: Counts::new(limits.polling_sessions_per_ip),
            per_user: Counts::new(limits.connections_per_user),
            everywhere: OnceLock::new(),
        }
    }

    /// From now on connections of other nodes count, too.
    pub fn count_everywhere(&self, places: Arc<dyn Places>) {
        // There is one.
        let _ = self.everywhere.set(places);
    }

    /// Counts a connection among those of its address on all nodes, once, or fails with
    /// `too_many_connections_per_ip`.
    pub async fn admit_everywhere(&self, guard: &ConnectionGuard) -> Result<()> {
        let (Some(places), Some(ip)) = (self.everywhere.get(), &guard.ip) else {
            return Ok(());
        };
        let limit = self.per_ip.limit;
        if limit == 0 {
            return Ok(());
        }
        let take = async || places.take(Whose::Address(ip.key), limit).await;
        let taken = guard.everywhere.get_or_init(take).await;
        let refused = || refusal(Code::TooManyConnectionsPerIp);
        taken.as_ref().map(|_| ()).ok_or_else(refused)
    }

    /// A place among those of a user's on all nodes, where others count, too. Fails with
    /// `too_many_connections_per_user`.
    pub async fn admit_user_everywhere(&self, user: &UserId) -> Result<Option<Taken>> {
        let limit = self.per_user.limit;
        match self.everywhere.get() {
            Some(places) if limit > 0 => {
                let taken = places.take(Whose::User(user), limit).await;
                let refused = || refusal(Code::TooManyConnectionsPerUser);
                taken.map(Some).ok_or_else(refused)
            }
            _ => Ok(None),
        }
    }

    /// Counts a connection, or fails with the code of the limit that stands against it.
    pub fn admit(&self, ip: Option<IpAddr>) -> Result<ConnectionGuard> {
        let all = self.all.take(&());
        let all = all.ok_or_else(|| refusal(Code::TooManyConnections))?;
        let ip = place(&self.per_ip, ip, Code::TooManyConnectionsPerIp)?;
        Ok(ConnectionGuard {
            _all: all,
            ip,
            everywhere: OnceCell::new(),
        })
    }

    /// Counts a connection that polls, or fails with `too_many_polling_sessions`.
    pub fn admit_polling(&self, ip: Option<IpAddr>) -> Result<PollingGuard> {
        let ip = place(&self.polling_per_ip, ip, Code::TooManyPollingSessions)?;
        Ok(PollingGuard { _ip: ip })
    }

    /// Counts a user's connection, or fails with `too_many_connections_per_user`.
    pub fn admit_user(&self, user: &UserId, everywhere: Option<Taken>) -> Result<UserGuard> {
        let user = self.per_user.take(user);
        let user = user.ok_or_else(|| refusal(Code::TooManyConnectionsPerUser))?;
        Ok(UserGuard {
            _user: user,
            _everywhere: everywhere,
        })
    }

    /// Room for a connection that is to be told why it is refused, if there is any.
    pub fn hold_refused(&self) -> Option<RefusedGuard> {
        let refused = self.refused.take(&())?;
        Some(RefusedGuard { _refused: refused })
    }
}

fn place(
    counts: &Arc<Counts<IpAddr>>,
    ip: Option<IpAddr>,
    code: Code,
) -> Result<Option<Place<IpAddr>>> {
    match ip {
        Some(ip) => counts.take(&ip).map(Some).ok_or_else(|| refusal(code)),
        None => Ok(None),
    }
}

fn refusal(code: Code) -> Error {
    telemetry::limited(code);
    Error::new(code, "Too many connections")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_has_gone() {
        let limits = ConnectionLimits::new(&config::Limits {
            connections: 2,
            connections_per_ip: 1,
            ..config::Limits::default()
        });
        let ip = |last| Some(IpAddr::from([192, 0, 2, last]));
        let first = limits.admit(ip(1)).unwrap();
        let code = |result: Result<ConnectionGuard>| result.err().unwrap().code();
        assert_eq!(code(limits.admit(ip(1))), Code::TooManyConnectionsPerIp);
        let _second = limits.admit(ip(2)).unwrap();
        assert_eq!(code(limits.admit(ip(3))), Code::TooManyConnections);
        drop(first);
        limits.admit(ip(1)).unwrap();
    }
}
