//! A Redis that goes away, and comes back with or without what it knew.

use std::time::{Duration, Instant};

use roomcast::{
    domain::{DriverId, Position, Status, Timestamp},
    ports::{Occupancy, PositionStore, PresenceNews, PresenceStore},
    stores::redis::RedisPositions,
};
use tokio::time::{sleep, timeout};

use super::node::{Node, PATIENCE, QUIET, TIMEOUT, is_offline, lobby};
use crate::{
    backend::user,
    redis_server::{RedisServer, prefix},
};

/// How long an answer may take that waits for nobody.
const AT_ONCE: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_lost_all_it_knew_is_told_again_and_nobody_hears_of_it() {
    let server = RedisServer::start(None);
    let prefix = prefix();
    let mut a = Node::start(&server, &prefix, "a").await;
    let mut b = Node::start(&server, &prefix, "b").await;
    a.arrives("alice", "phone").await;
    b.arrives("alice", "laptop").await;
    a.sets("alice", Status::Busy).await;
    b.arrives("bob", "bob's").await;
    b.enters("bob").await;
    let (first_a, first_b) = (a.presence.instance(), b.presence.instance());
    let server = server.restart();
    tokio::join!(a.settles_after(first_a), b.settles_after(first_b));
    sleep(QUIET).await;
    assert_eq!((a.heard(), b.heard()), (vec![], vec![]));
    assert_eq!(a.presence_of("alice").await.devices, 2);
    assert_eq!(a.status_of("bob").await, Status::Online);
    assert_eq!(a.presence.users_in(&lobby()).await.unwrap(), [user("bob")]);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_the_node_answers_at_once_from_what_it_knows() {
    let server = RedisServer::start(None);
    let a = Node::start(&server, &prefix(), "a").await;
    a.arrives("alice", "phone").await;
    a.enters("alice").await;
    server.freeze(true);
    let first = Instant::now();
    a.arrives("bob", "bob's").await;
    assert!(first.elapsed() < TIMEOUT * 2);
    assert!(!a.presence.is_up());
    let next = Instant::now();
    assert!(a.enters("bob").await);
    let both = [user("alice"), user("bob")];
    assert_eq!(a.presence.users_in(&lobby()).await.unwrap(), both);
    assert_eq!(a.presence.rooms_of(&user("bob")).await.unwrap(), [lobby()]);
    assert_eq!(a.status_of("alice").await, Status::Online);
    assert_eq!(a.presence.changed_since(0, 10).await, Ok(Vec::new()));
    assert!(next.elapsed() < AT_ONCE, "{:?}", next.elapsed());
    server.freeze(false);
    a.waits_for("Redis", || a.presence.is_up()).await;
    assert_eq!(a.presence.users_in(&lobby()).await.unwrap(), both);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_redis_is_away_is_told_when_it_is_back() {
    let server = RedisServer::start(None);
    let mut a = Node::start(&server, &prefix(), "a").await;
    for (name, device) in [("alice", "phone"), ("bob", "bob's"), ("carol", "carol's")] {
        a.arrives(name, device).await;
    }
    server.freeze(true);
    a.departs("alice", "phone").await;
    a.sets("bob", Status::Away).await;
    a.arrives("dave", "dave's").await;
    // Who comes and goes has not been there.
    a.arrives("eve", "eve's").await;
    a.departs("eve", "eve's").await;
    assert_eq!(a.heard(), []);
    server.freeze(false);
    let mut heard = vec![a.hears().await, a.hears().await, a.hears().await];
    sleep(QUIET).await;
    heard.extend(a.heard());
    assert!(
        heard.iter().any(|news| is_offline(news, "alice")),
        "{heard:?}"
    );
    assert!(
        heard.contains(&PresenceNews::Changed(user("bob"))),
        "{heard:?}"
    );
    assert!(
        heard.contains(&PresenceNews::CameOnline(user("dave"))),
        "{heard:?}"
    );
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert_eq!(a.status_of("bob").await, Status::Away);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stood_still_longer_than_a_lease_declares_nobody_dead() {
    let server = RedisServer::start(None);
    let prefix = prefix();
    let mut a = Node::start(&server, &prefix, "a").await;
    let mut b = Node::start(&server, &prefix, "b").await;
    a.arrives("alice", "phone").await;
    b.arrives("bob", "bob's").await;
    server.freeze(true);
    sleep(super::node::LEASE * 2).await;
    server.freeze(false);
    a.waits_for("Redis", || a.presence.is_up() && b.presence.is_up())
        .await;
    sleep(QUIET).await;
    assert_eq!((a.heard(), b.heard()), (vec![], vec![]));
    assert_eq!(a.status_of("bob").await, Status::Online);
    assert_eq!(b.status_of("alice").await, Status::Online);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_without_redis_registers_when_it_comes() {
    let server = RedisServer::start(None);
    let prefix = prefix();
    server.freeze(true);
    let mut a = Node::lonely(&server, &prefix, "a");
    a.arrives("alice", "phone").await;
    server.freeze(false);
    assert_eq!(a.hears().await, PresenceNews::CameOnline(user("alice")));
    let b = Node::start(&server, &prefix, "b").await;
    assert_eq!(b.status_of("alice").await, Status::Online);
}

async fn eventually(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap();
}

fn driver() -> DriverId {
    DriverId::new("dora").unwrap()
}

fn position(lat: f64) -> Position {
    Position {
        lat,
        lng: 13.4,
        timestamp: Timestamp::now(),
        heading: None,
        speed: None,
        accuracy: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_taken_without_redis_and_copied_when_it_is_back() {
    let server = RedisServer::start(None);
    let prefix = prefix();
    let poll = Duration::from_millis(10);
    let connect =
        |server: &RedisServer| RedisPositions::with_poll(server.connect(&prefix, TIMEOUT), poll);
    let (a, b) = (connect(&server), connect(&server));
    let (fresh, first, second) = (PATIENCE * 2, position(1.0), position(2.0));
    let lapsing = tokio::spawn({
        let a = a.clone();
        async move { a.lapsed().await.unwrap() }
    });
    // Connections come by and by.
    eventually(async || {
        let _ = a.put(&driver(), first.clone(), fresh).await;
        b.get(&driver()).await == Ok(Some(first.clone()))
    })
    .await;
    let port = server.kill();
    assert_eq!(a.get(&driver()).await, Ok(Some(first)));
    assert_eq!(a.put(&driver(), second.clone(), fresh).await, Ok(true));
    let next = Instant::now();
    assert_eq!(a.get(&driver()).await, Ok(Some(second.clone())));
    let short = DriverId::new("short").unwrap();
    let third = position(3.0);
    a.put(&short, third.clone(), poll).await.unwrap();
    assert!(next.elapsed() < AT_ONCE);
    let lapsed = timeout(PATIENCE, lapsing).await.unwrap().unwrap();
    assert_eq!(lapsed, [(short, third)]);
    let server = RedisServer::start(Some(port));
    let copying = tokio::spawn(async move { a.lapsed().await });
    let c = connect(&server);
    eventually(async || c.get(&driver()).await == Ok(Some(second.clone()))).await;
    copying.abort();
}
