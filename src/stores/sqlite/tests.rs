//! What the writer does when a write, a group or its queue fails.

use std::{sync::mpsc as gate, time::Duration};

use futures_util::{FutureExt, future::join_all};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{SqliteOptions, SqliteStore, Synchronous};
use crate::{
    domain::{ClientId, EntryId, FeedId, NewEntry, RoomId, Timestamp, UserId},
    ports::{Commit, FeedStore, StoreError, StoreResult},
};

struct Opened {
    store: SqliteStore,
    commits: mpsc::UnboundedReceiver<Commit>,
    _folder: TempDir,
}

/// Long enough for never being reached.
const PATIENT: Duration = Duration::from_secs(30);

fn open(queue: usize, timeout: Duration) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let (sender, commits) = mpsc::unbounded_channel();
    let options = SqliteOptions {
        path: folder.path().join("roomcast.db"),
        synchronous: Synchronous::Normal,
        queue,
        group: 64,
        readers: 1,
        timeout,
    };
    Opened {
        store: SqliteStore::open(&options, sender).unwrap(),
        commits,
        _folder: folder,
    }
}

/// Keeps the writer busy until the returned gate is dropped: what is queued meanwhile becomes one
/// group.
async fn hold(store: &SqliteStore) -> gate::Sender<()> {
    let (open, closed) = gate::channel::<()>();
    let (reached, at_gate) = tokio::sync::oneshot::channel();
    let store = store.clone();
    tokio::spawn(async move {
        let _ = store
            .write(move |_| {
                let _ = reached.send(());
                let _ = closed.recv();
                Ok(())
            })
            .await;
    });
    at_gate.await.unwrap();
    open
}

async fn add(store: &SqliteStore, room: &'static str) -> StoreResult<usize> {
    store
        .write(move |connection| {
            connection.execute(
                "INSERT INTO members (room, user) VALUES (?1, 'bob')",
                [room],
            )
        })
        .await
}

fn members(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM members", [], |row| row.get(0))
}

fn entry(content: &str) -> NewEntry {
    NewEntry {
        id: EntryId::generate(),
        feed: FeedId::Room(RoomId::new("lobby").unwrap()),
        event: "message:new".into(),
        author: UserId::new("alice").unwrap(),
        author_name: "Alice".into(),
        client_id: None,
        content: content.into(),
        subject: None,
        attachment: None,
        created_at: Timestamp::from_ms(1),
        origin: None,
    }
}

#[tokio::test]
async fn a_write_that_fails_or_panics_leaves_its_neighbours_in_the_group() {
    let opened = open(16, PATIENT);
    let store = &opened.store;
    let held = hold(store).await;
    let failing = store.write(|connection| {
        connection.execute(
            "INSERT INTO members (room, user) VALUES ('undone', 'bob')",
            [],
        )?;
        connection.execute("INSERT INTO nowhere VALUES (1)", [])
    });
    let panicking = store.write(|connection| -> rusqlite::Result<()> {
        connection.execute(
            "INSERT INTO members (room, user) VALUES ('undone', 'bob')",
            [],
        )?;
        panic!("as this test wants it")
    });
    let mut group = Box::pin(async {
        tokio::join!(
            add(store, "one"),
            failing,
            add(store, "two"),
            panicking,
            add(store, "three")
        )
    });
    assert!((&mut group).now_or_never().is_none());
    drop(held);
    let outcome = group.await;
    assert_eq!(
        outcome,
        (Ok(1), Err(StoreError), Ok(1), Err(StoreError), Ok(1))
    );
    assert_eq!(store.read(members).await, Ok(3));
    assert!(store.is_healthy());
}

#[tokio::test]
async fn a_group_that_cannot_be_committed_is_undone_and_the_next_one_is_served() {
    let mut opened = open(16, PATIENT);
    let store = opened.store.clone();
    let held = hold(&store).await;
    // A reference to no feed, looked at no earlier than at the commit.
    let spoiling = store.write(|connection| {
        connection.execute_batch(
            "PRAGMA defer_foreign_keys = ON;
             INSERT INTO read_cursors (feed, user, seq) VALUES (99, 'alice', 1);",
        )
    });
    let mut group =
        Box::pin(async { tokio::join!(add(&store, "one"), store.append(entry("lost")), spoiling) });
    assert!((&mut group).now_or_never().is_none());
    drop(held);
    let (added, appended, spoiled) = group.await;
    assert_eq!((added, spoiled), (Err(StoreError), Err(StoreError)));
    assert_eq!(appended.unwrap_err(), StoreError);
    assert!(!store.is_healthy());
    assert!(
        opened.commits.is_empty(),
        "nothing was handed to live readers"
    );

    // A closed channel of commits makes the store answer by itself.
    opened.commits.close();
    let kept = store.append(entry("kept")).await.unwrap();
    assert_eq!(kept.entry.seq, 1);
    assert!(store.is_healthy());
    assert_eq!(store.read(members).await, Ok(0));
}

