//! What is remembered of presence over a restart: when users were last seen, and who had gone with
//! the server.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;

use super::PresenceService;
use crate::{
    domain::{Status, Timestamp},
    ports::{ChangedUser, PresenceStore, SeenStore, SeenUser, StoreResult},
};

/// How often changes are stored.
const INTERVAL: Duration = Duration::from_millis(250);

/// The most changes that are stored as one write.
const AT_ONCE: usize = 1_000;

/// The most users who are remembered.
const MAX_USERS: usize = 100_000;

/// Stores changes of presence, and brings them back.
pub struct PresenceKeeper {
    presence: Arc<dyn PresenceStore>,
    seen: Arc<dyn SeenStore>,
    /// The newest change that is stored.
    stored: Mutex<u64>,
}

impl PresenceKeeper {
    /// Keeps what `presence` knows in `seen`.
    pub fn new(presence: Arc<dyn PresenceStore>, seen: Arc<dyn SeenStore>) -> Self {
        Self {
            presence,
            seen,
            stored: Mutex::new(0),
        }
    }

    /// Brings back what an earlier run knew: nobody is there any more.
    pub async fn restore(&self) -> StoreResult<()> {
        let (seen, now) = (self.seen.load(MAX_USERS).await?, Timestamp::now());
        self.presence.restore(seen, now).await?;
        // Who has gone with the server is news; the others are stored as they are.
        *self.stored.lock().await = PresenceService::version_at(now).saturating_sub(1);
        Ok(())
    }

    /// Stores what has changed.
    pub async fn save(&self) -> StoreResult<()> {
        let mut stored = self.stored.lock().await;
        loop {
            let changed = self.presence.changed_since(*stored, AT_ONCE).await?;
            let Some(last) = changed.last() else {
                return Ok(());
            };
            let (newest, is_all) = (last.version, changed.len() < AT_ONCE);
            self.seen
                .save(changed.into_iter().filter_map(seen).collect())
                .await?;
            *stored = newest;
            if is_all {
                return Ok(());
            }
        }
    }

    /// Stores changes again and again, for ever.
    pub async fn run(&self) {
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.save().await {
                tracing::debug!(%error, "presence could not be stored; trying again");
            }
        }
    }
}

fn seen(changed: ChangedUser) -> Option<SeenUser> {
    Some(SeenUser {
        user: changed.user,
        last_seen: changed.presence.last_seen?,
        there: changed.presence.status != Status::Offline,
    })
}
