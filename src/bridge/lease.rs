//! Which node takes messages up, and what it has taken up.
//!
//! The holder publishes a mark now and then, and others do who need one. Every node hears messages and
//! marks in one order: a message is known by the mark that came last before it, whenever a node gets
//! to hear it. What is
//! taken up is noted under that name, by a script that the holder alone can run: whoever takes the
//! lease over leaves it out.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use fred::interfaces::{ListInterface, LuaInterface};
use parking_lot::Mutex;
use tokio::sync::{Notify, RwLock, RwLockReadGuard};

use super::queue::{Done, KEPT, Queue};
use crate::{
    cluster::Hearing,
    domain::Timestamp,
    stores::redis::{Redis, failed},
};

/// For how long the lease holds.
const LEASE: Duration = Duration::from_secs(3);

/// How often it is renewed, or tried.
const RENEW_INTERVAL: Duration = Duration::from_millis(750);

/// How often a node that hears nothing looks whether it does.
const LISTEN_INTERVAL: Duration = Duration::from_millis(50);

/// How long messages are left alone that were not this node's to take up.
const PAUSE: Duration = Duration::from_millis(20);

/// How many notes of what was taken up are kept.
const NOTES: usize = 100_000;

/// For how long a node that stops waits for what it has taken up.
const FINISH: Duration = Duration::from_secs(5);

/// Takes the lease where nobody else holds it, and publishes a mark; otherwise only where one is
/// needed. Marks rise, whatever Redis has lost; `since` is the first one since Redis lost all it knew.
/// KEYS: lease, mark, since. ARGV: node, how long, channel, `needed`. Returns what it did, and `since`.
const TAKE: &str = "
local holder = redis.call('GET', KEYS[1])
local is_ours = not holder or holder == ARGV[1]
if is_ours then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
if is_ours or ARGV[4] == 'needed' then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local mark = math.max(now, (tonumber(redis.call('GET', KEYS[2])) or 0) + 1)
    mark = string.format('%.0f', mark)
    redis.call('SET', KEYS[2], mark)
    redis.call('SET', KEYS[3], mark, 'NX')
    redis.call('PUBLISH', ARGV[3], mark)
end
local outcome = not holder and 'taken' or is_ours and 'renewed' or 'not ours'
return { outcome, redis.call('GET', KEYS[3]) or '0' }";

/// Notes what the holder takes up. KEYS: lease, notes. ARGV: node, how many notes are kept, for
/// how long, notes. Returns whether it is the holder.
const NOTE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
for i = 4, #ARGV do
    redis.call('RPUSH', KEYS[2], ARGV[i])
end
redis.call('LTRIM', KEYS[2], -ARGV[2], -1)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1";

/// Ends the lease of whoever holds it. KEYS: lease. ARGV: node.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0";

/// The lease.
pub(super) struct Lease {
    redis: Redis,
    node: String,
    /// Whether this node hears what workers publish.
    hearing: Hearing,
    /// Until when we hold it, by our own clock.
    until: Mutex<Option<Instant>>,
    /// Whether it was given back for good.
    is_released: AtomicBool,
    /// It was found to be lost.
    in_doubt: Notify,
    /// Read by whoever is taking messages up.
    working: RwLock<()>,
}

impl Lease {
    pub fn new(redis: Redis, node: String, hearing: Hearing) -> Self {
        Self {
            redis,
            node,
            hearing,
            until: Mutex::new(None),
            is_released: AtomicBool::new(false),
            in_doubt: Notify::new(),
            working: RwLock::new(()),
        }
    }

    /// The channel of the marks.
    pub fn marks(&self) -> String {
        self.redis.channel("bridge:marks")
    }

    /// Whether this node holds it now. A node that was stopped for a while does not.
    pub fn is_held(&self) -> bool {
        self.until
            .lock()
            .is_some_and(|until| Instant::now() < until)
    }

