//! Who may connect, and what is there from the first moment.

use roomcast::{Context, Event, Namespace, Result};
use serde_json::json;

use super::support::{TestApp, claims, token};

#[tokio::test]
async fn without_a_token_the_connection_is_refused_in_these_words() {
    let app = TestApp::start().await;
    let refused = app.connect_as("").await.err().unwrap();
    assert_eq!(refused.0, "Authentication required");
    assert_eq!(refused.1, "unauthenticated");
}

#[tokio::test]
async fn a_token_that_fails_is_refused_in_these_words() {
    let app = TestApp::start().await;
    let mut short = claims("alice");
    short.ttl = std::time::Duration::ZERO;
    let good = token(&claims("alice"));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{signed}.{other}{}", &signature[1..]);
    for (bad, code) in [
        ("nonsense", "token_malformed"),
        (&token(&short), "token_expired"),
        (&forged, "token_signature"),
    ] {
        let refused = app.connect_as(bad).await.err().unwrap();
        assert_eq!(refused.0, "Invalid token", "{bad}");
        assert_eq!(refused.1, code, "{bad}");
    }
}

#[tokio::test]
async fn guests_may_use_what_is_public_and_nothing_else() {
    let app = TestApp::with(|config| config.auth.guests = true).await;
    let mut guest = app.connect_as("").await.unwrap();
    guest.ok("join-product-room", "p1").await;
    for (event, argument) in [
        ("join:room", json!("lobby")),
        ("watch-delivery", json!("d1")),
        ("presence:update", json!("away")),
        ("send-message", json!({ "to": "bob", "content": "hi" })),
    ] {
        let ack = guest.fails(event, argument, "unauthenticated").await;
        assert_eq!(ack["error"], "Authentication required");
    }
}

#[tokio::test]
async fn an_event_nobody_declared_fails_by_ack_or_by_error_event() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    alice.fails("no:such", json!({}), "unknown_event").await;
    alice.emit("no:such", json!({})).await;
    let error = alice.expect("error").await;
    assert_eq!(
        (&error["code"], &error["event"]),
        (&json!("unknown_event"), &json!("no:such"))
    );
}

#[derive(serde::Deserialize)]
struct Wave {
    to: String,
}

#[derive(serde::Serialize)]
struct Waved {
    from: String,
}

impl Event for Wave {
    const NAME: &'static str = "wave";
    type Reply = Waved;

    async fn handle(self, cx: Context) -> Result<Waved> {
        assert_ne!(self.to, "nobody", "a fault of the handler");
        let from = cx.user()?.name.to_string();
        Ok(Waved { from })
    }
}

#[tokio::test]
async fn one_s_own_events_stand_beside_roomcast_s_in_any_namespace() {
    let app = TestApp::with_namespace(Namespace::new("/").on::<Wave>()).await;
    let mut alice = app.connect("alice").await;
    let ack = alice.ok("wave", json!({ "to": "bob" })).await;
    assert_eq!(ack, json!({ "ok": true, "from": "ALICE" }));
    alice.ok("join:room", "lobby").await;

    let app = TestApp::with_namespace(Namespace::new("/game").on::<Wave>()).await;
    let mut alice = app.connect_to("/game", "alice").await.unwrap();
    alice.ok("wave", json!({ "to": "bob" })).await;
    alice.fails("join:room", "lobby", "unknown_event").await;
    let refused = app.connect_to("/other", "alice").await.err().unwrap();
    assert_eq!(refused.0, "Invalid namespace");
}

#[tokio::test]
async fn who_leaves_the_namespace_and_enters_it_again_over_one_transport_is_there_once() {
    let app = TestApp::with_namespace(Namespace::new("/game").on::<Wave>()).await;
    let mut bob = app.joined("bob", "lobby").await;
    let mut alice = app.joined("alice", "lobby").await;
    let auth = json!({ "token": token(&claims("alice")) });
    alice.send(format!("40/game,{auth}")).await;
    for _ in 0..20 {
        let draft = json!({ "roomId": "lobby", "content": "on the way out" });
        alice.ask("message:send", &[draft]).await;
        alice.send("41".to_owned()).await;
        alice.send(format!("40{auth}")).await;
        alice.expect("socket-id").await;
        let ack = alice.ok("join:room", "lobby").await;
        assert_eq!(ack["members"], json!(["alice", "bob"]));
    }
    alice.ok("leave:room", "lobby").await;
    let ack = bob.ok("join:room", "lobby").await;
    assert_eq!(ack["members"], json!(["bob"]));
}

#[tokio::test]
async fn a_handler_that_panics_fails_its_own_event_only() {
    let app = TestApp::with_namespace(Namespace::new("/").on::<Wave>()).await;
    let mut alice = app.connect("alice").await;
    alice
        .fails("wave", json!({ "to": "nobody" }), "internal")
        .await;
    alice.ok("wave", json!({ "to": "bob" })).await;
}

/// An event whose reply cannot be written.
#[derive(serde::Deserialize)]
struct Mumble {}

struct Mumbled;

impl serde::Serialize for Mumbled {
    fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        panic!("as this test wants it")
    }
}

impl Event for Mumble {
    const NAME: &'static str = "mumble";
    type Reply = Mumbled;

    async fn handle(self, _: Context) -> Result<Mumbled> {
        Ok(Mumbled)
    }
}

#[tokio::test]
async fn a_reply_that_panics_fails_its_own_event_only() {
    let namespace = Namespace::new("/").on::<Wave>().on::<Mumble>();
    let app = TestApp::with_namespace(namespace).await;
    let mut alice = app.connect("alice").await;
    alice.fails("mumble", json!({}), "internal").await;
    alice.ok("wave", json!({ "to": "bob" })).await;
    alice.ok("join:room", "lobby").await;
}

#[tokio::test]
async fn what_is_sent_with_the_first_breath_is_not_lost() {
    let app = TestApp::start().await;
    let mut waiting = Vec::new();
    for number in 0..200 {
        let mut client = app.connect(&format!("u{number}")).await;
        let id = client.ask("join:room", &[json!("lobby")]).await;
        waiting.push((client, id));
    }
    for (client, id) in &mut waiting {
        assert_eq!(client.ack(*id).await["ok"], true);
    }
}
