//! The suites against PostgreSQL, and what opening it shows.

use std::sync::Arc;

use futures_util::future::join_all;
use roomcast::{
    domain::{Cursor, Entry, EntryId, FeedId, FeedKind, NewEntry},
    ports::{
        After, FeedStore, Following, HookStore, KeepRule, MemberStore, PaymentStore, PushStore,
        RevocationStore, SeenStore, SessionStore, StockStore, StoreError, SubscriptionStore,
    },
    stores::postgres::{OpenError, PostgresStore},
};

use crate::{
    backend::{Durable, Readers, append, at, room, says, says_as, user},
    postgres_server::{database, empty_database, open, options, query_number, run_sql},
};

struct Postgres {
    store: PostgresStore,
    readers: Readers,
    url: String,
}

impl Postgres {
    async fn open() -> Self {
        let url = database().await;
        let (store, readers) = open(&url).await.unwrap();
        Self {
            store,
            readers,
            url,
        }
    }
}

impl Durable for Postgres {
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
        (self.store, self.readers) = open(&self.url).await.unwrap();
    }
}

mod appending {
    crate::appending::appending!(super::Postgres);
}
mod changes {
    crate::changes::changes!(super::Postgres);
}
mod changing {
    crate::changing::changing!(super::Postgres);
}
mod hooks {
    crate::hooks::hooks!(super::Postgres);
}
mod members {
    crate::members::members!(super::Postgres);
}
mod paging {
    crate::paging::paging!(super::Postgres);
}
mod payments {
    crate::payments::payments!(super::Postgres);
}
mod push {
    crate::push::push!(super::Postgres);
}
mod reading {
    crate::reading::reading!(super::Postgres);
}
mod retention {
    crate::retention::retention!(super::Postgres);
}
mod revocations {
    crate::revocations::revocations!(super::Postgres);
}
mod seen {
    crate::seen::seen!(super::Postgres);
}
mod sessions {
    crate::sessions::sessions!(super::Postgres);
}
mod since {
    crate::since::since!(super::Postgres);
}
mod stock {
    crate::stock::stock!(super::Postgres);
}

#[tokio::test]
async fn an_append_that_fails_fails_alone_and_takes_no_place() {
    let backend = Postgres::open().await;
    let feeds = backend.feeds();
    let first = append(&feeds, says("alice", "first")).await;
    let same_id = NewEntry {
        id: first.id.clone(),
        ..says("alice", "same id")
    };
    let (before, failed, after, last) = tokio::join!(
        feeds.append(says("alice", "before")),
        feeds.append(same_id),
        feeds.append(says("alice", "after")),
        feeds.append(says("alice", "last")),
    );
    assert_eq!(before.unwrap().entry.seq, 2);
    assert_eq!(failed.unwrap_err(), StoreError);
    assert_eq!(after.unwrap().entry.seq, 3);
    assert_eq!(last.unwrap().entry.position, 4);
    assert!(backend.store.is_healthy());
}

