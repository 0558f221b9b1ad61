//! What the durable store knows comes back when Redis has lost it.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use roomcast::{
    domain::{Status, Timestamp},
    ports::{PresenceStore, SeenStore, SeenUser, StoreResult},
    services::PresenceKeeper,
};
use tokio::time::sleep;

use super::node::{Node, QUIET, is_offline};
use crate::{
    backend::{at, user},
    redis_server::{RedisServer, prefix},
};

/// A durable store.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<SeenUser>>>);

impl Seen {
    fn of(&self, name: &str) -> Option<SeenUser> {
        let seen = self.0.lock();
        seen.iter().find(|one| one.user == user(name)).cloned()
    }
}

#[async_trait]
impl SeenStore for Seen {
    async fn save(&self, seen: Vec<SeenUser>) -> StoreResult<()> {
        let mut all = self.0.lock();
        for one in seen {
            all.retain(|known| known.user != one.user);
            all.push(one);
        }
        Ok(())
    }

    async fn load(&self, _: usize) -> StoreResult<Vec<SeenUser>> {
        Ok(self.0.lock().clone())
    }
}

fn keeper(node: &Node, seen: &Seen) -> PresenceKeeper {
    PresenceKeeper::new(Arc::new(node.presence.clone()), Arc::new(seen.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_redis_is_filled_once_and_who_does_not_come_back_has_gone() {
    let prefix = prefix();
    let seen = Seen::default();
    let known = |name: &str, ms: i64, there| SeenUser {
        user: user(name),
        last_seen: at(ms),
        there,
    };
    let all = vec![
        known("alice", 1_000, true),
        known("bob", 2_000, false),
        known("carol", 3_000, true),
    ];
    seen.save(all).await.unwrap();
    let mut a = Node::start(RedisServer::shared(), &prefix, "a").await;
    keeper(&a, &seen).restore().await.unwrap();
    let bob = a.presence_of("bob").await;
    assert_eq!(
        (bob.status, bob.last_seen),
        (Status::Offline, Some(at(2_000)))
    );
    assert_eq!(a.status_of("carol").await, Status::Online);
    let changed = a.presence.changed_since(1, 10).await.unwrap();
    let order: Vec<_> = changed.iter().map(|one| one.user.as_str()).collect();
    assert_eq!(order, ["alice", "bob", "carol"]);
    // Alice comes back, which is no news; Carol does not.
    a.arrives("alice", "phone").await;
    assert_eq!(a.presence_of("alice").await.devices, 1);
    assert!(is_offline(&a.hears().await, "carol"));
    // Another node that starts finds all as it is.
    let mut b = Node::start(RedisServer::shared(), &prefix, "b").await;
    keeper(&b, &seen).restore().await.unwrap();
    sleep(QUIET).await;
    assert_eq!((a.heard(), b.heard()), (vec![], vec![]));
    assert_eq!(b.status_of("alice").await, Status::Online);
    keeper(&b, &seen).save().await.unwrap();
    assert!(seen.of("alice").unwrap().there);
    assert!(!seen.of("carol").unwrap().there);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_redis_loses_all_it_is_filled_again_and_what_happened_meanwhile_is_told() {
    let server = RedisServer::start(None);
    let prefix = prefix();
    let seen = Seen::default();
    let mut a = Node::start(&server, &prefix, "a").await;
    let b = Node::start(&server, &prefix, "b").await;
    let keeping = [keeper(&a, &seen), keeper(&b, &seen)]
        .map(|keeper| tokio::spawn(async move { keeper.run().await }));
    for (node, name) in [(&a, "alice"), (&a, "bob"), (&b, "carol"), (&a, "dave")] {
        node.arrives(name, name).await;
    }
    a.departs("dave", "dave").await;
    let last_seen = a.presence_of("dave").await.last_seen;
    a.waits_for("what is saved", || {
        let there = |name| seen.of(name).is_some_and(|one| one.there);
        there("alice")
            && there("bob")
            && there("carol")
            && seen.of("dave").is_some_and(|one| !one.there)
    })
    .await;
    let began = Timestamp::now();
    // With Redis goes a node, and a user of the other one.
    b.freeze();
    let port = server.kill();
    a.departs("bob", "bob").await;
    let server = RedisServer::start(Some(port));
    let mut heard = vec![a.hears().await, a.hears().await];
    heard.sort_by_key(|news| format!("{news:?}"));
    assert!(is_offline(&heard[0], "bob"), "{heard:?}");
    assert!(is_offline(&heard[1], "carol"), "{heard:?}");
    sleep(QUIET).await;
    assert_eq!(a.heard(), []);
    assert_eq!(a.presence_of("dave").await.last_seen, last_seen);
    assert_eq!(a.status_of("alice").await, Status::Online);
    assert!(a.presence_of("carol").await.last_seen.unwrap() >= began);
    keeping.iter().for_each(tokio::task::JoinHandle::abort);
    drop(server);
}
