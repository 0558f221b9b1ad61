//! The task that appends: it commits what is waiting as one statement, then answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    append::{self, Append},
    connect::{Connector, Live, is_lost, no_answer},
    writer::Job,
};
use crate::{
    ports::{Commit, StoreError},
    stores::{line::Line, metrics::ErrorKind},
    telemetry::metric,
};

/// How long to wait before connecting again: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// What the task works with.
pub(super) struct Task {
    pub(super) connector: Connector,
    /// None while the database is away.
    pub(super) connection: Option<Live>,
    pub(super) line: Arc<Line<Job>>,
    pub(super) commits: mpsc::UnboundedSender<Commit>,
    /// The most appends in one transaction.
    pub(super) group: usize,
    pub(super) healthy: Arc<AtomicBool>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.line.abandon();
    }
}

impl Task {
    /// Works until the line is closed and empty.
    pub(super) async fn run(mut self) {
        let mut waiting = Vec::with_capacity(self.group);
        loop {
            self.line.next(self.group, &mut waiting).await;
            if waiting.is_empty() {
                break;
            }
            #[allow(clippy::cast_precision_loss)] // Far fewer jobs than 2^52.
            {
                ::metrics::gauge!(metric::QUEUE_DEPTH).set(self.line.len() as f64);
                ::metrics::histogram!(metric::GROUP_SIZE).record(waiting.len() as f64);
            }
            self.serve(&mut waiting).await;
            if self.connection.is_none() {
                self.reconnect().await;
            }
        }
        if let Some(live) = self.connection.take() {
            // The server notices also when this does not reach it.
            let _ = timeout(self.connector.timeout, live.connection.close()).await;
        }
    }

    async fn serve(&mut self, waiting: &mut Vec<Job>) {
        let (mut appends, mut probes) = (Vec::new(), Vec::new());
        for job in waiting.drain(..) {
            match job {
                Job::Append(append) => appends.push(append),
                Job::Probe(done) => probes.push(done),
            }
        }
        // One that the server has closed meanwhile costs no append.
        if let Some(live) = &mut self.connection
            && !self.connector.is_alive(live).await
        {
            self.connection = self.connector.connect().await.ok();
        }
        if !appends.is_empty() {
            self.append(appends).await;
        }
        if !probes.is_empty() {
            let outcome = self.ask(touch).await;
            self.note(outcome.as_ref().err());
        }
        // Dropped probes tell their callers.
        drop(probes);
    }

    /// Appends entries in parts. Of a part that one of its entries spoils each half is tried alone.
    async fn append(&mut self, group: Vec<Append>) {
        let mut parts = append::parts(group);
        while let Some(mut part) = parts.pop() {
            let outcome = self
                .ask(async |connection: &mut PgConnection| append::append(connection, &part).await)
                .await;
            match outcome {
                Ok(outcomes) => {
                    self.note(None);
                    for (append, outcome) in part.into_iter().zip(outcomes) {
                        append
                            .caller
                            .answer(outcome.ok_or(StoreError), &self.commits);
                    }
                }
                Err(error) if is_spoiled(&error) && part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(error) => {
                    if is_spoiled(&error) {
                        ErrorKind::Write.count();
                        tracing::error!(%error, "an append failed");
                    } else {
                        self.note(Some(&error));
                    }
                    for append in part {
                        append.caller.answer(Err(StoreError), &self.commits);
                    }
                }
            }
        }
    }

    /// Asks the database within the timeout. A connection that fails is given up.
    async fn ask<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        let Some(mut live) = self.connection.take() else {
            return Err(no_answer());
        };
        let answer = timeout(self.connector.timeout, ask(&mut live.connection)).await;
        let answer = answer.unwrap_or_else(|_| Err(no_answer()));
        if !answer.as_ref().is_err_and(is_lost) {
            live.used_at = Instant::now();
            self.connection = Some(live);
        }
        answer
    }

    /// Notes whether commits succeed.
    fn note(&self, error: Option<&sqlx::Error>) {
        let was_healthy = self.healthy.swap(error.is_none(), Ordering::Relaxed);
        let Some(error) = error else {
            if !was_healthy {
                tracing::info!("the store can be written again");
            }
            return;
        };
        ErrorKind::Commit.count();
        // Once, not per group: under load there are hundreds a second.
        if was_healthy {
            tracing::error!(%error, "the store cannot be written");
        }
    }

    /// Connects again. Once that has failed, whoever comes meanwhile is told so at once. Ends
    /// without a connection when the line is closed.
    async fn reconnect(&mut self) {
        let [mut pause, longest] = PAUSES;
        let mut attempt = self.connect().await;
        while let Err(error) = &attempt
            && !self.line.is_closed()
        {
            self.note(Some(error));
            let next = async {
                sleep(pause).await;
                self.connect().await
            };
            tokio::select! {
                next = next => attempt = next,
                () = refuse(&self.line, &self.commits) => {}
            }
            pause = longest.min(pause * 2);
        }
        if attempt.is_ok() {
            self.note(None);
        }
        self.connection = attempt.ok();
    }

    /// A connection by which the database can be written.
    async fn connect(&self) -> sqlx::Result<Live> {
        let mut live = self.connector.connect().await?;
        let touched = timeout(self.connector.timeout, touch(&mut live.connection)).await;
        touched.unwrap_or_else(|_| Err(no_answer()))?;
        Ok(live)
    }
}

/// Answers whoever comes that the store is away, until the line is closed.
async fn refuse(line: &Line<Job>, commits: &mpsc::UnboundedSender<Commit>) {
    let mut waiting = Vec::new();
    loop {
        line.next(usize::MAX, &mut waiting).await;
        if waiting.is_empty() {
            return;
        }
        for job in waiting.drain(..) {
            if let Job::Append(append) = job {
                append.caller.answer(Err(StoreError), commits);
            }
        }
    }
}

/// Commits a change that changes nothing.
async fn touch(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE log SET position = position")
        .execute(connection)
        .await
        .map(drop)
}

/// Whether an entry cannot be stored as it is: wrong data, a broken rule, a limit of the database.
fn is_spoiled(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    ["22", "23", "54"]
        .iter()
        .any(|class| code.starts_with(class))
}
