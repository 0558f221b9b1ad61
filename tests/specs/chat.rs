//! Chat: rooms, messages, changes to them, read cursors, history.

use roomcast::config::RoomAccess;
use serde_json::{Value, json};

use super::support::{TestApp, claims, token};

fn text(room: &str, content: &str) -> Value {
    json!({ "roomId": room, "content": content })
}

#[tokio::test]
async fn a_message_reaches_every_device_in_the_room_with_all_its_fields() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    let mut phone = app.joined("alice", "lobby").await;
    let mut bob = app.joined("bob", "lobby").await;
    let draft = json!({ "roomId": "lobby", "content": "hello", "clientId": "c1" });
    let ack = alice.ok("message:send", draft).await;
    let message = ack["message"].clone();
    assert_eq!(message["seq"], 1);
    assert_eq!(message["roomId"], "lobby");
    assert_eq!(message["userId"], "alice");
    assert_eq!(message["username"], "ALICE");
    assert_eq!(message["content"], "hello");
    assert_eq!(message["clientId"], "c1");
    assert!(message["createdAt"].as_str().unwrap().ends_with('Z'));
    assert!(message["attachment"].is_null());
    for client in [&mut alice, &mut phone, &mut bob] {
        assert_eq!(client.expect("message:new").await, message);
    }
}

#[tokio::test]
async fn each_event_name_is_delivered_under_its_own_name_from_one_store() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    alice.ok("chat:message", text("lobby", "one")).await;
    assert_eq!(alice.expect("chat:message").await["seq"], 1);
    alice.never_heard("message:new").await;
    alice.ok("message:send", text("lobby", "two")).await;
    assert_eq!(alice.expect("message:new").await["seq"], 2);
}

#[tokio::test]
async fn joining_tells_the_others_once_a_user_and_answers_with_what_is_there() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    alice.ok("message:send", text("lobby", "first")).await;
    let mut bob = app.connect("bob").await;
    let ack = bob.ok("join:room", "lobby").await;
    assert_eq!(ack["lastSeq"], 1);
    assert_eq!(ack["members"], json!(["alice", "bob"]));
    let joined = alice.expect("user:joined").await;
    let bob_moved = json!({ "userId": "bob", "username": "BOB", "roomId": "lobby" });
    assert_eq!(joined, bob_moved);
    let mut tablet = app.joined("bob", "lobby").await;
    alice.never_heard("user:joined").await;
    tablet.ok("leave:room", "lobby").await;
    alice.never_heard("user:left").await;
    bob.goodbye().await;
    assert_eq!(alice.expect("user:left").await, bob_moved);
}

#[tokio::test]
async fn users_on_two_devices_come_and_go_once_in_a_room_that_becomes_large_and_small_again() {
    let app = TestApp::start().await;
    let mut watcher = app.joined("watcher", "lobby").await;
    let mut users = Vec::new();
    for number in 0..8 {
        let user = format!("user-{number}");
        let phone = app.joined(&user, "lobby").await;
        assert_eq!(watcher.expect("user:joined").await["userId"], user);
        let tablet = app.joined(&user, "lobby").await;
        watcher.never_heard("user:joined").await;
        users.push((user, phone, tablet));
    }
    let mut all: Vec<_> = users.iter().map(|(user, ..)| user.as_str()).collect();
    all.push("watcher");
    let ack = watcher.ok("join:room", "lobby").await;
    assert_eq!(ack["members"], json!(all));
    for (user, mut phone, mut tablet) in users {
        phone.ok("leave:room", "lobby").await;
        watcher.never_heard("user:left").await;
        tablet.ok("leave:room", "lobby").await;
        assert_eq!(watcher.expect("user:left").await["userId"], user);
    }
    let ack = watcher.ok("join:room", "lobby").await;
    assert_eq!(ack["members"], json!(["watcher"]));
}

#[tokio::test]
async fn a_refused_join_fails_by_ack_and_by_error_event() {
    let app = TestApp::start().await;
    let mut nobody = claims("dave");
    nobody.rooms = vec!["team-*".to_owned()];
    let mut dave = app.connect_as(&token(&nobody)).await.unwrap();
    dave.ok("join:room", "team-1").await;
    dave.fails("join:room", "lobby", "forbidden").await;
    let error = dave.expect("error").await;
    assert_eq!(error["code"], "forbidden");
    assert_eq!(error["event"], "join:room");
}