#[tokio::test]
async fn entries_that_are_too_large_for_one_statement_are_stored_all_the_same() {
    let backend = Postgres::open().await;
    let feeds = backend.feeds();
    let large = "x".repeat(3_000_000);
    let appends = (0..6).map(|_| feeds.append(says("alice", &large)));
    let appended = join_all(appends).await.into_iter();
    let seqs: Vec<_> = appended.map(|one| one.unwrap().entry.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_refuses_the_rest() {
    let backend = Postgres::open().await;
    let (queued, ()) = tokio::join!(
        backend.store.append(says("alice", "queued")),
        backend.store.close()
    );
    assert_eq!(queued.unwrap().entry.seq, 1);
    let late = backend.store.append(says("alice", "late")).await;
    assert_eq!(late.unwrap_err(), StoreError);
    assert_eq!(backend.store.last_position().await, Err(StoreError));
    assert!(!backend.store.is_healthy());
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_on_an_empty_database_all_open_it() {
    let url = empty_database().await;
    let opened = join_all((0..4).map(|_| open(&url))).await;
    for one in opened {
        let (store, _readers) = one.unwrap();
        assert!(store.append(says("alice", "hello")).await.is_ok());
    }
}

async fn refused(url: &str) -> String {
    let error = open(url).await.err().unwrap().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let url = database().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum,
        execution_time) VALUES (99, 'newer', true, '', 0)";
    run_sql(&url, newer).await;
    assert!(matches!(
        open(&url).await.err(),
        Some(OpenError::Newer { found: 99, .. })
    ));
    let error = refused(&url).await;
    assert!(error.contains("was made by a newer version"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let url = empty_database().await;
    let (base, name) = url.rsplit_once('/').unwrap();
    let sql = format!("CREATE DATABASE {name}_latin TEMPLATE template0 ENCODING 'LATIN1'");
    run_sql(&url, &sql).await;
    let error = refused(&format!("{base}/{name}_latin")).await;
    assert!(error.contains("LATIN1"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named_without_its_password() {
    let nobody_listens = "postgres://alice:hunter2@127.0.0.1:1/app";
    let error = refused(nobody_listens).await;
    assert!(
        error.starts_with("cannot connect to the database 127.0.0.1:1/app: "),
        "{error}"
    );
    let server = database().await;
    let (_, address) = server.split_once('@').unwrap();
    let nobody = format!("postgres://nobody:hunter2@{address}");
    for url in ["postgres://alice:hunter2@db:port/app", &nobody, "hunter2"] {
        let error = refused(url).await;
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert!(!format!("{:?}", options(nobody_listens)).contains("hunter2"));
}

/// Makes 20 rooms with 500 entries each, and one with 20,000.
const LARGE: &str = "
    INSERT INTO feeds (key, last_seq)
    SELECT 'room:' || n, CASE n WHEN 1 THEN 20000 ELSE 500 END FROM generate_series(1, 20) AS n;
    INSERT INTO entries (position, feed, seq, id, event, author, author_name, content, created_at)
    SELECT row_number() OVER (ORDER BY seq, feeds.id), feeds.id, seq, feeds.id || '-' || seq, 'e',
        'alice', 'Alice', 'hello', seq * 1000
    FROM feeds CROSS JOIN LATERAL generate_series(1, last_seq) AS seq;
    UPDATE log SET position = (SELECT max(position) FROM entries);
    SELECT pg_stat_reset();";

#[tokio::test]
async fn reading_costs_by_what_is_read() {
    let backend = Postgres::open().await;
    run_sql(&backend.url, LARGE).await;
    let feeds = backend.feeds();
    let room = |number: usize| FeedId::Room(room(&number.to_string()));
    let id = EntryId::new("1-10000").unwrap();
    for cursor in [
        Cursor::Latest,
        Cursor::AfterSeq(10_000),
        Cursor::BeforeSeq(10_000),
        Cursor::AfterId(id.clone()),
        Cursor::BeforeId(id),
    ] {
        let page = feeds.page(&room(1), cursor, 10).await.unwrap();
        assert_eq!(page.entries.len(), 10);
    }
    for after in [After::Position(9_000), After::Time(at(10_400_000))] {
        let following = Following {
            reader: user("bob"),
            feeds: (1..=10).map(room).collect(),
            lost: vec![(room(11), 9_500)],
            is_partial: false,
        };
        let changes = feeds.changes(following, after, 10).await.unwrap();
        assert_eq!(changes.entries.len(), 10);
    }
    assert_eq!(feeds.log(15_000, 10).await.unwrap().len(), 10);
    let since = feeds.since(29_490, 100, Box::new(|_| true)).await.unwrap();
    assert_eq!(since.unwrap().entries.len(), 10);
    feeds.unread(&user("alice"), vec![room(2)]).await.unwrap();
    let keep = KeepRule {
        entries: 19_990,
        since: Some(at(5_000)),
    };
    feeds
        .overfull(FeedKind::Room, keep, None, 10)
        .await
        .unwrap();
    assert_eq!(feeds.trim(&room(1), keep, 10).await.unwrap().count, 10);
    feeds.append(says_as("alice", "hello", "c1")).await.unwrap();
    backend.store.close().await;
    let read = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint
        FROM pg_stat_user_tables WHERE relname IN ('feeds', 'entries', 'conversations')";
    let read = query_number(&backend.url, read).await;
    // Counting what is one's own reads all of it: 500 here.
    assert!((500..2_000).contains(&read), "{read} rows were read");
}
