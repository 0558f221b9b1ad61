//! What the durable store knows of presence, where Redis has lost it, and what it does not know yet.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;
use uuid::Uuid;

use super::{super::scripts::SCRIPTS, RedisPresence, store::changes};
use crate::ports::{ChangedUser, SeenUser, StoreError, StoreResult, VERSIONS_PER_MS};

/// How many users are restored at once.
const BATCH: usize = 500;

/// As what those are there who were there when Redis lost all. They go when no node has said by
/// then that they are its.
const GHOST: &str = "ghost";

/// How much longer they stay than a lease.
const GHOST_MARGIN: Duration = Duration::from_secs(5);

/// For how long nobody else restores after one has begun.
const RESTORING: Duration = Duration::from_secs(30);

/// For how long the node that saves goes on to be the one that does.
const SAVING: Duration = Duration::from_secs(2);

impl RedisPresence {
    /// Whether Redis knows nothing of earlier, and it is for this node to restore it.
    pub(super) async fn claim_restoring(&self) -> StoreResult<bool> {
        let may_be_vacant = &self.0.may_be_vacant;
        if !may_be_vacant.load(Ordering::Relaxed) || self.usable().is_none() {
            return Ok(false);
        }
        let args = vec![RESTORING.as_millis().to_string()];
        let reply = SCRIPTS.vacant.run(&self.0.redis, args).await?;
        match reply.first().map(String::as_str) {
            Some("yes") => Ok(true),
            // Where the one that restores ends before it is done, another begins.
            Some("wait") => Ok(false),
            _ => {
                may_be_vacant.store(false, Ordering::Relaxed);
                Ok(false)
            }
        }
    }

    pub(super) async fn restore_all(&self, seen: Vec<SeenUser>) -> StoreResult<()> {
        let redis = &self.0.redis;
        let lease = self.0.options.lease + GHOST_MARGIN.min(self.0.options.lease);
        let (lease, run) = (lease.as_millis().to_string(), Uuid::now_v7().to_string());
        let args = vec![GHOST.to_owned(), lease, run];
        let ghost = SCRIPTS.take.run(redis, args).await?;
        let ghost = ghost.into_iter().next().ok_or(StoreError)?;
        let mut version = 0;
        for some in seen.chunks(BATCH) {
            let rows = some.iter().map(|one| {
                let at = one.last_seen.as_ms();
                let rises = u64::try_from(at).unwrap_or(0) * VERSIONS_PER_MS;
                version = rises.max(version + 1);
                json!([one.user, at, version.to_string(), one.there])
            });
            let rows = serde_json::Value::from_iter(rows).to_string();
            let reply = SCRIPTS
                .restore
                .run(redis, vec![ghost.clone(), rows])
                .await?;
            if reply.first().is_none_or(|reply| reply == "lost") {
                return Err(StoreError);
            }
        }
        let args = vec![version.to_string()];
        SCRIPTS.restored.run(redis, args).await.map(|_| ())
    }

    pub(super) async fn read_unsaved(&self, limit: usize) -> StoreResult<Vec<ChangedUser>> {
        let Some(instance) = self.usable() else {
            return Ok(Vec::new());
        };
        let saving = SAVING.as_millis().to_string();
        let args = vec![instance.to_string(), limit.to_string(), saving];
        changes(&SCRIPTS.unsaved.run(&self.0.redis, args).await?)
    }
}
