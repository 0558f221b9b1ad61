//! What must last, in a PostgreSQL that several nodes share: each has one task that appends in
//! groups, and a pool of connections for the rest.

mod append;
mod changes;
mod connect;
mod feeds;
mod hooks;
mod leases;
mod members;
mod page;
mod payments;
mod pool;
mod push;
mod retention;
mod revocations;
mod rows;
mod seen;
mod sessions;
mod stock;
mod task;
mod writer;

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use self::{connect::Connector, pool::Pool, writer::Writer};
use crate::ports::Commit;

/// How far a commit goes before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// To the server's disk, and to its synchronous standbys where it has any: an answered write
    /// survives a power cut.
    Full,
    /// To the server's memory: when it crashes, the newest answered writes may be lost, never the
    /// consistency of the rest.
    Normal,
}

/// Which database to open, and how. Every number must be at least 1.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where the database is, as a URL, which may hold a password.
    pub url: String,
    /// What an answered write survives.
    pub synchronous: Synchronous,
    /// The most appends in one transaction.
    pub group: usize,
    /// The number of connections for all but appending.
    pub readers: usize,
    /// The longest time for an append, from its call on, and for any other statement, with the wait
    /// for a connection.
    pub timeout: Duration,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions").finish_non_exhaustive()
    }
}

/// Why the database cannot be opened, in one line without the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL says nothing that can be understood.
    #[error("the URL of the PostgreSQL database is not valid")]
    Url,
    /// It cannot be reached, or refuses this user.
    #[error("cannot connect to the database {database}: {source}")]
    Connect {
        /// Its host, port and name.
        database: String,
        /// The cause.
        source: sqlx::Error,
    },
    /// Not every text can be stored in it.
    #[error("the database {database} has the encoding {encoding}; it must be UTF8")]
    Encoding {
        /// Its host, port and name.
        database: String,
        /// How it encodes text.
        encoding: String,
    },
    /// A newer version of this program made it.
    #[error(
        "the database {database} was made by a newer version (schema {found}, this version knows {known})"
    )]
    Newer {
        /// Its host, port and name.
        database: String,
        /// Its schema's version.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// It cannot be brought to the current schema.
    #[error("cannot bring the database {database} to the current schema: {source}")]
    Migrate {
        /// Its host, port and name.
        database: String,
        /// The cause.
        source: sqlx::migrate::MigrateError,
    },
}

/// A handle to the database; clones share it.
///
/// When the last clone is dropped, what is queued is still written, but nobody waits for it:
/// [`close`](Self::close) does.
#[derive(Clone)]
pub struct PostgresStore {
    writer: Writer,
    pool: Arc<Pool>,
    /// What this run is called in the database, where it owns something.
    owner: Arc<str>,
}

impl PostgresStore {
    /// Connects, makes the tables or brings them to the current schema, and starts the task that
    /// appends. New entries of feeds that are appended here go to `commits`, whose receiver answers
    /// them; it ends when the store has closed.
    pub async fn open(
        options: &PostgresOptions,
        commits: mpsc::UnboundedSender<Commit>,
    ) -> Result<Self, OpenError> {
        let connector = Connector::new(options)?;
        connector.migrate().await?;
        let connection = connector.open().await?;
        let pool = Pool::new(connector.clone(), options.readers.max(1));
        let writer = Writer::start(connector, connection, commits, options.group.max(1));
        Ok(Self {
            writer,
            pool: Arc::new(pool),
            owner: uuid::Uuid::now_v7().to_string().into(),
        })
    }

    /// Refuses new writes and reads, finishes what is queued, and closes the connections. Further
    /// calls wait for the same.
    pub async fn close(&self) {
        self.pool.close().await;
        self.writer.close().await;
    }

    /// Whether the last group of appends was committed and the store is not closed.
    pub fn is_healthy(&self) -> bool {
        self.writer.is_healthy()
    }

    /// Commits nothing, to learn whether commits succeed again.
    pub async fn probe(&self) {
        self.writer.probe().await;
    }
}
