//! Brings notes into the store, and keeps the lease by which this node's sockets are there.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Live, STORE_PAUSE, queue};
use crate::ports::HookNote;

/// For how long the node counts as alive after it has last said so.
const LEASE: Duration = Duration::from_secs(10);

/// How often it says so.
const RENEWAL: Duration = Duration::from_secs(3);

/// For how long notes are written before other work has its turn.
pub(super) const TURN: Duration = Duration::from_secs(2);

/// The most notes of one write.
pub(super) const GROUP: usize = 256;

/// The longest wait for the store when the node stops.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// The name of a node's lease.
pub(super) fn lease(run: &str) -> String {
    format!("webhooks:{run}")
}

impl Live {
    pub(super) async fn write(&self) {
        if self.tells_sockets() {
            // Else what is written first seems to be of a node that is no more.
            let kept_at = self.keep_lease().await;
            tokio::join!(self.stay_alive(kept_at), self.write_on());
        } else {
            self.write_on().await;
        }
    }

    /// Says that the node is alive, however much there is to write.
    async fn stay_alive(&self, mut kept_at: Instant) {
        loop {
            sleep(RENEWAL).await;
            let asked_at = self.keep_lease().await;
            if kept_at.elapsed() > LEASE {
                // Others may have taken this node for dead: what it has is there after all.
                self.is_doubted();
            }
            kept_at = asked_at;
        }
    }

    async fn write_on(&self) {
        loop {
            let written = self.write_some(TURN).await;
            if written.is_none() || self.note_again().await.is_none() {
                sleep(STORE_PAUSE).await;
                continue;
            }
            self.read_unread().await;
            if self.queue.is_empty() {
                // Whether something came or time passed, we look again.
                let _ = timeout(RENEWAL, self.queue.arrived()).await;
            }
        }
    }

    /// Holds the lease, sooner or later; since when it is held for sure.
    async fn keep_lease(&self) -> Instant {
        let run = &self.parts.run;
        loop {
            let asked_at = Instant::now();
            let held = self.parts.leases.hold(&lease(run), run, LEASE).await;
            if held.unwrap_or(false) {
                return asked_at;
            }
            sleep(STORE_PAUSE).await;
        }
    }

    /// Writes what waits, for about so long; none where the store is away.
    async fn write_some(&self, longest: Duration) -> Option<()> {
        let _one = self.writing.lock().await;
        self.write_waiting(longest).await
    }

    /// The same for who writes already.
    pub(super) async fn write_waiting(&self, longest: Duration) -> Option<()> {
        let began = Instant::now();
        while began.elapsed() < longest {
            let notes = self.queue.first(GROUP);
            if notes.is_empty() {
                break;
            }
            let count = notes.len();
            self.put(notes).await?;
            self.queue.done(count);
        }
        Some(())
    }

    async fn put(&self, notes: Vec<HookNote>) -> Option<()> {
        let most = self.parts.rules.max_pending;
        let dropped = self.parts.store.note(notes, most).await.ok()?;
        if dropped > 0 {
            queue::dropped(dropped);
            self.is_missing();
            if let Some(dropped) = self.drops.happened_times(dropped) {
                tracing::warn!(
                    dropped,
                    "as many webhooks wait as may; further ones are dropped"
                );
            }
        }
        self.due.notify_one();
        Some(())
    }

    /// Asks again how the rooms are of which that could not be asked.
    async fn read_unread(&self) {
        let unread = std::mem::take(&mut *self.unread.lock());
        for room in &unread {
            self.look_into(room).await;
        }
    }

    pub(super) async fn finish(&self) {
        if timeout(LAST_WRITE, self.write_some(LAST_WRITE))
            .await
            .is_err()
        {
            tracing::warn!("what webhooks were to be told could not be noted");
        }
        let run = &self.parts.run;
        // What is left is others' now.
        let released = self.parts.leases.release(&lease(run), run).await;
        if let Err(error) = released {
            tracing::debug!(%error, "a lease could not be given back; it lapses");
        }
    }
}
