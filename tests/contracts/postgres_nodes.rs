//! What several nodes on one PostgreSQL see of each other.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use roomcast::{
    domain::{Entry, FeedId, NewEntry, Room, SocketId},
    ports::{FeedStore, Leases, MemberStore, SavedSession, SessionStore},
    stores::postgres::PostgresStore,
};

use crate::{
    backend::{Readers, room, says, says_as, user},
    postgres_server::{database, open},
};

const WRITERS: usize = 20;
const APPENDS: usize = 25;
const ROOMS: usize = 3;

struct Node {
    store: PostgresStore,
    readers: Readers,
}

async fn nodes() -> [Node; 2] {
    let url = database().await;
    let node = async || {
        let (store, readers) = open(&url).await.unwrap();
        Node { store, readers }
    };
    [node().await, node().await]
}

fn in_room(number: usize, entry: NewEntry) -> NewEntry {
    NewEntry {
        feed: FeedId::Room(room(&format!("room {number}"))),
        ..entry
    }
}

/// Appends from many tasks on a node; the entries in each task's order.
async fn write(store: &PostgresStore) -> Vec<Vec<Arc<Entry>>> {
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut appended = Vec::new();
            for number in 0..APPENDS {
                let entry = in_room((writer + number) % ROOMS, says("alice", "hello"));
                appended.push(store.append(entry).await.unwrap().entry);
            }
            appended
        })
    });
    let written = join_all(writers).await.into_iter();
    written.map(Result::unwrap).collect()
}

/// Follows the log until it has so many entries, each time from where the last piece ended.
async fn follow(store: PostgresStore, count: usize) -> Vec<Arc<Entry>> {
    let mut seen: Vec<Arc<Entry>> = Vec::new();
    while seen.len() < count {
        let after = seen.last().map_or(0, |last| last.position);
        seen.extend(store.log(after, 100).await.unwrap());
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_have_one_order_without_gaps_and_who_follows_it_misses_nothing() {
    let [one, other] = nodes().await;
    let total = 2 * WRITERS * APPENDS;
    let following = tokio::spawn(follow(other.store.clone(), total));
    let (by_one, by_other) = tokio::join!(write(&one.store), write(&other.store));
    let followed = following.await.unwrap();
    let positions: Vec<_> = followed.iter().map(|entry| entry.position).collect();
    assert_eq!(positions, (1..=total as u64).collect::<Vec<_>>());
    for number in 0..ROOMS {
        let feed = FeedId::Room(room(&format!("room {number}")));
        let of_room = followed.iter().filter(|entry| entry.feed == feed);
        let seqs: Vec<_> = of_room.map(|entry| entry.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    }
    for (node, written) in [(&one, by_one), (&other, by_other)] {
        let heard = node.readers.heard();
        assert_eq!(heard.len(), WRITERS * APPENDS);
        assert!(heard.is_sorted_by_key(|entry| entry.position));
        for by_writer in written {
            assert!(by_writer.is_sorted_by_key(|entry| entry.position));
            for entry in by_writer {
                let place = usize::try_from(entry.position).unwrap() - 1;
                assert_eq!(followed[place], entry);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_that_is_sent_to_all_nodes_at_once_is_stored_once() {
    let [one, other] = nodes().await;
    for round in 0..20 {
        let client_id = format!("c{round}");
        let send = |node: &Node| {
            let (store, client_id) = (node.store.clone(), client_id.clone());
            tokio::spawn(async move { store.append(says_as("alice", "hello", &client_id)).await })
        };
        let sends = [&one, &other, &one, &other].map(send);
        let sent = join_all(sends).await.into_iter();
        let sent: Vec<_> = sent.map(|one| one.unwrap().unwrap()).collect();
        assert_eq!(sent.iter().filter(|one| !one.duplicate).count(), 1);
        assert!(sent.iter().all(|one| one.entry == sent[0].entry));
    }
    assert_eq!(one.store.last_position().await, Ok(20));
    assert_eq!(one.readers.heard().len() + other.readers.heard().len(), 20);
}

fn session(pid: &str) -> SavedSession {
    SavedSession {
        pid: pid.into(),
        id: SocketId::new(format!("socket of {pid}")).unwrap(),
        user: Some(user("alice")),
        rooms: vec![Room::named("room:a\0")],
        is_connected: true,
    }
}

#[tokio::test]
async fn a_session_is_taken_over_by_the_node_to_which_its_client_returns() {
    let [Node { store: one, .. }, Node { store: other, .. }] = nodes().await;
    one.save("/", vec![session("p")], vec![]).await.unwrap();
    assert_eq!(one.load("/", "p").await, Ok(None));
    assert_eq!(other.load("/", "p").await, Ok(Some(session("p"))));
    assert_eq!(
        other.only_one_of("/", &user("alice")).await,
        Ok(Some(session("p")))
    );
    other.save("/", vec![session("p")], vec![]).await.unwrap();
    // What its first node says of it does not count any more.
    one.save("/", vec![], vec!["p".into()]).await.unwrap();
    assert_eq!(one.load("/", "p").await, Ok(Some(session("p"))));
    other.save("/", vec![], vec!["p".into()]).await.unwrap();
    assert_eq!(one.load("/", "p").await, Ok(None));
}

#[tokio::test]
async fn the_sessions_of_a_node_that_is_alive_stay() {
    let [Node { store: one, .. }, Node { store: other, .. }] = nodes().await;
    one.save("/", vec![session("p")], vec![]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    one.forget_older(Duration::from_millis(200)).await.unwrap();
    other
        .forget_older(Duration::from_millis(200))
        .await
        .unwrap();
    assert!(other.load("/", "p").await.unwrap().is_some());
    tokio::time::sleep(Duration::from_millis(300)).await;
    other
        .forget_older(Duration::from_millis(200))
        .await
        .unwrap();
    assert_eq!(other.load("/", "p").await, Ok(None));
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_lapses_or_is_released() {
    const LONG: Duration = Duration::from_secs(60);
    let [Node { store: one, .. }, Node { store: other, .. }] = nodes().await;
    let hold = async |store: &PostgresStore, holder, ttl| store.hold("push", holder, ttl).await;
    assert_eq!(hold(&one, "one", LONG).await, Ok(true));
    assert_eq!(hold(&one, "one", LONG).await, Ok(true));
    assert_eq!(hold(&other, "other", LONG).await, Ok(false));
    assert_eq!(other.hold("retention", "other", LONG).await, Ok(true));
    other.release("push", "other").await.unwrap();
    assert_eq!(hold(&other, "other", LONG).await, Ok(false));
    one.release("push", "one").await.unwrap();
    assert_eq!(
        hold(&other, "other", Duration::from_millis(1)).await,
        Ok(true)
    );
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(hold(&one, "one", LONG).await, Ok(true));
    assert_eq!(hold(&other, "other", LONG).await, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_taken_out_after_all_that_was_acknowledged_before() {
    let [one, other] = nodes().await;
    let writing = tokio::spawn(async move { write(&one.store).await });
    let store = &other.store;
    for number in 0..20 {
        let (room, alice) = (room(&format!("room {number}")), user("alice"));
        store.add(&room, &alice).await.unwrap();
        let before = store.last_position().await.unwrap();
        assert_eq!(store.remove(&room, &alice).await, Ok(true));
        let after = store.last_position().await.unwrap();
        let rooms = store.rooms_of(&alice, 100).await.unwrap();
        let taken = rooms.into_iter().find(|of| of.room == room).unwrap();
        let lost = taken.lost.unwrap();
        assert!((before..=after).contains(&lost), "{before} {lost} {after}");
    }
    writing.await.unwrap();
}
