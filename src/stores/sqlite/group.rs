//! A group of writes in one transaction, each of which can fail alone.

use std::{
    any::Any,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::mpsc;

use crate::{
    domain::FeedId,
    ports::{Commit, StoreError, StoreResult},
    stores::metrics::ErrorKind,
};

/// How many feeds the writer knows by heart; when there are more after a group, it forgets all and
/// reads again.
const MAX_KNOWN_FEEDS: usize = 10_000;

/// A write that waits for its group.
pub(super) trait Job: Send {
    /// Does the work inside the group's transaction and keeps what came of it.
    fn run(&mut self, connection: &Connection, feeds: &mut KnownFeeds) -> rusqlite::Result<()>;

    /// Whether the work can be done once more after it was undone, wherever an error or a panic had
    /// stopped it.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// Tells whoever waits, after the group has been committed or rolled back; new entries go to
    /// `commits`.
    fn answer(self: Box<Self>, fate: StoreResult<()>, commits: &mpsc::UnboundedSender<Commit>);
}

/// Why a write, or its whole group, was undone.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("a write panicked")]
    Panic,
}

impl From<Box<dyn Any + Send>> for Fault {
    fn from(_: Box<dyn Any + Send>) -> Self {
        Self::Panic
    }
}

/// Where a feed stands, as of the newest write of the running transaction.
#[derive(Clone, Copy)]
pub(super) struct KnownFeed {
    pub(super) row: i64,
    pub(super) last_seq: i64,
}

/// The feeds written lately. Forgotten whenever anything is rolled back.
#[derive(Default)]
pub(super) struct KnownFeeds {
    known: HashMap<FeedId, KnownFeed>,
    /// The last `seq` of the feeds where the database has not heard of it yet, by row.
    unsaved: HashMap<i64, i64>,
}

impl KnownFeeds {
    /// The feed, made if this is the first that is heard of it.
    pub(super) fn open(
        &mut self,
        connection: &Connection,
        feed: &FeedId,
    ) -> rusqlite::Result<KnownFeed> {
        if let Some(known) = self.known.get(feed) {
            return Ok(*known);
        }
        let key = feed.key();
        let known = connection
            .prepare_cached("SELECT id, last_seq FROM feeds WHERE key = ?1")?
            .query_row([&key], |row| {
                Ok(KnownFeed {
                    row: row.get(0)?,
                    last_seq: row.get(1)?,
                })
            })
            .optional()?;
        if let Some(known) = known {
            return Ok(known);
        }
        connection
            .prepare_cached("INSERT INTO feeds (key) VALUES (?1)")?
            .execute([&key])?;
        let row = connection.last_insert_rowid();
        if let FeedId::Direct(one, other) = feed {
            for user in [one, other] {
                connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO conversations (user, feed) VALUES (?1, ?2)",
                    )?
                    .execute(params![user.as_str(), row])?;
            }
        }
        Ok(KnownFeed { row, last_seq: 0 })
    }

    /// Notes where a feed stands after a write, to be [saved](Self::save).
    pub(super) fn note(&mut self, feed: &FeedId, known: KnownFeed) {
        self.unsaved.insert(known.row, known.last_seq);
        match self.known.get_mut(feed) {
            Some(place) => *place = known,
            None => drop(self.known.insert(feed.clone(), known)),
        }
    }

    /// Writes where feeds stand, once for all that was written to each.
    fn save(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for (row, last_seq) in self.unsaved.drain() {
            connection
                .prepare_cached("UPDATE feeds SET last_seq = ?2 WHERE id = ?1")?
                .execute([row, last_seq])?;
        }
        if self.known.len() >= MAX_KNOWN_FEEDS {
            self.known.clear();
        }
        Ok(())
    }
}

/// Runs the jobs in one transaction, in their order. On success each has its own fate; otherwise
/// all are undone.
pub(super) fn commit(
    connection: &Connection,
    feeds: &mut KnownFeeds,
    jobs: &mut [Box<dyn Job>],
) -> Result<Vec<StoreResult<()>>, Fault> {
    let outcome = transact(connection, feeds, jobs);
    if outcome.is_err() {
        *feeds = KnownFeeds::default();
        if !connection.is_autocommit() {
            // If even this fails, the next BEGIN does, and with it the next group.
            let _ = step(connection, "ROLLBACK");
        }
    }
    outcome
}

fn transact(
    connection: &Connection,
    feeds: &mut KnownFeeds,
    jobs: &mut [Box<dyn Job>],
) -> Result<Vec<StoreResult<()>>, Fault> {
    step(connection, "BEGIN IMMEDIATE")?;
    let repeatable = jobs.iter().take_while(|job| job.is_repeatable()).count();
    let (first, rest) = jobs.split_at_mut(repeatable);
    let mut fates = Vec::with_capacity(first.len() + rest.len());
    // As a rule they go well. To set a mark before each, as for the rest, costs a third of their time.
    if let Err(error) = attempt(connection, feeds, first) {
        tracing::debug!(%error, "the writes of a group are done one by one");
        *feeds = KnownFeeds::default();
        if !connection.is_autocommit() {
            step(connection, "ROLLBACK")?;
        }
        step(connection, "BEGIN IMMEDIATE")?;
        for job in first {
            fates.push(run_alone(connection, feeds, job)?);
        }
    } else {
        fates.resize(first.len(), Ok(()));
    }
    for job in rest {
        fates.push(run_alone(connection, feeds, job)?);
    }
    step(connection, "COMMIT")?;
    Ok(fates)
}

fn attempt(
    connection: &Connection,
    feeds: &mut KnownFeeds,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), Fault> {
    let run = catch_unwind(AssertUnwindSafe(|| {
        jobs.iter_mut()
            .try_for_each(|job| job.run(connection, feeds))?;
        feeds.save(connection)
    }));
    Ok(run??)
}

/// Runs one job so that its failure undoes only its own changes. Fails when the whole
/// transaction is lost.
fn run_alone(
    connection: &Connection,
    feeds: &mut KnownFeeds,
    job: &mut Box<dyn Job>,
) -> Result<StoreResult<()>, Fault> {
    step(connection, "SAVEPOINT one")?;
    let Err(fault) = attempt(connection, feeds, std::slice::from_mut(job)) else {
        step(connection, "RELEASE one")?;
        return Ok(Ok(()));
    };
    *feeds = KnownFeeds::default();
    // Some failures (a full disk, no memory) make SQLite end the transaction by itself.
    if connection.is_autocommit() {
        return Err(fault);
    }
    step(connection, "ROLLBACK TO one")?;
    step(connection, "RELEASE one")?;
    ErrorKind::Write.count();
    tracing::error!(error = %fault, "a write failed");
    Ok(Err(StoreError))
}

fn step(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
