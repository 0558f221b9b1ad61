//! How many connections, and how many events a second.

use std::{
    collections::HashMap, hash::Hash, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use parking_lot::Mutex;

use crate::{
    config,
    domain::UserId,
    error::{Code, Error, Result},
};

/// Counts connections in all, per address and per user; 0 means no limit.
pub struct ConnectionLimits {
    all: usize,
    per_ip: usize,
    per_user: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_ip: HashMap<IpAddr, usize>,
    by_user: HashMap<UserId, usize>,
}

/// A counted connection; dropping it ends the count.
pub struct ConnectionGuard {
    limits: Arc<ConnectionLimits>,
    ip: Option<IpAddr>,
    user: Option<UserId>,
}

impl ConnectionLimits {
    /// From the section `limits`.
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            all: limits.connections,
            per_ip: limits.connections_per_ip,
            per_user: limits.connections_per_user,
            open: Mutex::default(),
        }
    }

    /// Counts a connection, or fails with the code of the limit that stands against it.
    pub fn admit(
        self: &Arc<Self>,
        ip: Option<IpAddr>,
        user: Option<&UserId>,
    ) -> Result<ConnectionGuard> {
        let mut open = self.open.lock();
        let full = |limit: usize, count: usize| limit > 0 && count >= limit;
        if full(self.all, open.all) {
            return Err(refusal(Code::TooManyConnections));
        }
        if let Some(ip) = &ip
            && full(self.per_ip, count(&open.by_ip, ip))
        {
            return Err(refusal(Code::TooManyConnectionsPerIp));
        }
        if let Some(user) = user
            && full(self.per_user, count(&open.by_user, user))
        {
            return Err(refusal(Code::TooManyConnectionsPerUser));
        }
        open.all += 1;
        if let Some(ip) = ip {
            *open.by_ip.entry(ip).or_default() += 1;
        }
        if let Some(user) = user {
            *open.by_user.entry(user.clone()).or_default() += 1;
        }
        Ok(ConnectionGuard {
            limits: self.clone(),
            ip,
            user: user.cloned(),
        })
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock();
        open.all = open.all.saturating_sub(1);
        if let Some(ip) = &self.ip {
            release(&mut open.by_ip, ip);
        }
        if let Some(user) = &self.user {
            release(&mut open.by_user, user);
        }
    }
}

fn refusal(code: Code) -> Error {
    Error::new(code, "Too many connections")
}

fn count<K: Hash + Eq>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or(0)
}

fn release<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Token buckets for events; each holds one second's worth.
pub struct EventLimits {
    per_socket: Option<Quota>,
    per_user: Option<DefaultKeyedRateLimiter<UserId>>,
    clock: DefaultClock,
}

impl EventLimits {
    /// From the section `limits`; 0 means no limit.
    pub fn new(limits: &config::Limits) -> Self {
        let quota = |rate: u32| NonZeroU32::new(rate).map(Quota::per_second);
        Self {
            per_socket: quota(limits.events_per_second),
            per_user: quota(limits.user_events_per_second).map(RateLimiter::keyed),
            clock: DefaultClock::default(),
        }
    }

    /// A new socket's own bucket.
    pub fn for_socket(&self) -> Option<DefaultDirectRateLimiter> {
        self.per_socket.map(RateLimiter::direct)
    }

    /// Takes one event from both buckets, or fails with `rate_limited`.
    pub fn check(
        &self,
        socket: Option<&DefaultDirectRateLimiter>,
        user: Option<&UserId>,
    ) -> Result<()> {
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(self.clock.now());
        if let Some(bucket) = socket {
            bucket.check().map_err(wait).map_err(Error::rate_limited)?;
        }
        if let (Some(buckets), Some(user)) = (&self.per_user, user) {
            let taken = buckets.check_key(user);
            taken.map_err(wait).map_err(Error::rate_limited)?;
        }
        Ok(())
    }

    /// Forgets users whose buckets are full again, every minute, for ever.
    pub async fn run(&self) {
        let mut minute = tokio::time::interval(Duration::from_secs(60));
        loop {
            minute.tick().await;
            if let Some(buckets) = &self.per_user {
                buckets.retain_recent();
                buckets.shrink_to_fit();
            }
        }
    }
}
