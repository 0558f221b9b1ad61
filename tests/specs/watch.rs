//! Rules instead of code: products, and what a configuration adds.

use roomcast::{
    Context, Event, Namespace, Result,
    config::{SnapshotKind, WatchRule, Who},
    domain::{ProductId, Room},
    ports::{Class, Emit},
};
use serde_json::{Value, json};

use super::support::TestApp;

async fn restock(app: &TestApp, product: &str, body: Value) -> u16 {
    let path = format!("/api/products/{product}/inventory");
    app.backend("PUT", &path, body).await.0
}

#[tokio::test]
async fn only_those_who_look_at_a_product_hear_of_its_stock() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    let mut bob = app.connect("bob").await;
    alice.ok("join-product-room", 42).await;
    bob.ok("join-product-room", "43").await;
    assert_eq!(restock(&app, "42", json!({ "newInventory": 7 })).await, 204);
    assert_eq!(alice.expect("inventory-update").await, 7);
    bob.never_heard("inventory-update").await;
    alice.ok("leave-product-room", "42").await;
    restock(&app, "42", json!({ "newInventory": 6 })).await;
    alice.never_heard("inventory-update").await;
    bob.ok("join-product-room", "42").await;
    assert_eq!(
        bob.expect("inventory-update").await,
        6,
        "the last known stock, at once"
    );
    assert_eq!(
        restock(&app, "42", json!({ "newInventory": "many" })).await,
        400
    );
}

#[tokio::test]
async fn a_rule_of_the_configuration_joins_its_room() {
    let app = TestApp::with(|config| {
        config.watch.push(WatchRule {
            event: "watch-auction".to_owned(),
            leave: "unwatch-auction".to_owned(),
            room: "auction:{id}".to_owned(),
            who: Who::User,
            snapshot: SnapshotKind::None,
        });
    })
    .await;
    let mut alice = app.connect("alice").await;
    alice.ok("watch-auction", "a1").await;
    let body = json!({ "event": "bid", "args": [100], "to": { "rooms": ["auction:a1"] } });
    app.backend("POST", "/api/emit", body.clone()).await;
    assert_eq!(alice.expect("bid").await, 100);
    alice.ok("unwatch-auction", "a1").await;
    app.backend("POST", "/api/emit", body).await;
    alice.never_heard("bid").await;
}

/// A stock that is told of as another node would: to one socket by itself, or late to all that watch.
#[derive(serde::Deserialize)]
struct Tell {
    by_itself: bool,
}

#[derive(serde::Serialize)]
struct Told {}

impl Event for Tell {
    const NAME: &'static str = "tell";
    type Reply = Told;

    async fn handle(self, cx: Context) -> Result<Told> {
        let product = ProductId::new("42").unwrap();
        let to = if self.by_itself {
            [Room::socket(cx.socket_id())]
        } else {
            [Room::product(&product)]
        };
        let emit = Emit::new(Class::Latest, &to, "inventory-update", &7);
        let emit = emit.keyed(product.as_str()).numbered(Some(1));
        cx.services().watch.emitter.emit(emit);
        Ok(Told {})
    }
}

#[tokio::test]
async fn a_watcher_hears_a_value_once_by_itself_or_by_the_room() {
    let app = TestApp::with_namespace(Namespace::new("/").on::<Tell>()).await;
    let mut alice = app.connect("alice").await;
    let mut bob = app.connect("bob").await;
    alice.ok("join-product-room", 42).await;
    bob.ok("join-product-room", 42).await;

    alice.ok("tell", json!({ "by_itself": true })).await;
    assert_eq!(alice.expect("inventory-update").await, 7);
    bob.ok("tell", json!({ "by_itself": false })).await;
    assert_eq!(bob.expect("inventory-update").await, 7);
    alice.never_heard("inventory-update").await;
    bob.ok("tell", json!({ "by_itself": true })).await;
    bob.never_heard("inventory-update").await;

    // Who tells of the same again is heard.
    bob.ok("tell", json!({ "by_itself": false })).await;
    assert_eq!(alice.expect("inventory-update").await, 7);
    assert_eq!(bob.expect("inventory-update").await, 7);
}
