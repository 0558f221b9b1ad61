//! A pool of read-only connections, each used by one blocking task at a time.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::timeout,
};

use super::{OpenError, SqliteOptions, schema};
use crate::{
    ports::{StoreError, StoreResult},
    stores::metrics::ErrorKind,
};

/// The connections that read.
pub(super) struct Readers {
    /// One permit per connection: who holds one finds a connection in `idle`.
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
    count: u32,
    timeout: Duration,
}

impl Readers {
    pub(super) fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let idle = (0..options.readers.max(1))
            .map(|_| schema::open_for_reading(options))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(idle.len())),
            count: u32::try_from(idle.len()).unwrap_or(u32::MAX),
            idle: Arc::new(Mutex::new(idle)),
            timeout: options.timeout,
        })
    }

    /// Runs `work` on a blocking thread, on one snapshot. Waits for a free connection up to the
    /// timeout.
    pub(super) async fn read<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = self.permit().await?;
        let idle = Arc::clone(&self.idle);
        let read = tokio::task::spawn_blocking(move || {
            let connection = idle.lock().pop()?;
            let outcome = catch_unwind(AssertUnwindSafe(|| on_snapshot(&connection, work)));
            // The connection must be back before the permit is.
            idle.lock().push(connection);
            drop(permit);
            outcome.ok()
        });
        match read.await {
            Ok(Some(Ok(value))) => return Ok(value),
            Ok(Some(Err(error))) => tracing::error!(%error, "a read failed"),
            Ok(None) | Err(_) => tracing::error!("a read ended without a result"),
        }
        ErrorKind::Read.count();
        Err(StoreError)
    }

    async fn permit(&self) -> StoreResult<OwnedSemaphorePermit> {
        let permits = Arc::clone(&self.permits);
        match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => return Ok(permit),
            Err(TryAcquireError::Closed) => return Err(StoreError),
            Err(TryAcquireError::NoPermits) => {}
        }
        match timeout(self.timeout, permits.acquire_owned()).await {
            Ok(permit) => permit.map_err(|_| StoreError),
            Err(_) => {
                ErrorKind::ReadersBusy.count();
                Err(StoreError)
            }
        }
    }

    /// Refuses new reads, waits for those that run up to the timeout, and closes the connections.
    pub(super) async fn close(&self) {
        let all = self.permits.acquire_many(self.count);
        if timeout(self.timeout, all).await.is_err() {
            tracing::warn!("reads are still running while the store closes");
        }
        self.permits.close();
        self.idle.lock().clear();
    }
}

fn on_snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    // Several statements must see one state. Nothing is written, so dropping it ends it well.
    let _snapshot = connection.unchecked_transaction()?;
    work(connection)
}