#[tokio::test]
async fn a_room_named_like_another_kind_of_room_is_only_a_chat_room() {
    let app = TestApp::start().await;
    let mut bob = app.connect("bob").await;
    let mut eve = app.joined("eve", "user:bob").await;
    eve.ok("join:room", bob.id.as_str()).await;
    let mut alice = app.connect("alice").await;
    let note = json!({ "to": "bob", "content": "for bob only" });
    alice.ok("send-message", note).await;
    assert_eq!(bob.expect("message").await["content"], "for bob only");
    eve.never_heard("message").await;
}

#[tokio::test]
async fn only_a_socket_that_has_joined_may_send() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    let sent = text("lobby", "hello");
    alice
        .fails("message:send", sent.clone(), "not_in_room")
        .await;
    // Back to back, without waiting.
    let join = alice.ask("join:room", &[json!("lobby")]).await;
    let send = alice.ask("message:send", &[sent]).await;
    assert_eq!(alice.ack(join).await["ok"], true);
    assert_eq!(alice.ack(send).await["ok"], true);
}

#[tokio::test]
async fn sending_again_with_the_same_client_id_stores_and_delivers_once() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    let draft = json!({ "roomId": "lobby", "content": "once", "clientId": "c1" });
    let first = alice.ok("message:send", draft.clone()).await;
    let again = alice.ok("message:send", draft).await;
    assert_eq!(first["message"], again["message"]);
    let news = alice.events_until_now().await;
    let heard = news.iter().filter(|(event, _)| event == "message:new");
    assert_eq!(heard.count(), 1);
}

#[tokio::test]
async fn binary_attachments_come_back_as_binary() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    let place = json!({ "_placeholder": true, "num": 0 });
    let draft = json!({ "roomId": "lobby", "content": "a picture",
        "attachment": { "name": "dot.png", "data": place } });
    let id = alice
        .ask_with_binary("message:send", draft, vec![0, 1, 2, 255])
        .await;
    let expected = json!({ "name": "dot.png", "data": { "binary": [0, 1, 2, 255] } });
    let ack = alice.ack(id).await;
    assert_eq!(ack["message"]["attachment"], expected);
    assert_eq!(alice.expect("message:new").await["attachment"], expected);
    let page = alice
        .ok("messages:since", json!({ "roomId": "lobby" }))
        .await;
    assert_eq!(page["messages"][0]["attachment"], expected);
    let (status, page) = app
        .as_user("alice", "GET", "/api/rooms/lobby/messages")
        .await;
    assert_eq!(status, 200);
    let data = &page["messages"][0]["attachment"]["data"];
    assert_eq!(*data, json!({ "base64": "AAEC/w==" }));
}

#[tokio::test]
async fn an_attachment_that_would_break_a_packet_is_refused() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    let mark = json!({ "_placeholder": true, "num": 0 });
    let draft =
        |attachment: Value| json!({ "roomId": "lobby", "content": "x", "attachment": attachment });
    let plain = draft(json!({ "inner": mark }));
    alice.fails("message:send", plain, "invalid_payload").await;
    let twice = draft(json!([mark, mark]));
    let id = alice.ask_with_binary("message:send", twice, vec![1]).await;
    assert_eq!(alice.ack(id).await["code"], "invalid_payload");
    alice.ok("message:send", text("lobby", "still here")).await;
}

#[tokio::test]
async fn only_the_author_edits_and_deletes() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    let mut bob = app.joined("bob", "lobby").await;
    let ack = alice.ok("message:send", text("lobby", "helo")).await;
    let id = ack["message"]["id"].clone();
    let edit = json!({ "roomId": "lobby", "messageId": id, "content": "hello" });
    bob.fails("message:edit", edit.clone(), "not_author").await;
    let edited = alice.ok("message:edit", edit.clone()).await;
    assert_eq!(edited["message"]["content"], "hello");
    let heard = bob.expect("message:edited").await;
    assert_eq!((&heard["id"], &heard["messageId"]), (&id, &id));
    assert_eq!(heard["content"], "hello");
    let which = json!({ "roomId": "lobby", "messageId": id });
    bob.fails("message:delete", which.clone(), "not_author")
        .await;
    alice.ok("message:delete", which).await;
    assert_eq!(bob.expect("message:deleted").await["content"], "");
    alice.fails("message:edit", edit, "not_found").await;
}

