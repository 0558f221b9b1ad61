//! Takes what dead instances had, and sees to it that what came of it is told once.

use std::time::Duration;

use rand::Rng;
use tokio::time::{sleep, timeout};

use super::{super::scripts::SCRIPTS, RedisPresence};
use crate::{domain::UserId, ports::StoreResult};

/// How much is taken at once: Redis does nothing else meanwhile.
const AT_ONCE: usize = 500;

/// How often nodes look, in parts of a lease.
const LOOKS: u32 = 4;

/// By how much that differs by chance.
const JITTER: std::ops::Range<f64> = 0.75..1.25;

/// After which part of a lease another node tells what one has found and not told.
const OVERDUE: u32 = 2;

/// How often it is noted what has been told, in parts of a lease.
const NOTES: u32 = 20;

/// The most users who wait for it to be noted that they are told.
const MAX_TOLD: usize = 100_000;

impl RedisPresence {
    /// Looks for dead instances, for ever.
    pub(super) async fn reap_for_ever(&self) {
        loop {
            let by_chance = rand::rng().random_range(JITTER);
            let wait = (self.0.options.lease / LOOKS).mul_f64(by_chance);
            // Whether we are woken or have waited makes no difference.
            let _ = timeout(wait, self.0.deaths.notified()).await;
            if self.usable().is_none() {
                continue;
            }
            if let Err(error) = self.reap().await {
                tracing::debug!(%error, "what dead nodes had could not be taken");
            }
        }
    }

    async fn reap(&self) -> StoreResult<()> {
        let (redis, lease) = (&self.0.redis, self.0.options.lease);
        let args = vec![lease.as_millis().to_string()];
        for instance in SCRIPTS.expire.run(redis, args).await? {
            loop {
                let args = vec![instance.clone(), AT_ONCE.to_string()];
                let rows = SCRIPTS.reap.run(redis, args).await?;
                let Some((state, rows)) = rows.split_first() else {
                    break;
                };
                self.tell(rows);
                if state == "done" {
                    break;
                }
            }
        }
        let overdue = (lease / OVERDUE).as_millis().to_string();
        let args = vec![overdue, AT_ONCE.to_string()];
        self.tell(&SCRIPTS.overdue.run(redis, args).await?);
        Ok(())
    }

    /// The user is told to be offline; the stamp is what the outbox says.
    pub(super) fn note(&self, user: &UserId, stamp: String) {
        let mut told = self.0.told.lock();
        if told.len() < MAX_TOLD {
            told.push((user.clone(), stamp));
        }
    }

    /// Clears what has been told from the outbox, for ever: a moment later, so that it has been.
    pub(super) async fn note_told(&self) {
        loop {
            sleep((self.0.options.lease / NOTES).max(Duration::from_millis(1))).await;
            self.flush_told().await;
        }
    }

    pub(super) async fn flush_told(&self) {
        if !self.0.redis.is_connected() {
            return;
        }
        loop {
            let some: Vec<_> = {
                let mut told = self.0.told.lock();
                let next = told.len().min(AT_ONCE);
                told.drain(..next).collect()
            };
            if some.is_empty() {
                return;
            }
            let args = some.iter();
            let args = args.flat_map(|(user, stamp)| [user.to_string(), stamp.clone()]);
            if SCRIPTS
                .told
                .run(&self.0.redis, args.collect())
                .await
                .is_err()
            {
                self.0.told.lock().extend(some);
                return;
            }
        }
    }
}
