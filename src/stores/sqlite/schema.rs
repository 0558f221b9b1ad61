//! Connections as the store wants them, and the migrations that bring a file to today's schema.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{OpenError, SqliteOptions, Synchronous};

/// Applied in order; the file's `user_version` says how many it has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_recovery.sql"),
    include_str!("migrations/0003_readers.sql"),
    include_str!("migrations/0004_push.sql"),
    include_str!("migrations/0005_presence.sql"),
    include_str!("migrations/0006_told.sql"),
    include_str!("migrations/0007_hooks.sql"),
];

/// How many prepared statements a connection keeps; more than there are kinds of them.
const STATEMENTS: usize = 128;

/// The writer's page cache in KiB, so that the ends of many feeds stay in memory.
const WRITER_CACHE_KIB: i64 = 32 * 1024;

/// To what size the write-ahead log is cut after a checkpoint, in bytes.
const LOG_SIZE: i64 = 64 * 1024 * 1024;

/// Opens the file for the writer and migrates it.
pub(super) fn open_for_writing(options: &SqliteOptions) -> Result<Connection, OpenError> {
    let failed = |source| failed(&options.path, source);
    let mut connection = Connection::open(&options.path).map_err(failed)?;
    refuse_newer(&connection, &options.path)?;
    let mode = configure_writer(&connection, options).map_err(failed)?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog(options.path.clone()));
    }
    migrate(&mut connection).map_err(failed)?;
    Ok(connection)
}

/// Opens the file for one reader.
pub(super) fn open_for_reading(options: &SqliteOptions) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(&options.path, flags)?;
        connection.busy_timeout(options.timeout)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    };
    open().map_err(|error| failed(&options.path, error))
}

fn failed(path: &Path, source: rusqlite::Error) -> OpenError {
    OpenError::Sqlite {
        path: path.to_owned(),
        source,
    }
}

/// Returns the journal mode that the file got.
fn configure_writer(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<String> {
    connection.busy_timeout(options.timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    match options.synchronous {
        Synchronous::Full => {
            connection.pragma_update(None, "synchronous", "full")?;
            // On macOS alone, fsync stops short of the disk unless asked twice.
            connection.pragma_update(None, "fullfsync", true)?;
        }
        Synchronous::Normal => connection.pragma_update(None, "synchronous", "normal")?,
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_size_limit", LOG_SIZE)?;
    Ok(mode)
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| {
        let version: i64 = row.get(0)?;
        // A negative version is nobody's: too new to be touched.
        Ok(usize::try_from(version).unwrap_or(usize::MAX))
    })
}

fn refuse_newer(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found = version(connection).map_err(|source| failed(path, source))?;
    if found > MIGRATIONS.len() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: MIGRATIONS.len(),
        });
    }
    Ok(())
}

/// Applies what is missing, all or nothing.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let seen = version(&transaction)?;
    for migration in MIGRATIONS.iter().skip(seen) {
        transaction.execute_batch(migration)?;
    }
    // A pragma takes no parameter; the number is ours.
    transaction.execute_batch(&format!("PRAGMA user_version = {}", MIGRATIONS.len()))?;
    transaction.commit()
}

/// An empty database that no file holds.
#[cfg(test)]
pub(super) fn in_memory() -> Connection {
    let open = || {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection)?;
        Ok::<_, rusqlite::Error>(connection)
    };
    open().unwrap_or_else(|error| panic!("{error}"))
}
