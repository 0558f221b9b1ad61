//! What operators and browsers see of the server itself.

use serde_json::json;

use super::support::TestApp;

#[tokio::test]
async fn health_readiness_and_the_description_are_there_for_anyone() {
    let app = TestApp::start().await;
    assert_eq!(app.request("GET", "/healthz", None, None).await.0, 200);
    assert_eq!(app.request("GET", "/readyz", None, None).await.0, 200);
    let (status, api) = app.request("GET", "/api/openapi.json", None, None).await;
    assert_eq!(status, 200);
    for path in [
        "/api/payments/make-payment-with-socket",
        "/api/payments/{paymentId}/status",
        "/api/driver/{driverId}/location",
        "/api/products/{productId}/inventory",
        "/api/emit",
        "/api/rooms/{roomId}/messages",
        "/api/rooms/{roomId}/members/{userId}",
        "/api/rooms/{roomId}/presence",
        "/api/presence",
        "/api/users/{userId}/sessions",
        "/api/tokens/revoke",
    ] {
        assert!(api["paths"].get(path).is_some(), "{path} is not described");
    }
}

#[tokio::test]
async fn metrics_count_connections_events_deliveries_and_appends() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    alice
        .ok(
            "message:send",
            json!({ "roomId": "lobby", "content": "hi" }),
        )
        .await;
    alice.fails("made:up", json!({}), "unknown_event").await;
    let text = app
        .raw("GET", "/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for line in [
        r#"roomcast_events_total{event="message:send",outcome="ok"}"#,
        r#"roomcast_events_total{event="unknown",outcome="unknown_event"}"#,
        r#"roomcast_deliveries_total{class="durable"}"#,
        "roomcast_event_seconds_count",
        "roomcast_feed_append_seconds_count",
        "roomcast_store_queue_depth",
        "roomcast_queued_events",
        "roomcast_undelivered_entries",
        "roomcast_connections",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("made:up"));
    let forwarded = app
        .raw("GET", "/metrics")
        .header("x-forwarded-for", "10.0.0.1");
    assert_eq!(forwarded.send().await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn metrics_have_a_listener_of_their_own_where_one_is_set() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let app = TestApp::with(|config| config.ops.listen = address.to_string()).await;
    assert_eq!(app.request("GET", "/metrics", None, None).await.0, 404);
    let metrics = reqwest::get(format!("http://{address}/metrics"))
        .await
        .unwrap();
    assert_eq!(metrics.status().as_u16(), 200);
}

#[tokio::test]
async fn problems_have_a_type_and_a_stable_code() {
    let app = TestApp::start().await;
    let response = app.raw("GET", "/no/such/route").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 404);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: serde_json::Value = response.json().await.unwrap();
    assert_eq!(
        (&problem["code"], &problem["status"]),
        (&json!("not_found"), &json!(404))
    );
    let (status, problem) = app.request("PATCH", "/api/emit", None, None).await;
    assert_eq!(
        (status, &problem["code"]),
        (405, &json!("method_not_allowed"))
    );
    let huge = json!({ "newInventory": 1, "padding": "x".repeat(1_000_001) });
    let (status, problem) = app.backend("PUT", "/api/products/p/inventory", huge).await;
    assert_eq!(
        (status, &problem["code"]),
        (413, &json!("payload_too_large"))
    );
    let request = app
        .raw("PUT", "/api/products/p/inventory")
        .bearer_auth("wrong key");
    let response = request
        .json(&json!({ "newInventory": 1 }))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 401);
}

#[tokio::test]
async fn a_page_from_a_listed_origin_may_connect_and_another_may_not() {
    let origin = "https://shop.example";
    let app = TestApp::with(|config| config.server.allowed_origins = vec![origin.to_owned()]).await;
    let preflight = app.raw("OPTIONS", "/api/emit").header("origin", origin);
    let preflight = preflight.header("access-control-request-method", "POST");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], origin);
    assert_eq!(
        response.headers()["access-control-allow-credentials"],
        "true"
    );
    let poll = "/socket.io/?EIO=4&transport=polling";
    let response = app
        .raw("GET", poll)
        .header("origin", origin)
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], origin);
    let upgrade = |from: &str| {
        let request = app.raw("GET", "/socket.io/?EIO=4&transport=websocket");
        request
            .header("origin", from)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .send()
    };
    assert_eq!(upgrade(origin).await.unwrap().status().as_u16(), 101);
    assert_eq!(
        upgrade("https://evil.example")
            .await
            .unwrap()
            .status()
            .as_u16(),
        403
    );
    let same = format!("http://{}", app.address());
    assert_eq!(upgrade(&same).await.unwrap().status().as_u16(), 101);
}

#[tokio::test]
async fn clients_of_an_older_protocol_are_told_so() {
    let app = TestApp::start().await;
    let (status, body) = app
        .request("GET", "/socket.io/?EIO=3&transport=polling", None, None)
        .await;
    assert_eq!((status, &body["code"]), (400, &json!(5)));
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_accepted() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    for number in 0..100 {
        let draft = json!({ "roomId": "lobby", "content": number.to_string() });
        alice.ask("message:send", &[draft]).await;
    }
    // The last ack shows that all were accepted.
    alice
        .ok("messages:since", json!({ "roomId": "lobby" }))
        .await;
    let app = app.restarted_with(|_| {}).await;
    let mut alice = app.joined("alice", "lobby").await;
    let page = alice
        .ok("messages:since", json!({ "roomId": "lobby" }))
        .await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 100);
}
