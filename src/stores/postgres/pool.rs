//! Connections for all but appending. Unlike sqlx's own pool it asks nothing of a server that has
//! stopped answering without a limit of time, and never hands on a connection whose statement was
//! given up.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::TryStreamExt;
use parking_lot::Mutex;
use sqlx::{
    Connection, Either, Executor, PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit, TryAcquireError},
    time::{Instant, timeout, timeout_at},
};

use super::connect::{Connector, Live, is_lost, no_answer};
use crate::{
    ports::{StoreError, StoreResult},
    stores::metrics::ErrorKind,
};

/// A statement with its parameters.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// The connections; each statement has one for itself.
pub(super) struct Pool {
    connector: Connector,
    /// One permit per connection that there may be.
    permits: Semaphore,
    idle: Mutex<Vec<Live>>,
    size: u32,
    complaints: Complaints,
}

impl Pool {
    pub(super) fn new(connector: Connector, size: usize) -> Self {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        Self {
            connector,
            permits: Semaphore::new(size as usize),
            idle: Mutex::default(),
            size,
            complaints: Complaints::default(),
        }
    }

    /// Reads the rows that a statement gives.
    pub(super) async fn read<T>(
        &self,
        statement: Statement<'_>,
        read: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> StoreResult<Vec<T>> {
        let answer = self.run(statement, ErrorKind::Read).await?;
        self.rows(&answer, ErrorKind::Read, read)
    }

    /// Reads the one row that a statement gives, or none.
    pub(super) async fn read_one<T>(
        &self,
        statement: Statement<'_>,
        read: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> StoreResult<Option<T>> {
        Ok(self.read(statement, read).await?.pop())
    }

    /// Runs a statement that changes something, and reads the row that it gives, if it does.
    pub(super) async fn change<T>(
        &self,
        statement: Statement<'_>,
        read: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> StoreResult<Option<T>> {
        let answer = self.run(statement, ErrorKind::Write).await?;
        Ok(self.rows(&answer, ErrorKind::Write, read)?.pop())
    }

    /// Runs a statement that changes something; how many rows it has changed.
    pub(super) async fn write(&self, statement: Statement<'_>) -> StoreResult<u64> {
        Ok(self.run(statement, ErrorKind::Write).await?.changed)
    }

    async fn run(&self, statement: Statement<'_>, kind: ErrorKind) -> StoreResult<Answer> {
        let until = Instant::now() + self.connector.timeout;
        let _permit = self.permit(until).await?;
        let asked = timeout_at(until, self.ask(statement)).await;
        let asked = asked.unwrap_or_else(|_| Err(no_answer()));
        match asked {
            Ok(answer) => {
                self.complaints.none();
                Ok(answer)
            }
            Err(error) => Err(self.failed(kind, &error)),
        }
    }

    fn rows<T>(
        &self,
        answer: &Answer,
        kind: ErrorKind,
        read: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> StoreResult<Vec<T>> {
        let read: sqlx::Result<Vec<T>> = answer.rows.iter().map(read).collect();
        read.map_err(|error| self.failed(kind, &error))
    }

    fn failed(&self, kind: ErrorKind, error: &sqlx::Error) -> StoreError {
        kind.count();
        self.complaints.log(error);
        StoreError
    }

    async fn permit(&self, until: Instant) -> StoreResult<SemaphorePermit<'_>> {
        match self.permits.try_acquire() {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::Closed) => return Err(StoreError),
            Err(TryAcquireError::NoPermits) => {}
        }
        match timeout_at(until, self.permits.acquire()).await {
            Ok(permit) => permit.map_err(|_| StoreError),
            Err(_) => {
                ErrorKind::ReadersBusy.count();
                Err(StoreError)
            }
        }
    }

    /// When this is given up, the connection ends with it.
    async fn ask(&self, statement: Statement<'_>) -> sqlx::Result<Answer> {
        let mut live = self.connection().await?;
        let outcome = fetch(&mut live.connection, statement).await;
        match &outcome {
            Err(error) if is_lost(error) => self.idle.lock().clear(),
            _ => {
                live.used_at = std::time::Instant::now();
                self.idle.lock().push(live);
            }
        }
        outcome
    }

    async fn connection(&self) -> sqlx::Result<Live> {
        loop {
            let idle = self.idle.lock().pop();
            let Some(mut live) = idle else {
                return self.connector.connect().await;
            };
            if self.connector.is_alive(&mut live).await {
                return Ok(live);
            }
        }
    }

    /// Refuses new statements, waits for those that run, and closes the connections.
    pub(super) async fn close(&self) {
        let all = self.permits.acquire_many(self.size);
        if timeout(self.connector.timeout, all).await.is_err() {
            tracing::warn!("statements are still running while the store closes");
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle.lock());
        for live in idle {
            // The server notices also when this does not reach it.
            let _ = timeout(self.connector.timeout, live.connection.close()).await;
        }
    }
}

/// What a statement gave.
struct Answer {
    rows: Vec<PgRow>,
    changed: u64,
}

/// How often a statement that fails is logged: under load there are hundreds a second.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Logs when the database goes and comes back, and some of the statements that it refuses.
#[derive(Default)]
struct Complaints {
    is_away: AtomicBool,
    refused_at: Mutex<Option<Instant>>,
}

impl Complaints {
    fn log(&self, error: &sqlx::Error) {
        if is_lost(error) {
            if !self.is_away.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "the store does not answer");
            }
            return;
        }
        let mut refused_at = self.refused_at.lock();
        if refused_at.is_none_or(|at| at.elapsed() > LOG_INTERVAL) {
            *refused_at = Some(Instant::now());
            tracing::error!(%error, "a statement failed");
        }
    }

    fn none(&self) {
        if self.is_away.load(Ordering::Relaxed) && self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("the store answers again");
        }
    }
}

async fn fetch(connection: &mut PgConnection, statement: Statement<'_>) -> sqlx::Result<Answer> {
    let mut answer = Answer {
        rows: Vec::new(),
        changed: 0,
    };
    let mut steps = connection.fetch_many(statement);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(done) => answer.changed += done.rows_affected(),
            Either::Right(row) => answer.rows.push(row),
        }
    }
    drop(steps);
    Ok(answer)
}
