//! Limits: each with its own code, none of them costs the connection.

use serde_json::json;

use super::support::TestApp;

#[tokio::test]
async fn events_beyond_the_rate_fail_and_say_when_to_try_again() {
    let app = TestApp::with(|config| config.limits.events_per_second = 5).await;
    let mut alice = app.connect("alice").await;
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.push(alice.ask("presence:get", &[json!([])]).await);
    }
    let mut limited = 0;
    for id in asked {
        let ack = alice.ack(id).await;
        if ack["ok"] == false {
            assert_eq!(ack["code"], "rate_limited");
            assert!(ack["retryAfterMs"].as_u64().unwrap() > 0);
            limited += 1;
        }
    }
    // On a slow machine the bucket fills up again meanwhile.
    assert!((1..=15).contains(&limited), "{limited} of 20 were limited");
}

#[tokio::test]
async fn a_burst_of_fifty_goes_through_by_default() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    let mut asked = Vec::new();
    for _ in 0..50 {
        asked.push(alice.ask("presence:get", &[json!([])]).await);
    }
    for id in asked {
        assert_eq!(alice.ack(id).await["ok"], true);
    }
}

#[tokio::test]
async fn connections_of_a_user_and_rooms_of_a_socket_are_counted() {
    let app = TestApp::with(|config| {
        config.limits.connections_per_user = 1;
        config.limits.rooms_per_socket = 1;
    })
    .await;
    let mut alice = app.joined("alice", "one").await;
    alice.fails("join:room", "two", "too_many_rooms").await;
    alice.ok("leave:room", "one").await;
    alice.ok("join:room", "two").await;
    let token = super::support::token(&super::support::claims("alice"));
    let refused = app.connect_as(&token).await.err().unwrap();
    assert_eq!(refused.0, "Too many connections");
}

#[tokio::test]
async fn connections_from_an_address_are_counted_until_they_end() {
    let app = TestApp::with(|config| config.limits.connections_per_ip = 1).await;
    let alice = app.connect("alice").await;
    let bob = super::support::token(&super::support::claims("bob"));
    let refused = app.connect_as(&bob).await.err().unwrap();
    assert_eq!(refused.0, "Too many connections");
    alice.goodbye().await;
    // The place is free once the server has seen the goodbye.
    while app.connect_as(&bob).await.is_err() {}
}

#[tokio::test]
async fn an_event_over_the_payload_limit_fails_alone() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    let huge = "x".repeat(8_000_000);
    alice.fails("join:room", huge, "payload_too_large").await;
    alice.ok("join:room", "lobby").await;
}

#[tokio::test]
async fn requests_beyond_the_rate_get_429_and_retry_after() {
    let app = TestApp::with(|config| config.limits.requests_per_second = 2).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let body = json!({ "newInventory": 1 });
        statuses.push(app.backend("PUT", "/api/products/p1/inventory", body).await);
    }
    let limited: Vec<_> = statuses
        .iter()
        .filter(|(status, _)| *status == 429)
        .collect();
    assert!(!limited.is_empty(), "{statuses:?}");
    assert!(
        limited
            .iter()
            .all(|(_, problem)| problem["code"] == "rate_limited")
    );
}
