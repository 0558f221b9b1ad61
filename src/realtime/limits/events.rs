//! How many events a second.

use std::{
    hash::Hash,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use parking_lot::Mutex;

use crate::{
    config,
    domain::UserId,
    error::{Code, Error},
    ports::{SharedLimit, Spent},
    telemetry,
};

/// After this long without a refusal a flood has ended.
const FLOOD_PAUSE: Duration = Duration::from_secs(1);

/// Token buckets for events; each holds one second's worth.
pub struct EventLimits {
    per_socket: Option<Quota>,
    per_user: Option<DefaultKeyedRateLimiter<UserId>>,
    spent: Spent<UserId>,
    flood: Option<Duration>,
    clock: DefaultClock,
}

/// One socket's own bucket, and how long it has been overflowing.
pub struct EventBucket {
    bucket: Option<DefaultDirectRateLimiter>,
    overflow: Mutex<Option<Overflow>>,
}

#[derive(Clone, Copy)]
struct Overflow {
    since: Instant,
    last: Instant,
}

/// Why an event is not taken.
#[derive(Debug)]
pub enum Exceeded {
    /// It came too fast.
    Rate(Error),
    /// Events have been coming too fast for so long that the connection is to end.
    Flood,
}

impl EventLimits {
    /// From the section `limits`; 0 means no limit.
    pub fn new(limits: &config::Limits) -> Self {
        let quota = |rate: u32| NonZeroU32::new(rate).map(Quota::per_second);
        Self {
            per_socket: quota(limits.events_per_second),
            per_user: quota(limits.user_events_per_second).map(RateLimiter::keyed),
            spent: Spent::new(limits.user_events_per_second),
            flood: (limits.flood_ms > 0).then(|| Duration::from_millis(limits.flood_ms)),
            clock: DefaultClock::default(),
        }
    }

    /// A new socket's own bucket.
    pub fn for_socket(&self) -> EventBucket {
        EventBucket {
            bucket: self.per_socket.map(RateLimiter::direct),
            overflow: Mutex::default(),
        }
    }

    /// Takes one event from both buckets.
    pub fn check(&self, socket: &EventBucket, user: Option<&UserId>) -> Result<(), Exceeded> {
        self.take(socket, user).map_err(|wait| {
            telemetry::limited(Code::RateLimited);
            if socket.overflows_for(self.flood) {
                Exceeded::Flood
            } else {
                Exceeded::Rate(Error::rate_limited(wait))
            }
        })
    }

    /// Fails with the time after which to try again.
    fn take(&self, socket: &EventBucket, user: Option<&UserId>) -> Result<(), Duration> {
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(self.clock.now());
        if let Some(bucket) = &socket.bucket {
            bucket.check().map_err(wait)?;
        }
        if let (Some(buckets), Some(user)) = (&self.per_user, user) {
            buckets.check_key(user).map_err(wait)?;
            if let Some(wait) = self.spent.pays(user) {
                return Err(wait);
            }
            self.spent.note(user);
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

impl SharedLimit for EventLimits {
    fn take_spent(&self) -> Vec<(String, u32)> {
        let spent = self.spent.take();
        spent
            .map(|(user, count)| (user.to_string(), count))
            .collect()
    }

    fn spend(&self, caller: &str, count: u32) {
        if let (Some(buckets), Ok(user)) = (&self.per_user, UserId::new(caller)) {
            let left = drain(buckets, &user, count);
            self.spent.owe(user, left);
        }
    }
}

/// Takes so many tokens out of a caller's bucket; how many it did not have.
pub fn drain<K: Clone + Hash + Eq>(
    buckets: &DefaultKeyedRateLimiter<K>,
    key: &K,
    count: u32,
) -> u32 {
    let (mut left, mut step) = (count, count);
    while let Some(some) = NonZeroU32::new(step) {
        if let Ok(Ok(())) = buckets.check_key_n(key, some) {
            left -= step;
            step = step.min(left);
        } else {
            step /= 2;
        }
    }
    left
}

impl EventBucket {
    /// Notes a refusal; whether they have gone on for this long.
    fn overflows_for(&self, limit: Option<Duration>) -> bool {
        let now = Instant::now();
        let mut overflow = self.overflow.lock();
        let since = match *overflow {
            Some(Overflow { since, last }) if now - last < FLOOD_PAUSE => since,
            _ => now,
        };
        *overflow = Some(Overflow { since, last: now });
        limit.is_some_and(|limit| now - since >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_that_go_on_are_a_flood() {
        let limits = EventLimits::new(&config::Limits {
            events_per_second: 1,
            flood_ms: 1,
            ..config::Limits::default()
        });
        let socket = limits.for_socket();
        limits.check(&socket, None).unwrap();
        let refused = limits.check(&socket, None);
        assert!(matches!(refused, Err(Exceeded::Rate(_))), "{refused:?}");
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(2) {}
        let refused = limits.check(&socket, None);
        assert!(matches!(refused, Err(Exceeded::Flood)), "{refused:?}");
    }

    #[test]
    fn what_a_user_does_on_another_node_counts_here() {
        let limits = || {
            EventLimits::new(&config::Limits {
                user_events_per_second: 10,
                ..config::Limits::default()
            })
        };
        let (here, there) = (limits(), limits());
        let alice = UserId::new("alice").unwrap();
        assert!(there.take_spent().is_empty());
        let take = |limits: &EventLimits, count| {
            let socket = limits.for_socket();
            let taken = (0..count).filter(|_| limits.check(&socket, Some(&alice)).is_ok());
            taken.count()
        };
        assert_eq!(take(&there, 7), 7);
        let spent = there.take_spent();
        assert_eq!(spent, [("alice".to_owned(), 7)]);
        for (user, count) in spent {
            here.spend(&user, count);
        }
        assert_eq!(take(&here, 10), 3);
        // More than there is is owed.
        there.spend("alice", 1_000);
        assert_eq!(take(&there, 1), 0);
        assert!(there.spent.pays(&alice).is_some());
    }
}
