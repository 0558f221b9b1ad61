//! Who may enter a room, where the operator's backend decides.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use roomcast::config::{Config, RoomAccess};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::support::TestApp;

/// A backend that admits everybody to `open`, refuses `closed`, and fails for any other room.
/// Returns its address and how often it was asked.
async fn backend() -> (String, Arc<AtomicUsize>) {
    async fn decide(State(asked): State<Arc<AtomicUsize>>, Json(body): Json<Value>) -> StatusCode {
        asked.fetch_add(1, Ordering::SeqCst);
        assert_eq!(body["username"], "ALICE");
        match body["roomId"].as_str() {
            Some("open") => StatusCode::NO_CONTENT,
            Some("closed") => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_GATEWAY,
        }
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/rooms", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/rooms", post(decide))
        .with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, asked)
}

fn asks(url: String) -> impl FnOnce(&mut Config) {
    |config| {
        config.rooms.access = RoomAccess::Webhook;
        config.rooms.webhook_url = url;
    }
}

#[tokio::test]
async fn the_backend_is_asked_once_and_its_answer_is_used_again() {
    let (url, asked) = backend().await;
    let app = TestApp::with(asks(url)).await;
    let mut alice = app.connect("alice").await;
    for _ in 0..3 {
        alice.ok("join:room", "open").await;
        alice.ok("leave:room", "open").await;
        alice.fails("join:room", "closed", "forbidden").await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_backend_that_fails_is_a_refusal_and_is_asked_again() {
    let (url, asked) = backend().await;
    let app = TestApp::with(asks(url)).await;
    let mut alice = app.connect("alice").await;
    for _ in 0..2 {
        alice.fails("join:room", "broken", "forbidden").await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let gone = TestApp::with(asks("http://127.0.0.1:9/rooms".to_owned())).await;
    let mut alice = gone.connect("alice").await;
    alice.fails("join:room", "open", "forbidden").await;
    alice.ok("presence:get", json!([])).await;
}

#[tokio::test]
async fn a_member_s_room_is_not_lost_because_the_backend_is_away() {
    let (url, asked) = backend().await;
    let app = TestApp::with(asks(url)).await;
    let path = |room: &str| format!("/api/rooms/{room}/members/alice");
    for room in ["closed", "open"] {
        app.backend("PUT", &path(room), Value::Null).await;
    }
    let mut alice = app.connect("alice").await;
    assert_eq!(alice.ok("sync", json!({})).await["verdict"], "complete");
    app.backend("PUT", &path("failing"), Value::Null).await;
    alice.fails("sync", json!({}), "rooms_unavailable").await;
    let (status, problem) = app.as_user("alice", "GET", "/api/rooms").await;
    assert_eq!(
        (status, &problem["code"]),
        (503, &json!("rooms_unavailable"))
    );
    app.backend("DELETE", &path("failing"), Value::Null).await;
    let before = asked.load(Ordering::SeqCst);
    alice.ok("sync", json!({})).await;
    assert_eq!(
        asked.load(Ordering::SeqCst),
        before,
        "a lost room is not asked about"
    );
}