    /// Begins to take messages up, where this node holds the lease. It is not given back meanwhile.
    pub async fn begin(&self) -> Option<RwLockReadGuard<'_, ()>> {
        let working = self.working.read().await;
        self.is_held().then_some(working)
    }

    /// Takes the lease where nobody holds it, and keeps it, until it is given back.
    pub async fn run(&self, queue: &Queue) {
        let mut pause = LISTEN_INTERVAL;
        let mut is_new = false;
        while !self.is_released.load(Ordering::Relaxed) {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.in_doubt.notified() => {}
                () = queue.unmarked() => {}
            }
            if self.hearing.is_deaf() {
                // Another one hears what this one does not.
                if self.until.lock().take().is_some() {
                    self.give_back().await;
                }
                pause = LISTEN_INTERVAL;
            } else {
                // It ends by itself where Redis stays away.
                self.look(queue, &mut is_new).await;
                pause = RENEW_INTERVAL;
            }
            if !self.is_held() {
                queue.forget_older(Timestamp::now());
            }
        }
    }

    /// Takes the lease, renews it, or finds it to be another node's. `is_new`: it was taken, and what
    /// others have taken up is not left out yet.
    async fn look(&self, queue: &Queue, is_new: &mut bool) {
        let began = Instant::now();
        let Some((outcome, since)) = self.take(queue.is_unmarked()).await else {
            return;
        };
        if !self.is_held() {
            // All of it may have been taken up, and the notes of that are lost.
            queue.forget_before(since);
        }
        if outcome == "not ours" {
            *self.until.lock() = None;
            return queue.forget_unmarked();
        }
        if outcome == "taken" || *is_new {
            *is_new = true;
            let Some(done) = self.done().await else {
                return;
            };
            queue.leave_out(&done);
            *is_new = false;
        }
        self.hold(began);
    }

    fn hold(&self, since: Instant) {
        let mut until = self.until.lock();
        if !self.is_released.load(Ordering::Relaxed) {
            *until = Some(since + LEASE);
        }
    }

    /// Notes that these messages are taken up; whether this node may.
    pub async fn note(&self, done: impl IntoIterator<Item = Done>) -> bool {
        let kept_ms = (KEPT * 2).as_millis();
        let mut arguments = vec![self.node.clone(), NOTES.to_string(), kept_ms.to_string()];
        arguments.extend(done.into_iter().map(Done::to_text));
        let keys = ["bridge", "bridge:done"];
        let noted = self.script::<i64>(NOTE, &keys, arguments).await;
        if noted == Some(0) {
            // It may be nobody's.
            self.in_doubt.notify_one();
            tokio::time::sleep(PAUSE).await;
        }
        noted == Some(1)
    }

    /// Gives the lease back, for good, once what was taken up is done.
    pub async fn release(&self) {
        let was_held = {
            let mut until = self.until.lock();
            self.is_released.store(true, Ordering::Relaxed);
            until.take().is_some()
        };
        if tokio::time::timeout(FINISH, self.working.write())
            .await
            .is_err()
        {
            tracing::warn!("messages of workers are still being taken up");
        }
        if was_held {
            self.give_back().await;
        }
    }

    async fn give_back(&self) {
        let arguments = vec![self.node.clone()];
        let released = self.script::<i64>(RELEASE, &["bridge"], arguments).await;
        tracing::debug!(?released, "the lease of the bridge is given back");
    }

    /// What became of it, and since which mark it is known what was taken up.
    async fn take(&self, needs_mark: bool) -> Option<(String, u64)> {
        let lease_ms = LEASE.as_millis().to_string();
        let needed = if needs_mark { "needed" } else { "" };
        let arguments = vec![self.node.clone(), lease_ms, self.marks(), needed.into()];
        let keys = ["bridge", "bridge:mark", "bridge:since"];
        let [taken, since]: [String; 2] = self
            .script::<Vec<String>>(TAKE, &keys, arguments)
            .await?
            .try_into()
            .ok()?;
        Some((taken, since.parse().ok()?))
    }

    async fn done(&self) -> Option<Vec<Done>> {
        let key = self.redis.key("bridge:done");
        let texts: Result<Vec<String>, _> = self.redis.client().lrange(key, 0, -1).await;
        let texts = texts.map_err(failed("bridge_done")).ok()?;
        let done = texts.iter().filter_map(|text| Done::from_text(text));
        Some(done.collect())
    }

    async fn script<T: fred::types::FromValue>(
        &self,
        script: &'static str,
        keys: &[&str],
        arguments: Vec<String>,
    ) -> Option<T> {
        let keys: Vec<_> = keys.iter().map(|key| self.redis.key(key)).collect();
        let ran = self.redis.client().eval(script, keys, arguments).await;
        ran.map_err(failed("bridge_lease")).ok()
    }
}
