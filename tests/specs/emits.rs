//! Emits of backends.

use serde_json::json;

use super::support::TestApp;

#[tokio::test]
async fn a_backend_reaches_rooms_users_and_sockets_each_socket_once() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    let mut bob = app.joined("bob", "lobby").await;
    let mut carol = app.connect("carol").await;
    let body = json!({ "event": "deploy", "args": ["v2", { "at": 1 }],
        "to": { "rooms": ["room:lobby"], "users": ["alice"], "sockets": [carol.id] },
        "except": { "users": ["bob"] } });
    let (status, _) = app.backend("POST", "/api/emit", body).await;
    assert_eq!(status, 202);
    for client in [&mut alice, &mut carol] {
        assert_eq!(client.expect("deploy").await, "v2");
        client.never_heard("deploy").await;
    }
    bob.never_heard("deploy").await;
}

#[tokio::test]
async fn an_emit_to_nobody_a_reserved_event_and_a_user_s_emit_are_refused() {
    let app = TestApp::start().await;
    let to = json!({ "rooms": ["room:lobby"] });
    for body in [
        json!({ "event": "x", "args": [], "to": {} }),
        json!({ "event": "disconnect", "args": [], "to": to }),
        json!({ "event": "", "args": [], "to": to }),
        json!({ "args": [], "to": to }),
    ] {
        let (status, problem) = app.backend("POST", "/api/emit", body).await;
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_payload")));
    }
    let (status, _) = app.as_user("alice", "POST", "/api/emit").await;
    assert_eq!(status, 403);
    let (status, _) = app.request("POST", "/api/emit", None, None).await;
    assert_eq!(status, 401);
}
