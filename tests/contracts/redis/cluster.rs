//! Several nodes on one Redis.

use std::time::{Duration, Instant};

use roomcast::{
    domain::{SocketId, Status},
    ports::{Arrival, Departure, Occupancy, PresenceNews, PresenceStore},
};
use tokio::time::sleep;

use super::node::{GRACE, LEASE, Node, QUIET, is_offline, lobby};
use crate::{
    backend::user,
    redis_server::{RedisServer, prefix},
};

async fn node(prefix: &str, name: &str) -> Node {
    Node::start(RedisServer::shared(), prefix, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_on_two_nodes_is_there_until_both_have_lost_them() {
    let prefix = prefix();
    let (a, b) = (node(&prefix, "a").await, node(&prefix, "b").await);
    let arrival = a.arrives("alice", "phone").await;
    assert!(matches!(arrival, Arrival::CameOnline { .. }));
    assert_eq!(b.arrives("alice", "laptop").await, Arrival::WasThere);
    assert_eq!(a.presence_of("alice").await.devices, 2);
    assert!(b.sets("alice", Status::Busy).await.is_some());
    assert_eq!(a.departs("alice", "phone").await, Departure::StillThere);
    assert_eq!(a.status_of("alice").await, Status::Busy);
    let owner = a.presence.owner(&SocketId::new("laptop").unwrap()).await;
    assert_eq!(owner, Ok(Some(user("alice"))));
    assert!(matches!(
        b.departs("alice", "laptop").await,
        Departure::WentOffline(_)
    ));
    let owner = a.presence.owner(&SocketId::new("laptop").unwrap()).await;
    assert_eq!(owner, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_has_moved_to_another_node_stays_when_the_first_gives_it_up() {
    let prefix = prefix();
    let (a, b) = (node(&prefix, "a").await, node(&prefix, "b").await);
    a.arrives("alice", "phone").await;
    assert_eq!(b.arrives("alice", "phone").await, Arrival::WasThere);
    assert_eq!(a.departs("alice", "phone").await, Departure::StillThere);
    assert_eq!(a.presence_of("alice").await.devices, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_node_had_is_told_once_by_one_of_the_others() {
    let prefix = prefix();
    let a = node(&prefix, "a").await;
    let (mut b, mut c) = (node(&prefix, "b").await, node(&prefix, "c").await);
    a.arrives("alice", "phone").await;
    a.arrives("bob", "bob's phone").await;
    b.arrives("bob", "bob's laptop").await;
    for name in ["alice", "bob"] {
        a.enters(name).await;
    }
    b.enters("bob").await;
    a.freeze();
    let died = Instant::now();
    while b.status_of("alice").await != Status::Offline {
        assert!(died.elapsed() < LEASE * 4);
        sleep(Duration::from_millis(10)).await;
    }
    sleep(QUIET).await;
    let mut heard = b.heard();
    heard.extend(c.heard());
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(
        heard.iter().any(|news| matches!(
            news,
            PresenceNews::WentOffline { user: who, rooms, .. }
                if *who == user("alice") && *rooms == [lobby()]
        )),
        "{heard:?}"
    );
    let left = PresenceNews::LeftRoom {
        room: lobby(),
        user: user("alice"),
        name: "ALICE".into(),
    };
    assert!(heard.contains(&left), "{heard:?}");
    assert_eq!(c.presence_of("bob").await.devices, 1);
    assert_eq!(c.presence.users_in(&lobby()).await.unwrap(), [user("bob")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_s_many_users_are_each_told_once() {
    const USERS: usize = 1_200;
    let prefix = prefix();
    let a = node(&prefix, "a").await;
    let (mut b, mut c) = (node(&prefix, "b").await, node(&prefix, "c").await);
    let arriving = (0..USERS).map(|number| {
        let a = &a;
        async move {
            a.arrives(&format!("user {number}"), &format!("device {number}"))
                .await
        }
    });
    futures_util::future::join_all(arriving).await;
    a.freeze();
    let mut heard = Vec::new();
    let died = Instant::now();
    while heard.len() < USERS && died.elapsed() < LEASE * 10 {
        sleep(Duration::from_millis(20)).await;
        heard.extend(b.heard());
        heard.extend(c.heard());
    }
    sleep(QUIET).await;
    heard.extend(b.heard());
    heard.extend(c.heard());
    assert_eq!(heard.len(), USERS);
    for number in 0..USERS {
        let name = format!("user {number}");
        let told = heard.iter().filter(|news| is_offline(news, &name));
        assert_eq!(told.count(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_paused_brings_its_users_back() {
    let prefix = prefix();
    let (mut a, mut b) = (node(&prefix, "a").await, node(&prefix, "b").await);
    a.arrives("alice", "phone").await;
    a.enters("alice").await;
    let first = a.presence.instance();
    a.freeze();
    assert!(is_offline(&b.hears().await, "alice"));
    assert!(matches!(b.hears().await, PresenceNews::LeftRoom { .. }));
    // What it writes before it knows changes nothing.
    assert_eq!(a.arrives("bob", "bob's").await, Arrival::WasThere);
    assert_eq!(b.status_of("bob").await, Status::Offline);
    a.thaw();
    let mut heard = [a.hears().await, a.hears().await, a.hears().await];
    heard.sort_by_key(|news| format!("{news:?}"));
    let entered = PresenceNews::EnteredRoom {
        room: lobby(),
        user: user("alice"),
        name: "ALICE".into(),
    };
    assert_eq!(
        heard,
        [
            PresenceNews::CameOnline(user("alice")),
            PresenceNews::CameOnline(user("bob")),
            entered,
        ]
    );
    assert_ne!(a.presence.instance(), first);
    sleep(QUIET).await;
    assert_eq!(a.heard(), []);
    assert_eq!(b.heard(), []);
    assert_eq!(b.status_of("alice").await, Status::Online);
    assert_eq!(b.presence_of("alice").await.devices, 1);
    assert_eq!(
        b.presence.users_in(&lobby()).await.unwrap(),
        [user("alice")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_in_the_grace_window_after_a_drain_has_not_been_away() {
    let prefix = prefix();
    let (a, mut b) = (node(&prefix, "a").await, node(&prefix, "b").await);
    a.arrives("alice", "phone").await;
    a.arrives("bob", "bob's").await;
    a.presence.retire().await;
    a.freeze();
    let retired = Instant::now();
    assert_eq!(b.arrives("alice", "phone again").await, Arrival::WasThere);
    assert!(is_offline(&b.hears().await, "bob"));
    assert!(retired.elapsed() >= GRACE);
    sleep(QUIET).await;
    assert_eq!(b.heard(), []);
    assert_eq!(b.presence_of("alice").await.devices, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_found_and_did_not_tell_another_one_tells() {
    let prefix = prefix();
    let (a, mut b) = (node(&prefix, "a").await, node(&prefix, "b").await);
    a.arrives("alice", "phone").await;
    a.arrives("bob", "bob's").await;
    a.freeze();
    // It ends before it can say that it has told.
    a.departs("alice", "phone").await;
    a.departs("bob", "bob's").await;
    b.arrives("bob", "bob's new one").await;
    assert!(is_offline(&b.hears().await, "alice"));
    sleep(QUIET).await;
    assert_eq!(b.heard(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_at_a_time_saves_changes() {
    let prefix = prefix();
    let (a, b) = (node(&prefix, "a").await, node(&prefix, "b").await);
    a.arrives("alice", "phone").await;
    b.arrives("bob", "bob's").await;
    let changes = b.presence.unsaved(10).await.unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(a.presence.unsaved(10).await, Ok(Vec::new()));
    b.presence.saved(changes[0].version).await.unwrap();
    let rest = b.presence.unsaved(10).await.unwrap();
    assert_eq!(rest, changes[1..]);
}
