//! The way to the one task of a node that appends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    append::Append,
    connect::{Connector, Live},
    task::Task,
};
use crate::{
    domain::NewEntry,
    ports::{Appended, Commit, StoreError, StoreResult},
    stores::{caller::Caller, line::Line, metrics::ErrorKind},
};

/// What waits for the writer.
#[allow(clippy::large_enum_variant)] // Nearly all are appends.
pub(super) enum Job {
    Append(Append),
    /// A commit of nothing, to learn whether commits succeed.
    Probe(oneshot::Sender<()>),
}

/// The way to the writer; clones share it.
#[derive(Clone)]
pub(super) struct Writer(Arc<Shared>);

struct Shared {
    line: Arc<Line<Job>>,
    healthy: Arc<AtomicBool>,
    ended: watch::Receiver<()>,
    timeout: Duration,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.line.close();
    }
}

impl Writer {
    /// Starts the task. It is the only one to have `commits`: the channel is closed once the last
    /// entry has been handed over.
    pub(super) fn start(
        connector: Connector,
        connection: Live,
        commits: mpsc::UnboundedSender<Commit>,
        group: usize,
    ) -> Self {
        // No place is sure: whoever has waited for too long goes.
        let line = Arc::new(Line::new(0));
        let (running, ended) = watch::channel(());
        let healthy = Arc::new(AtomicBool::new(true));
        let timeout = connector.timeout;
        let task = Task {
            connector,
            connection: Some(connection),
            line: Arc::clone(&line),
            commits,
            group,
            healthy: Arc::clone(&healthy),
        };
        tokio::spawn(async move {
            task.run().await;
            drop(running);
        });
        Self(Arc::new(Shared {
            line,
            healthy,
            ended,
            timeout,
        }))
    }

    /// Puts an append in line on the first poll and waits for its answer. Given up after the
    /// timeout it is stored no more, unless it is on its way already.
    pub(super) async fn append(&self, entry: NewEntry) -> StoreResult<Appended> {
        let (done, answer) = oneshot::channel();
        let caller = Caller::new(done);
        self.submit(Job::Append(Append { entry, caller }), answer)
            .await?
    }

    pub(super) async fn probe(&self) {
        let (done, answer) = oneshot::channel();
        // The outcome shows in `is_healthy`.
        let _ = self.submit(Job::Probe(done), answer).await;
    }

    async fn submit<T>(&self, job: Job, answer: oneshot::Receiver<T>) -> StoreResult<T> {
        let ticket = self.0.line.join(job)?;
        if let Ok(answer) = timeout(self.0.timeout, answer).await {
            return answer.map_err(|_| StoreError);
        }
        if ticket
            .and_then(|ticket| self.0.line.withdraw(ticket))
            .is_some()
        {
            ErrorKind::QueueFull.count();
        }
        Err(StoreError)
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.0.healthy.load(Ordering::Relaxed) && !self.0.line.is_closed()
    }

    /// Refuses new jobs and waits until those in line are done.
    pub(super) async fn close(&self) {
        self.0.line.close();
        let mut ended = self.0.ended.clone();
        // Nothing is ever sent: an error means that the task has dropped its end.
        while ended.changed().await.is_ok() {}
    }
}
