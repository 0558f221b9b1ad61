//! What must last, in one SQLite file: one writer that commits in groups, and a pool of readers.

mod append;
mod changes;
mod feeds;
mod group;
mod hooks;
mod leases;
mod members;
mod page;
mod payments;
#[cfg(test)]
mod plans;
mod push;
mod readers;
mod retention;
mod revocations;
mod rows;
mod schema;
mod seen;
mod sessions;
mod stock;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::mpsc;

use self::{readers::Readers, writer::Writer};
use crate::{
    domain::Timestamp,
    ports::{Commit, StoreResult},
};

/// How far a commit goes before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// To the disk: an answered write survives a power cut.
    Full,
    /// To the operating system: an answered write survives a crash of this process; a power cut
    /// may take the newest ones, never the consistency of the rest.
    Normal,
}

/// Where and how to open the database. Every number must be at least 1.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The database file. Its folder is made if need be; `<path>.lock` marks it as in use.
    pub path: PathBuf,
    /// What an answered write survives.
    pub synchronous: Synchronous,
    /// The most writes that may wait for the writer for longer than the timeout.
    pub queue: usize,
    /// The most writes in one transaction.
    pub group: usize,
    /// The number of connections that read.
    pub readers: usize,
    /// The longest wait for a place in the queue, for a free reader, or for a lock on the file.
    pub timeout: Duration,
}

/// Why the database cannot be opened, in one line.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the lock file cannot be made.
    #[error("cannot prepare the database {path}: {source}")]
    File {
        /// The file that could not be made.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Another process has it open for writing.
    #[error("the database {0} is in use by another process")]
    InUse(PathBuf),
    /// A newer version of this program made it.
    #[error(
        "the database {path} was made by a newer version (schema {found}, this version knows {known})"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema's version.
        found: usize,
        /// The newest version that is known here.
        known: usize,
    },
    /// The file system cannot hold a write-ahead log.
    #[error("the database {0} lies on a file system without support for a write-ahead log")]
    NoWriteAheadLog(PathBuf),
    /// SQLite refused.
    #[error("cannot open the database {path}: {source}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
    /// The writer's thread cannot be started.
    #[error("cannot start the database writer: {0}")]
    Thread(std::io::Error),
}

/// A handle to the database; clones share it.
///
/// When the last clone is dropped, what is queued is still written, but nobody waits for it:
/// [`close`](Self::close) does.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Writer,
    readers: Arc<Readers>,
    opened: Timestamp,
    /// Whether the sessions of earlier runs have been removed.
    forgot_older: Arc<AtomicBool>,
}

impl SqliteStore {
    /// Opens the database, makes it or brings it to the current schema, and starts the writer.
    /// Blocks meanwhile. New entries of feeds go to `commits`, whose receiver answers
    /// them; it ends when the store has closed.
    pub fn open(
        options: &SqliteOptions,
        commits: mpsc::UnboundedSender<Commit>,
    ) -> Result<Self, OpenError> {
        let lock = lock(&options.path)?;
        let write = schema::open_for_writing(options)?;
        let readers = Readers::open(options)?;
        let writer = Writer::start(write, lock, commits, options).map_err(OpenError::Thread)?;
        Ok(Self {
            writer,
            readers: Arc::new(readers),
            opened: Timestamp::now(),
            forgot_older: Arc::default(),
        })
    }

    /// Refuses new writes and reads, finishes what is queued, and gives the file back, its
    /// write-ahead log emptied. Further calls wait for the same.
    pub async fn close(&self) {
        // The writer's connection should be the last one, which takes the log along.
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Whether the last transaction was committed and the store is not closed.
    pub fn is_healthy(&self) -> bool {
        self.writer.is_healthy()
    }

    /// Commits nothing, to learn whether commits succeed again.
    pub async fn probe(&self) {
        // The outcome shows in `is_healthy`.
        let _ = self.write(|_| Ok(())).await;
    }

    /// Runs `work` in the writer's next transaction and returns what it gave, once that is
    /// committed. A failure, or a panic, undoes this work alone.
    async fn write<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Runs `work` on one snapshot of all that is committed.
    async fn read<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.readers.read(work).await
    }
}

/// Makes the folder and takes the lock that keeps a second writer out for as long as the returned
/// file is open, however this process ends.
fn lock(database: &Path) -> Result<File, OpenError> {
    let failed = |path: &Path, source| OpenError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = database.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| failed(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(&path, error)),
    }
}
