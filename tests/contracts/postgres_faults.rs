//! What a PostgreSQL that stops answering, or is started again, does to its nodes.

use std::time::{Duration, Instant};

use roomcast::{
    ports::{FeedStore, StoreError},
    stores::postgres::{PostgresOptions, PostgresStore, Synchronous},
};

use crate::{
    backend::{Readers, says, says_as},
    postgres_server::{Server, open_with, options},
};

const TIMEOUT: Duration = Duration::from_millis(700);
/// What an answer may take beside that.
const SLACK: Duration = Duration::from_millis(400);
/// How soon a node finds a database that is there again.
const HEALED: Duration = Duration::from_secs(10);

async fn impatient(server: &Server) -> (PostgresStore, Readers) {
    let options = PostgresOptions {
        timeout: TIMEOUT,
        synchronous: Synchronous::Full,
        ..options(&server.url("postgres"))
    };
    open_with(&options).await.unwrap()
}

/// Waits until something succeeds.
async fn eventually(mut succeeds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !succeeds().await {
        assert!(began.elapsed() < HEALED, "it does not heal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What is asked now fails in time.
async fn is_refused(store: &PostgresStore) {
    let began = Instant::now();
    let (appended, read) = tokio::join!(store.append(says("alice", "lost")), store.last_position());
    assert_eq!(appended.unwrap_err(), StoreError);
    assert_eq!(read, Err(StoreError));
    assert!(began.elapsed() < TIMEOUT + SLACK, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_given_up_in_time_and_found_again() {
    let server = Server::start(None);
    let (store, _readers) = impatient(&server).await;
    store.append(says_as("alice", "first", "c1")).await.unwrap();
    store.last_position().await.unwrap();
    server.signal("-STOP");
    for _ in 0..3 {
        is_refused(&store).await;
    }
    assert!(!store.is_healthy());
    // Once that is known, nobody waits.
    eventually(async || {
        let began = Instant::now();
        assert!(store.append(says("alice", "lost")).await.is_err());
        began.elapsed() < TIMEOUT / 4
    })
    .await;
    server.signal("-CONT");
    eventually(async || store.is_healthy()).await;
    eventually(async || store.last_position().await.is_ok()).await;
    // What was given up may have been stored, but without gaps.
    let again = store.append(says_as("alice", "first", "c1")).await.unwrap();
    assert!(again.duplicate);
    let next = store.append(says("alice", "next")).await.unwrap().entry;
    let log = store.log(0, 100).await.unwrap();
    let positions: Vec<_> = log.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, (1..=next.position).collect::<Vec<_>>());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_started_again_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    // The server has a user of its own.
    let place = folder.path().join("data of its own");
    open_to_all(folder.path());
    let server = Server::start(Some((&place, 0)));
    let port = server.port();
    let (store, readers) = impatient(&server).await;
    store.append(says_as("alice", "first", "c1")).await.unwrap();
    store.last_position().await.unwrap();
    server.stop();
    eventually(async || !store.is_healthy() || store.append(says("alice", "lost")).await.is_err())
        .await;
    is_refused(&store).await;
    assert!(!store.is_healthy());
    let server = Server::start(Some((&place, port)));
    // It heals by itself.
    eventually(async || store.is_healthy()).await;
    let again = store.append(says_as("alice", "first", "c1")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(store.last_position().await, Ok(1));
    // One that is started while nothing is asked costs nothing.
    server.stop();
    let server = Server::start(Some((&place, port)));
    eventually(async || store.last_position().await.is_ok()).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let second = store.append(says("alice", "second")).await;
    assert_eq!(second.unwrap().entry.position, 2);
    assert_eq!(readers.heard().len(), 2);
    store.close().await;
    server.stop();
}

fn open_to_all(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, all).unwrap();
}
