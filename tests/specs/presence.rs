//! Presence: several devices, a grace window, an audience.

use roomcast::config::Audience;
use serde_json::{Value, json};

use super::support::{Client, TestApp};

/// The next change of this user's presence.
async fn change_of(client: &mut Client, user: &str) -> Value {
    loop {
        let change = client.expect("presence:changed").await;
        if change["userId"] == user {
            return change;
        }
    }
}

#[tokio::test]
async fn a_user_is_online_while_one_device_is() {
    let app = TestApp::start().await;
    let mut bob = app.connect("bob").await;
    let phone = app.connect("alice").await;
    let online = json!({ "userId": "alice", "status": "online" });
    assert_eq!(change_of(&mut bob, "alice").await, online);
    let laptop = app.connect("alice").await;
    let presence = bob.ok("presence:get", json!(["alice", "ghost"])).await["presence"].clone();
    assert_eq!(presence["alice"]["status"], "online");
    assert_eq!(presence["alice"]["devices"], 2);
    assert_eq!(
        presence["ghost"],
        json!({ "status": "offline", "lastSeen": null, "devices": 0 })
    );
    phone.goodbye().await;
    bob.never_heard("presence:changed").await;
    laptop.goodbye().await;
    let offline = change_of(&mut bob, "alice").await;
    assert_eq!(offline["status"], "offline");
    assert!(offline["lastSeen"].is_string());
}

#[tokio::test]
async fn a_device_that_vanishes_and_comes_back_in_the_grace_window_makes_no_flap() {
    let app = TestApp::with(|config| config.presence.grace_ms = 60_000).await;
    let mut bob = app.connect("bob").await;
    let alice = app.connect("alice").await;
    change_of(&mut bob, "alice").await;
    alice.vanish();
    let _alice = app.connect("alice").await;
    bob.never_heard("presence:changed").await;
}

#[tokio::test]
async fn a_device_that_stays_away_is_offline_once_after_the_grace_window() {
    let app = TestApp::with(|config| config.presence.grace_ms = 50).await;
    let mut bob = app.connect("bob").await;
    let alice = app.connect("alice").await;
    change_of(&mut bob, "alice").await;
    alice.vanish();
    assert_eq!(change_of(&mut bob, "alice").await["status"], "offline");
    bob.never_heard("presence:changed").await;
}

#[tokio::test]
async fn a_status_is_told_to_the_audience_and_nonsense_is_refused() {
    let app = TestApp::start().await;
    let mut bob = app.connect("bob").await;
    let mut alice = app.connect("alice").await;
    change_of(&mut bob, "alice").await;
    alice.ok("presence:update", "busy").await;
    let busy = change_of(&mut bob, "alice").await;
    assert_eq!(busy["status"], "busy");
    assert!(busy["lastSeen"].is_string());
    alice
        .fails("presence:update", "offline", "invalid_payload")
        .await;
    alice
        .fails("presence:update", "asleep", "invalid_payload")
        .await;
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    alice.fails("presence:get", many, "invalid_payload").await;
}

#[tokio::test]
async fn roommates_hear_and_strangers_do_not() {
    let app = TestApp::with(|config| config.presence.audience = Audience::Roommates).await;
    let mut bob = app.joined("bob", "lobby").await;
    let mut carol = app.connect("carol").await;
    let mut alice = app.joined("alice", "lobby").await;
    assert_eq!(change_of(&mut bob, "alice").await["status"], "online");
    alice.ok("presence:update", "away").await;
    assert_eq!(change_of(&mut bob, "alice").await["status"], "away");
    alice.goodbye().await;
    assert_eq!(change_of(&mut bob, "alice").await["status"], "offline");
    let heard = carol.events_until_now().await;
    assert!(
        heard
            .iter()
            .all(|(_, payload)| payload["userId"] != "alice"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn guests_hear_of_nobody_s_presence() {
    let app = TestApp::with(|config| config.auth.guests = true).await;
    let mut guest = app.connect_as("").await.unwrap();
    let mut bob = app.connect("bob").await;
    let _alice = app.connect("alice").await;
    change_of(&mut bob, "alice").await;
    guest.never_heard("presence:changed").await;
}

#[tokio::test]
async fn presence_is_read_over_http_by_room_and_by_user() {
    let app = TestApp::start().await;
    let _alice = app.joined("alice", "lobby").await;
    let (status, map) = app.as_user("bob", "GET", "/api/rooms/lobby/presence").await;
    assert_eq!((status, &map["alice"]["status"]), (200, &json!("online")));
    let (status, map) = app
        .as_user("bob", "GET", "/api/presence?users=alice,bob")
        .await;
    assert_eq!((status, &map["bob"]["status"]), (200, &json!("offline")));
    assert_eq!(
        app.request("GET", "/api/presence?users=a", None, None)
            .await
            .0,
        401
    );
}