#[tokio::test]
async fn the_read_cursor_only_moves_forward() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    let mut bob = app.joined("bob", "lobby").await;
    let mut ids = Vec::new();
    for content in ["one", "two", "three"] {
        let ack = alice.ok("message:send", text("lobby", content)).await;
        ids.push(ack["message"]["id"].clone());
    }
    let read = |id: &Value| json!({ "roomId": "lobby", "messageId": id });
    assert_eq!(bob.ok("chat:read", read(&ids[1])).await["unread"], 1);
    let receipt = json!({ "userId": "bob", "roomId": "lobby", "messageId": ids[1] });
    assert_eq!(alice.expect("chat:read").await, receipt);
    assert_eq!(bob.ok("chat:read", read(&ids[0])).await["unread"], 1);
    alice.never_heard("chat:read").await;
    assert_eq!(bob.ok("chat:read", read(&ids[2])).await["unread"], 0);
}

#[tokio::test]
async fn history_pages_in_both_directions_and_says_when_a_cursor_is_unknown() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    for number in 1..=7 {
        alice
            .ok("message:send", text("lobby", &number.to_string()))
            .await;
    }
    let seqs = |page: &Value| -> Vec<u64> {
        let messages = page["messages"].as_array().unwrap().iter();
        messages
            .map(|message| message["seq"].as_u64().unwrap())
            .collect()
    };
    let since = json!({ "roomId": "lobby", "after": 2, "limit": 3 });
    let page = alice.ok("messages:since", since).await;
    assert_eq!(
        (seqs(&page), &page["hasMore"]),
        (vec![3, 4, 5], &json!(true))
    );
    assert_eq!(page["verdict"], "complete");
    let id = page["messages"][2]["id"].clone();
    let since = json!({ "roomId": "lobby", "after": id });
    let page = alice.ok("messages:since", since).await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![6, 7], &json!(false)));
    let since = json!({ "roomId": "lobby", "after": "no such id" });
    assert_eq!(alice.ok("messages:since", since).await["verdict"], "reset");

    let (_, page) = app
        .as_user("alice", "GET", "/api/rooms/lobby/messages?limit=2")
        .await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![6, 7], &json!(true)));
    let before = "/api/rooms/lobby/messages?before=3&limit=5";
    let (_, page) = app.as_user("alice", "GET", before).await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![1, 2], &json!(false)));
    let too_many = "/api/rooms/lobby/messages?limit=101";
    let (status, problem) = app.as_user("alice", "GET", too_many).await;
    assert_eq!((status, &problem["code"]), (400, &json!("invalid_payload")));
}

#[tokio::test]
async fn messages_and_their_numbers_outlive_a_restart() {
    let app = TestApp::start().await;
    let mut alice = app.joined("alice", "lobby").await;
    alice.ok("message:send", text("lobby", "before")).await;
    let app = app.restarted_with(|_| {}).await;
    let mut alice = app.joined("alice", "lobby").await;
    let ack = alice.ok("message:send", text("lobby", "after")).await;
    assert_eq!(ack["message"]["seq"], 2);
    let page = alice
        .ok("messages:since", json!({ "roomId": "lobby" }))
        .await;
    assert_eq!(page["messages"][0]["content"], "before");
}

#[tokio::test]
async fn texts_that_are_empty_or_too_long_and_payloads_that_do_not_fit_fail_alone() {
    let app = TestApp::with(|config| config.limits.content_chars = 10).await;
    let mut alice = app.joined("alice", "lobby").await;
    alice
        .fails("message:send", text("lobby", "  "), "content_empty")
        .await;
    let long = text("lobby", "ääääääääää!");
    alice.fails("message:send", long, "content_too_long").await;
    alice.ok("message:send", text("lobby", "ääääääääää")).await;
    for argument in [
        json!(7),
        json!(null),
        json!({}),
        json!({ "roomId": [], "content": 1 }),
    ] {
        alice
            .fails("message:send", argument, "invalid_payload")
            .await;
    }
    let none = alice.ask("join:room", &[]).await;
    assert_eq!(alice.ack(none).await["code"], "invalid_payload");
    for room in ["", "a\0b", &"x".repeat(900_000)] {
        alice.fails("join:room", room, "invalid_payload").await;
    }
    alice.ok("join:room", 42).await;
    alice.ok("message:send", text("42", "still here")).await;
}

#[tokio::test]
async fn an_open_server_lets_every_signed_in_user_into_every_room() {
    let app = TestApp::with(|config| config.rooms.access = RoomAccess::Open).await;
    let mut nobody = claims("dave");
    nobody.rooms.clear();
    let mut dave = app.connect_as(&token(&nobody)).await.unwrap();
    dave.ok("join:room", "anywhere").await;
}
