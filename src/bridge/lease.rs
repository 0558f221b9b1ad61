//! Which node takes messages up.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use fred::{
    interfaces::{KeysInterface, ListInterface, LuaInterface},
    types::{Expiration, SetOptions},
};
use parking_lot::Mutex;

use super::queue::{Done, KEPT, Queue};
use crate::{
    domain::Timestamp,
    stores::redis::{Redis, failed},
};

/// For how long the lease holds.
const LEASE: Duration = Duration::from_secs(3);

/// How often it is renewed, or tried.
const RENEW_INTERVAL: Duration = Duration::from_millis(750);

/// How many notes of what was taken up are kept.
const NOTES: i64 = 20_000;

/// Extends the lease of whoever holds it.
static RENEW: LazyLock<&str> = LazyLock::new(|| {
    "if redis.call('GET', KEYS[1]) == ARGV[1] then
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
    end
    return 0"
});

/// Ends the lease of whoever holds it.
static RELEASE: LazyLock<&str> = LazyLock::new(|| {
    "if redis.call('GET', KEYS[1]) == ARGV[1] then
        return redis.call('DEL', KEYS[1])
    end
    return 0"
});

/// The lease.
pub(super) struct Lease {
    redis: Redis,
    node: String,
    /// Until when we hold it, by our own clock.
    until: Mutex<Option<Instant>>,
}

impl Lease {
    pub fn new(redis: Redis, node: String) -> Self {
        Self {
            redis,
            node,
            until: Mutex::new(None),
        }
    }

    /// Whether this node holds it now. A node that was stopped for a while does not.
    pub fn is_held(&self) -> bool {
        self.until
            .lock()
            .is_some_and(|until| Instant::now() < until)
    }

    /// Takes the lease where nobody holds it, and keeps it, for ever.
    pub async fn run(&self, queue: &Queue) {
        let mut tick = tokio::time::interval(RENEW_INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let began = Instant::now();
            let was_held = self.is_held();
            let is_ours = self.renew().await || self.take().await;
            if is_ours && !was_held {
                // What the last holder has taken up is not taken up again.
                match self.done().await {
                    Some(done) => queue.leave_out(&done),
                    None => continue,
                }
            }
            if is_ours {
                *self.until.lock() = Some(began + LEASE);
            }
            if !self.is_held() {
                queue.forget_older(Timestamp::now());
            }
        }
    }

    /// Notes that these messages are taken up.
    pub async fn note(&self, done: Vec<Done>) {
        let texts: Vec<_> = done.into_iter().map(Done::to_text).collect();
        let (client, key) = (self.redis.client(), self.redis.key("bridge:done"));
        let noted = async {
            let _: i64 = client.rpush(&key, texts).await?;
            let _: () = client.ltrim(&key, -NOTES, -1).await?;
            let _: i64 = client.expire(&key, KEPT.as_secs() as i64 * 2, None).await?;
            Ok(())
        };
        // Whoever takes over may then take them up again.
        let _ = noted.await.map_err(failed("bridge_note"));
    }

    /// Gives the lease back.
    pub async fn release(&self) {
        let was_held = self.until.lock().take().is_some();
        if was_held {
            let arguments = vec![self.node.clone()];
            let released = self.script(*RELEASE, arguments).await;
            tracing::debug!(released, "the lease of the bridge is given back");
        }
    }

    async fn renew(&self) -> bool {
        let arguments = vec![self.node.clone(), LEASE.as_millis().to_string()];
        self.script(*RENEW, arguments).await
    }

    async fn take(&self) -> bool {
        let expires = Expiration::PX(LEASE.as_millis() as i64);
        let (client, key) = (self.redis.client(), self.redis.key("bridge"));
        let (node, only_new) = (self.node.as_str(), Some(SetOptions::NX));
        let taken = client.set::<Option<String>, _, _>(key, node, Some(expires), only_new, false);
        let taken = taken.await.map_err(failed("bridge_lease"));
        taken.is_ok_and(|answer| answer.is_some())
    }

    async fn done(&self) -> Option<Vec<Done>> {
        let key = self.redis.key("bridge:done");
        let texts: Result<Vec<String>, _> = self.redis.client().lrange(key, 0, -1).await;
        let texts = texts.map_err(failed("bridge_done")).ok()?;
        Some(
            texts
                .iter()
                .filter_map(|text| Done::from_text(text))
                .collect(),
        )
    }

    async fn script(&self, script: &'static str, arguments: Vec<String>) -> bool {
        let keys = vec![self.redis.key("bridge")];
        let ran: Result<i64, _> = self.redis.client().eval(script, keys, arguments).await;
        ran.map_err(failed("bridge_lease"))
            .is_ok_and(|answer| answer == 1)
    }
}
