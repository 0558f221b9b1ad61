//! What is remembered of presence over a restart: when users were last seen, and who had gone with
//! the server.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;

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
    /// One write at a time, so that older changes do not replace newer ones.
    saving: Mutex<()>,
    /// Whether something is missing that this keeper is to restore.
    is_due: Mutex<bool>,
}

impl PresenceKeeper {
    /// Keeps what `presence` knows in `seen`.
    pub fn new(presence: Arc<dyn PresenceStore>, seen: Arc<dyn SeenStore>) -> Self {
        Self {
            presence,
            seen,
            saving: Mutex::new(()),
            is_due: Mutex::new(false),
        }
    }

    /// Brings back what an earlier run knew, where that is missing. Where it cannot be read, it is
    /// for this keeper to try again.
    pub async fn restore(&self) -> StoreResult<()> {
        let mut is_due = self.is_due.lock().await;
        if !*is_due {
            *is_due = self.presence.is_vacant().await?;
        }
        if *is_due {
            let seen = self.seen.load(MAX_USERS).await?;
            self.presence.restore(seen, Timestamp::now()).await?;
            *is_due = false;
        }
        Ok(())
    }

    /// Stores what has changed.
    pub async fn save(&self) -> StoreResult<()> {
        let _one = self.saving.lock().await;
        loop {
            let changed = self.presence.unsaved(AT_ONCE).await?;
            let Some(last) = changed.last() else {
                return Ok(());
            };
            let (newest, is_all) = (last.version, changed.len() < AT_ONCE);
            self.seen
                .save(changed.into_iter().filter_map(seen).collect())
                .await?;
            self.presence.saved(newest).await?;
            if is_all {
                return Ok(());
            }
        }
    }

    /// Stores changes again and again, and restores what is missing, for ever.
    pub async fn run(&self) {
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.restore().await {
                tracing::debug!(%error, "presence could not be restored; trying again");
            }
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
