//! Ending sessions and revoking tokens.

use std::time::Duration;

use roomcast::auth::MintClaims;
use serde_json::{Value, json};

use super::support::{TestApp, claims, token};

#[tokio::test]
async fn ending_a_user_s_sessions_disconnects_every_device_and_nobody_else() {
    let app = TestApp::start().await;
    let (mut phone, mut laptop) = (app.connect("alice").await, app.connect("alice").await);
    let mut bob = app.connect("bob").await;
    let (status, _) = app
        .backend("DELETE", "/api/users/alice/sessions", Value::Null)
        .await;
    assert_eq!(status, 204);
    phone.ended().await;
    laptop.ended().await;
    bob.ok("join:room", "lobby").await;
    app.connect("alice").await.ok("join:room", "lobby").await;
}

#[tokio::test]
async fn a_revoked_token_is_disconnected_and_refused_also_after_a_restart() {
    let app = TestApp::start().await;
    let (stolen, other) = (token(&claims("alice")), token(&claims("alice")));
    let mut thief = app.connect_as(&stolen).await.unwrap();
    let mut alice = app.connect_as(&other).await.unwrap();
    let (status, _) = app
        .backend("POST", "/api/tokens/revoke", json!({ "token": stolen }))
        .await;
    assert_eq!(status, 204);
    thief.ended().await;
    alice.ok("join:room", "lobby").await;
    let app = app.restarted_with(|_| {}).await;
    assert_eq!(
        app.connect_as(&stolen).await.err().unwrap().0,
        "Invalid token"
    );
    app.connect_as(&other).await.unwrap();
}

#[tokio::test]
async fn a_revoked_user_s_tokens_are_all_refused() {
    let app = TestApp::start().await;
    let before = token(&claims("alice"));
    let mut alice = app.connect_as(&before).await.unwrap();
    app.backend("POST", "/api/tokens/revoke", json!({ "userId": "alice" }))
        .await;
    alice.ended().await;
    assert_eq!(
        app.connect_as(&before).await.err().unwrap().0,
        "Invalid token"
    );
    app.connect("bob").await;
    let (status, _) = app.backend("POST", "/api/tokens/revoke", json!({})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_lost_device_is_shut_out_and_the_user_s_others_go_on() {
    let app = TestApp::start().await;
    let phone = token(&claims("alice"));
    let mut lost = app.connect_as(&phone).await.unwrap();
    let mut laptop = app.connect("alice").await;
    let which = json!({ "socketId": lost.id });
    let (status, _) = app
        .backend("POST", "/api/tokens/revoke", which.clone())
        .await;
    assert_eq!(status, 204);
    lost.ended().await;
    assert_eq!(
        app.connect_as(&phone).await.err().unwrap().1,
        "token_revoked"
    );
    laptop.ok("join:room", "lobby").await;
    let (status, problem) = app.backend("POST", "/api/tokens/revoke", which).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
}

fn lasting(user: &str, seconds: u64) -> String {
    let ttl = Duration::from_secs(seconds);
    token(&MintClaims {
        ttl,
        ..claims(user)
    })
}

#[tokio::test]
async fn a_token_that_ends_is_told_ahead_and_may_be_renewed_in_band() {
    let app = TestApp::start().await;
    let mut alice = app.connect_as(&lasting("alice", 2)).await.unwrap();
    assert!(alice.expect("auth:expiring").await["expiresAt"].is_string());
    let ack = alice.ok("auth:refresh", lasting("alice", 63)).await;
    assert!(ack["expiresAt"].is_string());
    // The next notice comes 60 s ahead of the new end: after the old one.
    alice.expect("auth:expiring").await;
    alice.ok("join:room", "lobby").await;
}

#[tokio::test]
async fn a_token_that_is_not_renewed_ends_its_connection() {
    let app = TestApp::start().await;
    let mut alice = app.connect_as(&lasting("alice", 2)).await.unwrap();
    alice.expect("auth:expiring").await;
    alice.ended().await;
}

#[tokio::test]
async fn a_connection_is_renewed_with_a_good_token_of_its_own_user_only() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    let other = token(&claims("bob"));
    alice.fails("auth:refresh", other, "forbidden").await;
    let refused = alice
        .fails("auth:refresh", "nonsense", "token_malformed")
        .await;
    assert_eq!(refused["error"], "Invalid token");
    alice.ok("join:room", "lobby").await;
}
