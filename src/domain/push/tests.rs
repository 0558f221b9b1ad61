//! Who is pushed what, and which subscriptions are refused.

use serde_json::{Value, json};

use super::*;
use crate::domain::{ChannelId, NewEntry, RoomId, VendorId};

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn entry(feed: FeedId, author: &str, content: &str) -> Arc<Entry> {
    let new = NewEntry {
        id: EntryId::new("e1").unwrap(),
        feed,
        event: "an-event".into(),
        author: user(author),
        author_name: "".into(),
        client_id: None,
        content: content.into(),
        subject: None,
        attachment: None,
        created_at: Timestamp::from_ms(0),
        origin: None,
    };
    Arc::new(new.stored(1, 1))
}

fn pushed(feed: FeedId, author: &str, content: &str) -> Option<Pushed> {
    Pushed::from_entry(entry(feed, author, content))
}

fn json_of(text: Option<String>) -> Value {
    serde_json::from_str(&text.unwrap()).unwrap()
}

#[test]
fn a_direct_message_is_for_the_one_who_did_not_write_it() {
    let feed = || FeedId::direct(&user("alice"), &user("bob"));
    assert_eq!(*pushed(feed(), "alice", "hi").unwrap().user(), user("bob"));
    assert_eq!(*pushed(feed(), "bob", "hi").unwrap().user(), user("alice"));
    let to_oneself = FeedId::direct(&user("alice"), &user("alice"));
    assert!(pushed(to_oneself, "alice", "note").is_none());
}

#[test]
fn an_order_is_for_its_vendor_and_a_room_for_nobody() {
    let orders = FeedId::Vendor(VendorId::new("v1").unwrap());
    assert_eq!(*pushed(orders, "backend", "{}").unwrap().user(), user("v1"));
    let room = FeedId::Room(RoomId::new("lobby").unwrap());
    let channel = FeedId::Channel(ChannelId::new("prices").unwrap());
    for feed in [room, channel] {
        assert!(!is_pushed(&feed));
        assert!(pushed(feed, "alice", "{}").is_none());
    }
}

#[test]
fn a_deleted_entry_is_not_pushed() {
    let feed = FeedId::direct(&user("alice"), &user("bob"));
    let deleted = Entry {
        deleted_at: Some(Timestamp::from_ms(1)),
        ..(*entry(feed, "alice", "")).clone()
    };
    assert!(Pushed::from_entry(Arc::new(deleted)).is_none());
}

#[test]
fn the_webhook_gets_what_readers_get() {
    let pushed = pushed(FeedId::User(user("alice")), "backend", r#"{"text":"hi"}"#).unwrap();
    let at = "1970-01-01T00:00:00.000Z";
    let data = json!({ "text": "hi", "id": "e1", "createdAt": at });
    assert_eq!(
        json_of(pushed.webhook_body()),
        json!({
            "type": "an-event", "userId": "alice", "feed": "notifications", "id": "e1",
            "createdAt": at, "data": data,
        })
    );
    assert_eq!(
        json_of(pushed.web_push_message()),
        json!({ "type": "an-event", "id": "e1", "createdAt": at, "data": data })
    );
}

#[test]
fn data_too_large_for_push_services_is_left_out_for_them_alone() {
    let long = json!({ "text": "ü".repeat(MAX_MESSAGE_BYTES / 2) }).to_string();
    let pushed = pushed(FeedId::User(user("alice")), "backend", &long).unwrap();
    assert_eq!(json_of(pushed.web_push_message()).get("data"), None);
    assert!(json_of(pushed.webhook_body())["data"]["text"].is_string());
}

const POINT: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn hosts() -> EndpointHosts {
    let patterns = [
        "push.example",
        "*.push.example.com",
        "http://127.0.0.1:8080",
    ];
    EndpointHosts::new(patterns).unwrap()
}

fn check(endpoint: &str, p256dh: &str, auth: &str) -> Result<Subscription, String> {
    let given = BrowserSubscription {
        endpoint: endpoint.into(),
        expiration_time: Some(1_000.5),
        keys: SubscriptionKeys {
            p256dh: p256dh.into(),
            auth: auth.into(),
        },
    };
    let checked = Subscription::new(user("alice"), &given, &hosts());
    checked.map_err(|error| error.message().to_owned())
}

#[test]
fn a_browser_s_subscription_is_taken_with_and_without_padding() {
    for (p256dh, auth) in [(POINT, AUTH), (&format!("{POINT}="), &format!("{AUTH}=="))] {
        let taken = check("https://push.example/abc?d=e", p256dh, auth).unwrap();
        assert_eq!(taken.endpoint, "https://push.example/abc?d=e");
        assert_eq!(taken.expires_at, Some(Timestamp::from_ms(1_000)));
        assert!(!format!("{taken:?}").contains("push.example"));
    }
}

#[test]
fn endpoints_of_other_hosts_are_refused() {
    for endpoint in [
        "https://a.push.example.com/x",
        "https://a.b.push.example.com/x",
        "https://PUSH.example:443/x",
        "http://127.0.0.1:8080/x",
    ] {
        check(endpoint, POINT, AUTH).unwrap();
    }
    for endpoint in [
        "",
        "push.example",
        "http://push.example/x",
        "https://push.example:8443/x",
        "https://push.example./x",
        "https://push.example@evil.example/x",
        "https://alice:secret@push.example/x",
        "https://evil.example/push.example",
        "https://evilpush.example.com/x",
        "https://push.example.com/x",
        "https://push.example.com.evil.example/x",
        "https://127.0.0.1:8080/x",
        "http://127.0.0.1:8081/x",
        "http://localhost:8080/x",
        "https://push.example/x#fragment",
        &format!("https://push.example/{}", "x".repeat(MAX_LONG)),
    ] {
        assert!(check(endpoint, POINT, AUTH).is_err(), "{endpoint}");
    }
}

const MAX_LONG: usize = 2_048;

#[test]
fn keys_that_are_none_are_refused() {
    // The last digit moves the point off the curve.
    let off_curve = POINT.replace("iw4", "iw8");
    for p256dh in [
        "",
        "AAAA",
        &off_curve,
        &POINT.replace('-', "%"),
        &"A".repeat(400),
    ] {
        let error = check("https://push.example/x", p256dh, AUTH).unwrap_err();
        assert!(error.contains("p256dh"), "{error}");
    }
    for auth in ["", "AAAA", &AUTH[1..], &"A".repeat(100)] {
        let error = check("https://push.example/x", POINT, auth).unwrap_err();
        assert!(error.contains("auth"), "{error}");
    }
}

#[test]
fn patterns_that_are_no_hosts_are_named() {
    for pattern in [
        "",
        "*",
        "*.",
        "a.*.b",
        "push.*",
        "https://push.example/path",
        "ftp://push.example",
        "push.example:8080",
        "127.0.0.1",
    ] {
        let found = EndpointHosts::new(["push.example", pattern]);
        assert_eq!(found, Err(pattern));
    }
}
