//! Brings notes into the store, and keeps the lease by which this node's sockets are there.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Live, STORE_PAUSE, queue};

/// For how long the node counts as alive after it has last said so.
const LEASE: Duration = Duration::from_secs(10);

/// How often it says so.
const RENEWAL: Duration = Duration::from_secs(3);

/// The most notes of one write.
const GROUP: usize = 256;

/// The longest wait for the store when the node stops.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// The name of a node's lease.
pub(super) fn lease(run: &str) -> String {
    format!("webhooks:{run}")
}

impl Live {
    pub(super) async fn write(&self) {
        let mut kept_at: Option<Instant> = None;
        loop {
            if kept_at.is_none_or(|at| at.elapsed() >= RENEWAL) && self.tells_sockets() {
                let asked_at = Instant::now();
                if !self.keep_lease().await {
                    sleep(STORE_PAUSE).await;
                    continue;
                }
                if kept_at.is_some_and(|at| at.elapsed() > LEASE) {
                    self.note_mine_again();
                }
                kept_at = Some(asked_at);
            }
            if self.write_some().await.is_none() {
                sleep(STORE_PAUSE).await;
                continue;
            }
            self.read_unread().await;
            // Whether something came or time passed, we look again.
            let _ = timeout(RENEWAL, self.queue.arrived()).await;
        }
    }

    async fn keep_lease(&self) -> bool {
        let run = &self.parts.run;
        let held = self.parts.leases.hold(&lease(run), run, LEASE).await;
        held.unwrap_or(false)
    }

    /// Others may have taken this node for dead: what it has is there after all.
    fn note_mine_again(&self) {
        let mine: Vec<_> = self.mine.lock().values().cloned().collect();
        for note in &mine {
            self.queue.add(self.connected(note));
        }
    }

    /// Writes all that waits; none where the store is away.
    async fn write_some(&self) -> Option<()> {
        let _one = self.writing.lock().await;
        loop {
            let notes = self.queue.first(GROUP);
            if notes.is_empty() {
                return Some(());
            }
            let count = notes.len();
            let most = self.parts.rules.max_pending;
            let dropped = self.parts.store.note(notes, most).await.ok()?;
            self.queue.done(count);
            if dropped > 0 {
                tracing::warn!(
                    dropped,
                    "as many webhooks wait as may; further ones are dropped"
                );
                queue::dropped(dropped);
            }
            self.due.notify_one();
        }
    }

    /// Asks again how the rooms are of which that could not be asked.
    async fn read_unread(&self) {
        let unread = std::mem::take(&mut *self.unread.lock());
        for room in &unread {
            self.look_into(room).await;
        }
    }

    pub(super) async fn finish(&self) {
        if timeout(LAST_WRITE, self.write_some()).await.is_err() {
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