#[tokio::test]
async fn an_append_that_fails_leaves_its_neighbours_in_the_group_and_takes_no_place() {
    let mut opened = open(16, PATIENT);
    opened.commits.close();
    let store = &opened.store;
    let elsewhere = |content| NewEntry {
        feed: FeedId::Room(RoomId::new("elsewhere").unwrap()),
        ..entry(content)
    };
    let first = store.append(entry("first")).await.unwrap();
    let same_id = NewEntry {
        id: first.entry.id.clone(),
        ..entry("the same id")
    };
    for round in 0..2 {
        let once = NewEntry {
            client_id: Some(ClientId::new(format!("c{round}")).unwrap()),
            ..entry("before")
        };
        let again = NewEntry {
            id: EntryId::generate(),
            ..once.clone()
        };
        let held = hold(store).await;
        let mut group = Box::pin(async {
            tokio::join!(
                store.append(once),
                store.append(elsewhere("there")),
                store.append(same_id.clone()),
                store.append(again),
                store.append(entry("after")),
                add(store, ["one", "two"][round]),
            )
        });
        assert!((&mut group).now_or_never().is_none());
        drop(held);
        let (before, there, failed, again, after, added) = group.await;
        let so_far = 2 * round as u64 + 1;
        let again = again.unwrap();
        assert_eq!((again.entry.seq, again.duplicate), (so_far + 1, true));
        let seqs = [before, there, after].map(|appended| appended.unwrap().entry.seq);
        assert_eq!(seqs, [so_far + 1, round as u64 + 1, so_far + 2]);
        assert_eq!((failed.unwrap_err(), added), (StoreError, Ok(1)));
    }
    let stored = store.read(|connection| {
        connection.query_row("SELECT group_concat(last_seq) FROM feeds", [], |row| {
            row.get(0)
        })
    });
    assert_eq!(stored.await, Ok("5,2".to_owned()));
}

#[tokio::test]
async fn a_full_queue_makes_writers_wait_for_a_limited_time_only() {
    let opened = open(1, Duration::from_millis(50));
    let store = &opened.store;
    let held = hold(store).await;
    let mut queued = Box::pin(add(store, "queued"));
    assert!((&mut queued).now_or_never().is_none());
    assert_eq!(add(store, "too many").await, Err(StoreError));
    drop(held);
    assert_eq!(queued.await, Ok(1));
}

#[tokio::test]
async fn the_first_poll_of_an_append_takes_its_place_in_the_feed_even_where_it_has_to_wait() {
    let mut opened = open(1, PATIENT);
    opened.commits.close();
    let store = &opened.store;
    let held = hold(store).await;
    let mut appends: Vec<_> = ["first", "second", "third"]
        .map(|text| store.append(entry(text)))
        .into();
    for append in &mut appends {
        assert!(append.now_or_never().is_none());
    }
    drop(held);
    // Waiting for them the other way round changes nothing.
    appends.reverse();
    let seqs: Vec<_> = join_all(appends)
        .await
        .into_iter()
        .map(|appended| appended.unwrap().entry.seq)
        .collect();
    assert_eq!(seqs, [3, 2, 1]);
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_refuses_the_rest() {
    let mut opened = open(16, PATIENT);
    let store = &opened.store;
    let held = hold(store).await;
    let mut queued = Box::pin(add(store, "queued"));
    assert!((&mut queued).now_or_never().is_none());
    drop(held);
    let (queued, ()) = tokio::join!(queued, store.close());
    assert_eq!(queued, Ok(1));
    assert_eq!(add(store, "late").await, Err(StoreError));
    assert_eq!(store.read(members).await, Err(StoreError));
    assert!(!store.is_healthy());
    // Live readers know that nothing follows.
    assert!(opened.commits.recv().await.is_none());
}
