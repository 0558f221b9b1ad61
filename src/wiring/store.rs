//! The database.

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc;

use super::{
    WiringError,
    options::{postgres_options, sqlite_options},
};
use crate::{
    config::Config,
    ports::Commit,
    stores::{Durable, postgres::PostgresStore, sqlite::SqliteStore},
};

/// Opens the configured database.
pub(super) async fn open_store(
    config: &Config,
    commits: mpsc::UnboundedSender<Commit>,
) -> Result<Arc<dyn Durable>, WiringError> {
    if let Some(url) = config.store.postgres() {
        let options = postgres_options(&config.store, url);
        let opened = PostgresStore::open(&options, commits).boxed();
        return Ok(Arc::new(opened.await?));
    }
    let options = sqlite_options(&config.store);
    Ok(Arc::new(SqliteStore::open(&options, commits)?))
}
