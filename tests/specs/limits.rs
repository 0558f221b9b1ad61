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
    assert_eq!(refused.1, "too_many_connections_per_user");
    let metrics = app.raw("GET", "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for code in ["too_many_rooms", "too_many_connections_per_user"] {
        let counted = format!("roomcast_limited_total{{code=\"{code}\"}}");
        assert!(metrics.contains(&counted), "{code} is not counted");
    }
}

#[tokio::test]
async fn connections_in_all_are_counted_and_their_end_makes_room() {
    let app = TestApp::with(|config| config.limits.connections = 1).await;
    let alice = app.connect("alice").await;
    let bob = super::support::token(&super::support::claims("bob"));
    let refused = app.connect_as(&bob).await.err().unwrap();
    assert_eq!(refused.1, "too_many_connections");
    alice.vanish();
    while app.connect_as(&bob).await.is_err() {}
}

#[tokio::test]
async fn who_does_not_stop_sending_too_fast_is_ended() {
    let app = TestApp::with(|config| {
        config.limits.events_per_second = 1;
        config.limits.flood_ms = 200;
        config.presence.grace_ms = 0;
    })
    .await;
    let mut alice = app.connect("alice").await;
    let mut bob = app.connect("bob").await;
    alice.flood("presence:get").await;
    bob.until_offline("alice").await;
}

/// A session by polling, in plain requests.
struct Polling<'a> {
    app: &'a TestApp,
    path: String,
}

impl<'a> Polling<'a> {
    async fn open(app: &'a TestApp, forwarded_for: &str) -> Result<Self, (u16, String)> {
        let path = "/socket.io/?EIO=4&transport=polling";
        let request = app
            .raw("GET", path)
            .header("x-forwarded-for", forwarded_for);
        let response = request.send().await.unwrap();
        let (status, body) = (response.status().as_u16(), response.text().await.unwrap());
        if status != 200 {
            return Err((status, body));
        }
        let open: serde_json::Value = serde_json::from_str(&body[1..]).unwrap();
        let path = format!("{path}&sid={}", open["sid"].as_str().unwrap());
        Ok(Self { app, path })
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> u16 {
        let request = self.app.raw("POST", &self.path).body(body);
        request.send().await.unwrap().status().as_u16()
    }

    /// Polls until something that begins so has come.
    async fn until(&self, begin: &str) -> String {
        loop {
            let response = self.app.raw("GET", &self.path).send().await.unwrap();
            let body = response.text().await.unwrap();
            if let Some(found) = body.split('\u{1e}').find(|one| one.starts_with(begin)) {
                return found.to_owned();
            }
        }
    }
}

fn auth(user: &str) -> String {
    let token = super::support::token(&super::support::claims(user));
    json!({ "token": token }).to_string()
}

#[tokio::test]
async fn sessions_by_polling_are_counted_by_address() {
    let app = TestApp::with(|config| config.limits.polling_sessions_per_ip = 1).await;
    let _first = Polling::open(&app, "").await.ok().unwrap();
    let (status, body) = Polling::open(&app, "").await.err().unwrap();
    assert_eq!(status, 429);
    assert!(body.contains("too_many_polling_sessions"), "{body}");
    // A WebSocket is no such session.
    app.connect("alice").await;
}

#[tokio::test]
async fn the_address_is_what_a_trusted_proxy_says_and_nobody_else() {
    let limit = |config: &mut roomcast::config::Config| config.limits.polling_sessions_per_ip = 1;
    let app = TestApp::with(|config| {
        limit(config);
        config.server.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    })
    .await;
    let _one = Polling::open(&app, "192.0.2.1").await.ok().unwrap();
    let _two = Polling::open(&app, "192.0.2.2").await.ok().unwrap();
    assert!(Polling::open(&app, "9.9.9.9, 192.0.2.2").await.is_err());
    let app = TestApp::with(limit).await;
    let _one = Polling::open(&app, "192.0.2.1").await.ok().unwrap();
    assert!(Polling::open(&app, "192.0.2.2").await.is_err());
}

#[tokio::test]
async fn a_connection_has_so_many_namespaces_and_no_more() {
    let app = TestApp::build_with(
        |config| config.limits.namespaces_per_connection = 1,
        |server| server.namespace(roomcast::Namespace::new("/game")),
    )
    .await;
    let alice = Polling::open(&app, "").await.ok().unwrap();
    let auth = auth("alice");
    assert_eq!(
        alice.post(format!("40{auth}\u{1e}40/game,{auth}")).await,
        200
    );
    let refused = alice.until("44/game,").await;
    assert!(refused.contains("too_many_namespaces"), "{refused}");
    // A place that was left can be taken.
    assert_eq!(alice.post(format!("41\u{1e}40/game,{auth}")).await, 200);
    alice.until("40/game,").await;
}

#[tokio::test]
async fn a_request_over_the_payload_limit_ends_its_session() {
    let app = TestApp::with(|config| config.limits.payload_bytes = 1_000).await;
    let alice = Polling::open(&app, "").await.ok().unwrap();
    assert_eq!(alice.post(format!("40{}", auth("alice"))).await, 200);
    assert_eq!(alice.post("4".repeat(1_001)).await, 413);
    assert_eq!(alice.post("3").await, 400);
}

#[tokio::test]
async fn connections_from_an_address_are_counted_until_they_end() {
    let app = TestApp::with(|config| config.limits.connections_per_ip = 1).await;
    let alice = app.connect("alice").await;
    let bob = super::support::token(&super::support::claims("bob"));
    let refused = app.connect_as(&bob).await.err().unwrap();
    assert_eq!(refused.0, "Too many connections");
    assert_eq!(refused.1, "too_many_connections_per_ip");
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
