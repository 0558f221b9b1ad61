//! Typing indicators.

use serde_json::json;

use super::support::TestApp;

#[tokio::test]
async fn typing_is_told_to_the_others_and_ends_by_itself() {
    let app = TestApp::with(|config| config.typing.timeout_ms = 50).await;
    let mut bob = app.joined("bob", "lobby").await;
    let mut alice = app.joined("alice", "lobby").await;
    let mut phone = app.joined("alice", "lobby").await;
    alice.ok("typing:start", "lobby").await;
    let typing =
        json!({ "userId": "alice", "username": "ALICE", "typing": true, "roomId": "lobby" });
    assert_eq!(bob.expect("typing:user").await, typing);
    assert_eq!(bob.expect("typing:user").await["typing"], false);
    alice.never_heard("typing:user").await;
    phone.never_heard("typing:user").await;
}

#[tokio::test]
async fn typing_ends_on_a_stop_on_a_message_and_on_a_goodbye() {
    let app = TestApp::with(|config| config.typing.timeout_ms = 60_000).await;
    let mut bob = app.joined("bob", "lobby").await;
    let mut alice = app.joined("alice", "lobby").await;
    alice.ok("typing:start", "lobby").await;
    alice.ok("typing:stop", "lobby").await;
    alice.ok("typing:start", "lobby").await;
    alice
        .ok(
            "message:send",
            json!({ "roomId": "lobby", "content": "hi" }),
        )
        .await;
    alice.ok("typing:start", "lobby").await;
    alice.goodbye().await;
    for expected in [true, false, true, false, true, false] {
        assert_eq!(bob.expect("typing:user").await["typing"], expected);
    }
}

#[tokio::test]
async fn typing_in_a_room_one_has_not_joined_fails() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    alice.fails("typing:start", "lobby", "not_in_room").await;
}
