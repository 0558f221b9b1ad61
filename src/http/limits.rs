//! How many requests a second one caller may make.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use parking_lot::Mutex;

use crate::{
    domain::UserId,
    error::{Error, Result},
    ports::{SharedLimit, Spent},
    realtime::drain,
};

/// How often callers who have not called for a second are forgotten.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A user's.
    User(UserId),
    /// Those with one API key, by its name.
    Service(Arc<str>),
    /// Those from one address; absent when the connection does not tell it.
    Address(Option<IpAddr>),
}

/// Token buckets that hold one second's worth, one per caller.
pub struct Requests(Option<Buckets>);

struct Buckets {
    spent: Spent<Key>,
    limiter: DefaultKeyedRateLimiter<Key>,
    clock: DefaultClock,
    swept_at: Mutex<Instant>,
}

impl Requests {
    /// `per_second`: of one caller; 0 = no limit.
    pub fn new(per_second: u32) -> Self {
        Self(NonZeroU32::new(per_second).map(|per_second| Buckets {
            spent: Spent::new(per_second.get()),
            limiter: RateLimiter::keyed(Quota::per_second(per_second)),
            clock: DefaultClock::default(),
            swept_at: Mutex::new(Instant::now()),
        }))
    }

    /// Counts a request. Fails with `rate_limited`, which says how long to wait.
    pub fn check(&self, key: &Key) -> Result<()> {
        let Some(buckets) = &self.0 else {
            return Ok(());
        };
        buckets.sweep();
        let checked = buckets.limiter.check_key(key);
        checked.map_err(|until| Error::rate_limited(until.wait_time_from(buckets.clock.now())))?;
        if let Some(wait) = buckets.spent.pays(key) {
            return Err(Error::rate_limited(wait));
        }
        buckets.spent.note(key);
        Ok(())
    }
}

impl Key {
    /// The name by which other nodes know the caller.
    fn to_name(&self) -> Option<String> {
        match self {
            Self::User(user) => Some(format!("user:{user}")),
            Self::Service(name) => Some(format!("service:{name}")),
            Self::Address(address) => address.map(|address| format!("address:{address}")),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name.split_once(':')? {
            ("user", id) => UserId::new(id).ok().map(Self::User),
            ("service", name) => Some(Self::Service(name.into())),
            ("address", address) => address.parse().ok().map(|ip| Self::Address(Some(ip))),
            _ => None,
        }
    }
}

impl SharedLimit for Requests {
    fn take_spent(&self) -> Vec<(String, u32)> {
        let spent = self.0.iter().flat_map(|buckets| buckets.spent.take());
        spent
            .filter_map(|(key, count)| Some((key.to_name()?, count)))
            .collect()
    }

    fn spend(&self, caller: &str, count: u32) {
        if let (Some(buckets), Some(key)) = (&self.0, Key::from_name(caller)) {
            let left = drain(&buckets.limiter, &key, count);
            buckets.spent.owe(key, left);
        }
    }
}

impl Buckets {
    /// Full buckets are as good as none. One request in a while does this; the others pass by.
    fn sweep(&self) {
        if let Some(mut swept_at) = self.swept_at.try_lock()
            && swept_at.elapsed() >= SWEEP_INTERVAL
        {
            *swept_at = Instant::now();
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn user(id: &str) -> Key {
        Key::User(UserId::new(id).unwrap())
    }

    #[test]
    fn a_second_s_worth_may_come_at_once_and_the_next_must_wait() {
        let requests = Requests::new(3);
        for _ in 0..3 {
            requests.check(&user("alice")).unwrap();
        }
        let error = requests.check(&user("alice")).unwrap_err();
        assert_eq!(error.code(), Code::RateLimited);
        assert!(error.retry_after().unwrap() <= Duration::from_secs(1));
    }

    #[test]
    fn callers_do_not_use_up_each_other_s_requests() {
        let requests = Requests::new(1);
        let address = Key::Address(Some([192, 0, 2, 1].into()));
        // A service and a user of the same name are not the same.
        for key in [user("alice"), Key::Service("alice".into()), address] {
            requests.check(&key).unwrap();
            requests.check(&key).unwrap_err();
        }
    }

    #[test]
    fn what_a_caller_asks_of_another_node_counts_here() {
        let (here, there) = (Requests::new(2), Requests::new(2));
        let address = Key::Address(Some([192, 0, 2, 1].into()));
        for key in [user("a:b"), Key::Service("s".into()), address] {
            there.take_spent();
            there.check(&key).unwrap();
            for (caller, count) in there.take_spent() {
                here.spend(&caller, count);
            }
            here.check(&key).unwrap();
            here.check(&key).unwrap_err();
        }
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let requests = Requests::new(0);
        for _ in 0..10_000 {
            requests.check(&user("alice")).unwrap();
        }
    }
}
