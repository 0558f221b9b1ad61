//! Who waits for an append, and how the outcome reaches them.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::{
    ports::{Appended, Commit, StoreResult},
    telemetry::series,
};

/// The caller of an append.
pub(super) struct Caller {
    queued_at: Instant,
    done: oneshot::Sender<StoreResult<Appended>>,
}

impl Caller {
    pub(super) fn new(done: oneshot::Sender<StoreResult<Appended>>) -> Self {
        Self {
            queued_at: Instant::now(),
            done,
        }
    }

    /// Passes a new entry to whoever delivers it, who answers its append; tells the caller of
    /// anything else.
    pub(super) fn answer(
        self,
        outcome: StoreResult<Appended>,
        commits: &mpsc::UnboundedSender<Commit>,
    ) {
        let latency = self.queued_at.elapsed().as_secs_f64();
        series::append_seconds().record(latency);
        let entry = match outcome {
            Ok(appended) if !appended.duplicate => appended.entry,
            // A caller that has gone does not need to know.
            other => return drop(self.done.send(other)),
        };
        let done = self.done;
        // With nobody left to deliver, it is stored all the same.
        if let Err(mpsc::error::SendError(commit)) = commits.send(Commit { entry, done }) {
            let _ = commit.done.send(Ok(Appended {
                entry: commit.entry,
                duplicate: false,
            }));
        }
    }
}
