//! The one thread that writes: it commits what is waiting as one transaction, then answers.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    SqliteOptions,
    group::{self, Job, KnownFeeds},
};
use crate::{
    ports::{Commit, StoreError, StoreResult},
    stores::{line::Line, metrics::ErrorKind},
    telemetry::metric,
};

/// The way to the writer; clones share it.
#[derive(Clone)]
pub(super) struct Writer(Arc<Shared>);

struct Shared {
    line: Arc<Line<Box<dyn Job>>>,
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
    /// Starts the thread. It keeps the lock for as long as it has the connection, and is the only
    /// one to have `commits`: the channel is closed once the last entry has been handed over.
    pub(super) fn start(
        connection: Connection,
        lock: File,
        commits: mpsc::UnboundedSender<Commit>,
        options: &SqliteOptions,
    ) -> io::Result<Self> {
        let line = Arc::new(Line::new(options.queue.max(1)));
        let (running, ended) = watch::channel(());
        let healthy = Arc::new(AtomicBool::new(true));
        let thread = Thread {
            connection,
            feeds: KnownFeeds::default(),
            line: Arc::clone(&line),
            commits,
            group: options.group.max(1),
            healthy: Arc::clone(&healthy),
        };
        thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || {
                thread.run();
                drop(lock);
                drop(running);
            })?;
        Ok(Self(Arc::new(Shared {
            line,
            healthy,
            ended,
            timeout: options.timeout,
        })))
    }

    /// Puts a job in line on the first poll and waits for its answer. A job that is beyond the
    /// line's limit for longer than the timeout is withdrawn.
    pub(super) async fn submit<T>(
        &self,
        job: Box<dyn Job>,
        mut answer: oneshot::Receiver<StoreResult<T>>,
    ) -> StoreResult<T> {
        if let Some(ticket) = self.0.line.join(job)? {
            if let Ok(answer) = timeout(self.0.timeout, &mut answer).await {
                return answer.unwrap_or(Err(StoreError));
            }
            if self.0.line.withdraw(ticket).is_some() {
                ErrorKind::QueueFull.count();
                return Err(StoreError);
            }
        }
        answer.await.unwrap_or(Err(StoreError))
    }

    /// Puts `work` in line and returns what it gave once that is committed.
    pub(super) async fn write<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        let write = Write {
            work: Some(work),
            outcome: None,
            done,
        };
        self.submit(Box::new(write), answer).await
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.0.healthy.load(Ordering::Relaxed) && !self.0.line.is_closed()
    }

    /// Refuses new jobs and waits until those in line are done and the file is given back.
    pub(super) async fn close(&self) {
        self.0.line.close();
        let mut ended = self.0.ended.clone();
        // Nothing is ever sent: an error means that the thread has dropped its end.
        while ended.changed().await.is_ok() {}
    }
}

/// A write that only gives its result to its caller.
struct Write<T, F> {
    work: Option<F>,
    outcome: Option<T>,
    done: oneshot::Sender<StoreResult<T>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, connection: &Connection, _: &mut KnownFeeds) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.outcome = Some(work(connection)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, fate: StoreResult<()>, _: &mpsc::UnboundedSender<Commit>) {
        // A caller that has gone does not need to know.
        let _ = self.done.send(fate.and(self.outcome.ok_or(StoreError)));
    }
}

struct Thread {
    connection: Connection,
    feeds: KnownFeeds,
    line: Arc<Line<Box<dyn Job>>>,
    commits: mpsc::UnboundedSender<Commit>,
    group: usize,
    healthy: Arc<AtomicBool>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.line.abandon();
    }
}

impl Thread {
    fn run(mut self) {
        let depth = ::metrics::gauge!(metric::QUEUE_DEPTH);
        let group_size = ::metrics::histogram!(metric::GROUP_SIZE);
        let mut waiting = Vec::with_capacity(self.group);
        loop {
            self.line.take(self.group, &mut waiting);
            if waiting.is_empty() {
                break;
            }
            depth.set(self.line.len() as f64);
            group_size.record(waiting.len() as f64);
            self.write(&mut waiting);
        }
        let emptied: rusqlite::Result<()> =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = emptied {
            tracing::warn!(%error, "the write-ahead log could not be emptied; it stays for the next start");
        }
    }

    fn write(&mut self, waiting: &mut Vec<Box<dyn Job>>) {
        let committed = group::commit(&self.connection, &mut self.feeds, waiting);
        let was_healthy = self.healthy.swap(committed.is_ok(), Ordering::Relaxed);
        match committed {
            Ok(fates) => {
                if !was_healthy {
                    tracing::info!("the store can be written again");
                }
                for (job, fate) in waiting.drain(..).zip(fates) {
                    job.answer(fate, &self.commits);
                }
            }
            Err(error) => {
                ErrorKind::Commit.count();
                // Once, not per group: under load there are hundreds a second.
                if was_healthy {
                    tracing::error!(%error, "the store cannot be written");
                }
                for job in waiting.drain(..) {
                    job.answer(Err(StoreError), &self.commits);
                }
            }
        }
    }
}
