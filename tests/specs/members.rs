//! Who belongs to a room, as backends say.

use roomcast::config::RoomAccess;
use serde_json::{Value, json};

use super::support::TestApp;

#[tokio::test]
async fn a_member_may_enter_and_a_removed_one_is_out_at_once() {
    let app = TestApp::with(|config| config.rooms.access = RoomAccess::Members).await;
    let mut bob = app.connect("bob").await;
    bob.fails("join:room", "crew", "forbidden").await;
    for user in ["alice", "bob"] {
        let path = format!("/api/rooms/crew/members/{user}");
        assert_eq!(app.backend("PUT", &path, Value::Null).await.0, 204);
    }
    bob.ok("join:room", "crew").await;
    let mut alice = app.joined("alice", "crew").await;
    let (status, _) = app
        .backend("DELETE", "/api/rooms/crew/members/bob", Value::Null)
        .await;
    assert_eq!(status, 204);
    let left = json!({ "userId": "bob", "username": "BOB", "roomId": "crew" });
    assert_eq!(alice.expect("user:left").await, left);
    let draft = json!({ "roomId": "crew", "content": "hi" });
    bob.fails("message:send", draft.clone(), "not_in_room")
        .await;
    alice.ok("message:send", draft).await;
    bob.never_heard("message:new").await;
    let (status, _) = app.as_user("bob", "GET", "/api/rooms/crew/messages").await;
    assert_eq!(status, 403);
}
