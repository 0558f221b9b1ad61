//! Direct messages.

use serde_json::json;

use super::support::TestApp;

#[tokio::test]
async fn a_direct_message_reaches_every_device_but_the_sending_one() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    let mut phone = app.connect("alice").await;
    let mut bob = app.connect("bob").await;
    let mut tablet = app.connect("bob").await;
    let mut carol = app.connect("carol").await;
    let note = json!({ "to": "bob", "content": "hi", "orderId": "o1", "clientId": "c1" });
    let message = alice.ok("send-message", note.clone()).await["message"].clone();
    assert_eq!(message["senderId"], "alice");
    assert_eq!(message["receiverId"], "bob");
    assert_eq!(message["orderId"], "o1");
    assert_eq!(message["seq"], 1);
    for client in [&mut phone, &mut bob, &mut tablet] {
        assert_eq!(client.expect("message").await, message);
    }
    let again = alice.ok("send-message", note).await["message"].clone();
    assert_eq!(again, message);
    alice.never_heard("message").await;
    bob.never_heard("message").await;
    carol.never_heard("message").await;
    let answer = json!({ "to": "alice", "content": "hello" });
    let answered = bob.ok("send-message", answer).await;
    assert_eq!(
        answered["message"]["seq"], 2,
        "one conversation, one sequence"
    );
}

#[tokio::test]
async fn a_direct_message_without_a_receiver_or_text_fails() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    alice
        .fails(
            "send-message",
            json!({ "content": "hi" }),
            "invalid_payload",
        )
        .await;
    let empty = json!({ "to": "bob", "content": "" });
    alice.fails("send-message", empty, "content_empty").await;
}
