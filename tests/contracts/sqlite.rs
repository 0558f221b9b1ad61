//! The suites against SQLite, and what only a file can show.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use roomcast::{
    domain::{Entry, NewEntry},
    ports::{
        FeedStore, HookStore, MemberStore, PaymentStore, PushStore, RevocationStore, SeenStore,
        SessionStore, StockStore, StoreError, SubscriptionStore,
    },
    stores::sqlite::{OpenError, SqliteOptions, SqliteStore, Synchronous},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::backend::{Durable, Readers, append, says};

fn open(path: &Path) -> Result<(SqliteStore, Readers), OpenError> {
    let options = SqliteOptions {
        path: path.to_owned(),
        synchronous: Synchronous::Normal,
        queue: 256,
        group: 64,
        readers: 2,
        timeout: Duration::from_secs(5),
    };
    let (sender, commits) = mpsc::unbounded_channel();
    let store = SqliteStore::open(&options, sender)?;
    Ok((store, Readers::of(commits)))
}

struct Sqlite {
    store: SqliteStore,
    readers: Readers,
    path: PathBuf,
    _folder: TempDir,
}

impl Sqlite {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/if need be/roomcast.db");
        let (store, readers) = open(&path).unwrap();
        Self {
            store,
            readers,
            path,
            _folder: folder,
        }
    }

    /// Changes the file while the store is closed.
    async fn tamper(&mut self, sql: &str) {
        self.store.close().await;
        let connection = rusqlite::Connection::open(&self.path).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

impl Durable for Sqlite {
    fn feeds(&self) -> Arc<dyn FeedStore> {
        Arc::new(self.store.clone())
    }

    fn members(&self) -> Arc<dyn MemberStore> {
        Arc::new(self.store.clone())
    }

    fn payments(&self) -> Arc<dyn PaymentStore> {
        Arc::new(self.store.clone())
    }

    fn stock(&self) -> Arc<dyn StockStore> {
        Arc::new(self.store.clone())
    }

    fn revocations(&self) -> Arc<dyn RevocationStore> {
        Arc::new(self.store.clone())
    }

    fn seen(&self) -> Arc<dyn SeenStore> {
        Arc::new(self.store.clone())
    }

    fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    fn pushes(&self) -> Arc<dyn PushStore> {
        Arc::new(self.store.clone())
    }

    fn subscriptions(&self) -> Arc<dyn SubscriptionStore> {
        Arc::new(self.store.clone())
    }

    fn hooks(&self) -> Arc<dyn HookStore> {
        Arc::new(self.store.clone())
    }

    fn delivered(&self) -> Vec<Arc<Entry>> {
        self.readers.heard()
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        (self.store, self.readers) = open(&self.path).unwrap();
    }
}

mod appending {
    crate::appending::appending!(super::Sqlite);
}
mod changes {
    crate::changes::changes!(super::Sqlite);
}
mod changing {
    crate::changing::changing!(super::Sqlite);
}
mod hooks {
    crate::hooks::hooks!(super::Sqlite);
}
mod members {
    crate::members::members!(super::Sqlite);
}
mod paging {
    crate::paging::paging!(super::Sqlite);
}
mod payments {
    crate::payments::payments!(super::Sqlite);
}
mod push {
    crate::push::push!(super::Sqlite);
}
mod reading {
    crate::reading::reading!(super::Sqlite);
}
mod retention {
    crate::retention::retention!(super::Sqlite);
}
mod revocations {
    crate::revocations::revocations!(super::Sqlite);
}

mod seen {
    crate::seen::seen!(super::Sqlite);
}
mod sessions {
    crate::sessions::sessions!(super::Sqlite);
}

mod since {
    crate::since::since!(super::Sqlite);
}
mod stock {
    crate::stock::stock!(super::Sqlite);
}

#[tokio::test]
async fn an_append_that_fails_fails_alone_and_takes_no_place() {
    let backend = Sqlite::open().await;
    let feeds = backend.feeds();
    let first = append(&feeds, says("alice", "first")).await;
    let same_id = NewEntry {
        id: first.id.clone(),
        ..says("alice", "same id")
    };
    let (before, failed, after) = tokio::join!(
        feeds.append(says("alice", "before")),
        feeds.append(same_id),
        feeds.append(says("alice", "after")),
    );
    assert_eq!(before.unwrap().entry.seq, 2);
    assert_eq!(failed.unwrap_err(), StoreError);
    assert_eq!(after.unwrap().entry.seq, 3);
}

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_is_closed() {
    let backend = Sqlite::open().await;
    let error = open(&backend.path).err().unwrap();
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(error.to_string().contains("is in use"));
    backend.store.close().await;
    assert!(open(&backend.path).is_ok());
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_in_one_line() {
    let mut backend = Sqlite::open().await;
    backend.tamper("PRAGMA user_version = 99").await;
    let error = open(&backend.path).err().unwrap().to_string();
    assert!(error.contains("was made by a newer version"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roomcast.db");
    std::fs::write(
        &path,
        "no database at all, only text, over and over".repeat(100),
    )
    .unwrap();
    let error = open(&path).err().unwrap().to_string();
    assert!(error.starts_with("cannot open the database"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[tokio::test]
async fn closing_leaves_one_file_and_its_lock() {
    let backend = Sqlite::open().await;
    append(&backend.feeds(), says("alice", "hello")).await;
    backend.store.close().await;
    let mut files: Vec<_> = std::fs::read_dir(backend.path.parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["roomcast.db", "roomcast.db.lock"]);
}
