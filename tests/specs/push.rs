//! Offline push: a signed webhook and Web Push for users who are away.

#[path = "push/receiver.rs"]
mod receiver;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use roomcast::config::{Config, Gateway, Secret};
use serde_json::{Value, json};
use web_push_native::{Auth, p256::SecretKey};

use self::receiver::{RECEIVER_SECRET, Received, Receiver};
use super::support::{Client, PATIENCE, TestApp, claims, token};

const SUBSCRIPTIONS: &str = "/api/push/subscriptions";
const DEAD_LETTERS: &str = "/api/push/dead-letters";

// The keys of the example in RFC 8291, section 5: the server's, and the browser's.
const VAPID_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
const VAPID_PUBLIC: &str =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const BROWSER_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const BROWSER_PUBLIC: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const BROWSER_AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// One push at a time, so that they come in the order of their entries.
fn webhook(to: &Receiver) -> impl FnOnce(&mut Config) {
    let url = to.url("/hook");
    move |config| {
        config.push.webhook_url = url;
        config.push.webhook_secret = Secret::new(RECEIVER_SECRET);
        config.push.backoff_ms = 1;
        config.push.in_flight = 1;
    }
}

fn web_push(to: &Receiver) -> impl FnOnce(&mut Config) {
    let origin = to.url("");
    move |config| {
        config.push.vapid_private_key = Secret::new(VAPID_PRIVATE);
        config.push.vapid_subject = "mailto:ops@example.com".into();
        config.push.endpoint_hosts = vec![origin];
        config.push.backoff_ms = 1;
        config.push.in_flight = 1;
    }
}

async fn tell(from: &mut Client, to: &str, content: &str) -> Value {
    let message = json!({ "to": to, "content": content });
    from.ok("send-message", message).await["message"].clone()
}

fn subscription(endpoint: &str) -> Value {
    let keys = json!({ "p256dh": BROWSER_PUBLIC, "auth": BROWSER_AUTH });
    json!({ "endpoint": endpoint, "expirationTime": null, "keys": keys })
}

async fn request(app: &TestApp, user: &str, method: &str, body: Value) -> (u16, Value) {
    let bearer = token(&claims(user));
    app.request(method, SUBSCRIPTIONS, Some(&bearer), Some(body))
        .await
}

async fn subscribe(app: &TestApp, user: &str, endpoint: &str) -> String {
    let (status, registered) = request(app, user, "POST", subscription(endpoint)).await;
    assert_eq!(status, 201, "{registered}");
    registered["id"].as_str().unwrap().to_owned()
}

/// What the browser makes of a message.
fn decrypted(received: &Received) -> Value {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let secret = SecretKey::from_slice(&bytes(BROWSER_PRIVATE)).unwrap();
    let auth: [u8; 16] = bytes(BROWSER_AUTH).try_into().unwrap();
    let message =
        web_push_native::decrypt(received.body.clone(), &secret, &Auth::from(auth)).unwrap();
    serde_json::from_slice(&message).unwrap()
}

async fn dead_letters(app: &TestApp) -> Vec<Value> {
    let (status, body) = app.backend("GET", DEAD_LETTERS, Value::Null).await;
    assert_eq!(status, 200);
    body["deadLetters"].as_array().unwrap().clone()
}

/// The dead letter that must come.
async fn dead_letter(app: &TestApp) -> Value {
    let began = tokio::time::Instant::now();
    loop {
        if let Some(letter) = dead_letters(app).await.pop() {
            return letter;
        }
        assert!(began.elapsed() < PATIENCE, "none came");
    }
}

#[tokio::test]
async fn a_direct_message_for_a_user_who_is_away_calls_the_webhook_and_others_do_not() {
    let mut receiver = Receiver::start().await;
    let app = TestApp::with(webhook(&receiver)).await;
    let mut alice = app.joined("alice", "lobby").await;
    let mut bob = app.connect("bob").await;
    tell(&mut alice, "bob", "you are here").await;
    bob.expect("message").await;
    let said = json!({ "roomId": "lobby", "content": "to nobody in particular" });
    alice.ok("message:send", said).await;
    let message = tell(&mut alice, "carol", "you are not").await;
    let received = receiver.next().await;
    received.check_signature();
    assert_eq!(received.path, "/hook");
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(
        received.json(),
        json!({
            "type": "message", "userId": "carol", "feed": "messages", "id": message["id"],
            "createdAt": message["createdAt"], "data": message,
        }),
        "bob was online, and rooms are not pushed"
    );
}

#[tokio::test]
async fn notifications_and_orders_are_pushed_to_who_has_neither_a_socket_nor_their_stream_open() {
    let mut receiver = Receiver::start().await;
    let app = TestApp::with(webhook(&receiver)).await;
    let bearer = token(&claims("alice"));
    let stream = app.raw("GET", "/events/notifications").bearer_auth(bearer);
    let mut stream = stream.send().await.unwrap();
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("connected"));
    let notify = async |user: &str| {
        let body = json!({ "userId": user, "text": "hi" });
        let (status, posted) = app.backend("POST", "/api/notifications", body).await;
        assert_eq!(status, 201);
        posted["id"].clone()
    };
    notify("alice").await;
    let id = notify("bob").await;
    let body = receiver.next().await.json();
    assert_eq!((&body["id"], &body["userId"]), (&id, &json!("bob")));
    assert_eq!(
        (&body["type"], &body["feed"]),
        (&json!("notification"), &json!("notifications"))
    );
    assert_eq!(body["data"]["text"], "hi");
    let order = json!({ "vendorId": "alice", "total": 7 });
    assert_eq!(app.backend("POST", "/api/orders", order).await.0, 201);
    let body = receiver.next().await.json();
    assert_eq!(
        (&body["userId"], &body["feed"]),
        (&json!("alice"), &json!("orders"))
    );
    assert_eq!(
        (&body["type"], &body["data"]["total"]),
        (&json!("new-order"), &json!(7))
    );
}

#[tokio::test]
async fn the_outcome_of_a_payment_reaches_a_user_who_has_gone() {
    let mut receiver = Receiver::start().await;
    let pushed = webhook(&receiver);
    let app = TestApp::with(|config| {
        config.payments.gateway = Gateway::Webhook;
        config.payments.webhook_secret = Secret::new("a provider's secret");
        pushed(config);
    })
    .await;
    let mut bob = app.connect("bob").await;
    let alice = app.connect("alice").await;
    let pay = json!({ "amount": 5, "socketId": alice.id });
    let path = "/api/payments/make-payment-with-socket";
    let bearer = token(&claims("alice"));
    let (_, receipt) = app.request("POST", path, Some(&bearer), Some(pay)).await;
    alice.goodbye().await;
    bob.until_offline("alice").await;
    let id = receipt["paymentId"].as_str().unwrap();
    let path = format!("/api/payments/{id}/status");
    let settled = app.backend("POST", &path, json!({ "status": "succeeded" }));
    assert_eq!(settled.await.0, 204);
    let body = receiver.next().await.json();
    assert_eq!(body["type"], "payment-status");
    assert_eq!(
        (&body["userId"], &body["feed"]),
        (&json!("alice"), &json!("notifications"))
    );
    assert_eq!(body["data"]["paymentId"], id);
    assert_eq!(body["data"]["status"], "succeeded");
}

#[tokio::test]
async fn a_receiver_that_fails_gets_it_again_under_the_same_id_until_it_takes_it() {
    let mut receiver = Receiver::start().await;
    receiver.answer([500, 302, 403, 200]);
    let app = TestApp::with(webhook(&receiver)).await;
    let mut alice = app.connect("alice").await;
    let message = tell(&mut alice, "bob", "first").await;
    for _ in 0..4 {
        let received = receiver.next().await;
        received.check_signature();
        assert_eq!(received.header("webhook-id"), message["id"]);
    }
    let other = tell(&mut alice, "bob", "second").await;
    let received = receiver.next().await;
    assert_eq!(
        received.json()["id"],
        other["id"],
        "the first has been taken"
    );
}

#[tokio::test]
async fn after_the_last_attempt_it_is_a_dead_letter_which_can_be_sent_again() {
    let mut receiver = Receiver::start().await;
    receiver.answer([500, 503, 200]);
    let pushed = webhook(&receiver);
    let app = TestApp::with(|config| {
        pushed(config);
        config.push.attempts = 2;
    })
    .await;
    let mut alice = app.connect("alice").await;
    let message = tell(&mut alice, "bob", "hi").await;
    let letter = dead_letter(&app).await;
    assert_eq!(
        (&letter["userId"], &letter["entryId"]),
        (&json!("bob"), &message["id"])
    );
    assert_eq!(
        (&letter["target"], &letter["attempts"]),
        (&json!("webhook"), &json!(2))
    );
    assert_eq!(letter["lastError"], "status 503");
    assert!(letter["failedAt"].as_str() >= letter["createdAt"].as_str());
    for _ in 0..2 {
        receiver.next().await;
    }
    let path = format!("{DEAD_LETTERS}/{}/retry", letter["id"].as_str().unwrap());
    assert_eq!(app.as_user("bob", "POST", &path).await.0, 403);
    assert_eq!(app.backend("POST", &path, Value::Null).await.0, 204);
    let received = receiver.next().await;
    assert_eq!(received.header("webhook-id"), letter["id"]);
    assert_eq!(dead_letters(&app).await, [Value::Null; 0]);
    let (status, problem) = app.backend("POST", &path, Value::Null).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    assert_eq!(app.as_user("bob", "GET", DEAD_LETTERS).await.0, 403);
    let none = format!("{DEAD_LETTERS}?limit=0");
    assert_eq!(app.backend("GET", &none, Value::Null).await.0, 400);
}

#[tokio::test]
async fn what_was_not_taken_or_not_even_planned_before_a_restart_comes_after_it() {
    let mut receiver = Receiver::start().await;
    receiver.answer([Receiver::NEVER, 200]);
    let pushed = webhook(&receiver);
    let app = TestApp::with(|config| {
        pushed(config);
        config.push.timeout_ms = 600_000;
        // The second one waits in its feed until the first has been taken.
        config.push.max_pending = 1;
    })
    .await;
    let mut alice = app.connect("alice").await;
    let first = tell(&mut alice, "bob", "first").await;
    let received = receiver.next().await;
    assert_eq!(received.header("webhook-id"), first["id"]);
    let second = tell(&mut alice, "bob", "second").await;
    drop(alice);
    let app = app.restarted_with(webhook(&receiver)).await;
    for message in [first, second] {
        assert_eq!(receiver.next().await.header("webhook-id"), message["id"]);
    }
    let mut alice = app.connect("alice").await;
    let third = tell(&mut alice, "bob", "third").await;
    assert_eq!(receiver.next().await.header("webhook-id"), third["id"]);
}

#[tokio::test]
async fn what_came_before_push_was_switched_on_is_not_pushed() {
    let mut receiver = Receiver::start().await;
    let app = TestApp::start().await;
    tell(&mut app.connect("alice").await, "bob", "old").await;
    let app = app.restarted_with(webhook(&receiver)).await;
    let new = tell(&mut app.connect("alice").await, "bob", "new").await;
    assert_eq!(receiver.next().await.json()["id"], new["id"]);
}

#[tokio::test]
async fn a_browser_gets_a_message_that_it_can_decrypt_from_a_server_it_can_verify() {
    let mut receiver = Receiver::start().await;
    let app = TestApp::with(web_push(&receiver)).await;
    let (_, key) = app.request("GET", "/api/push/public-key", None, None).await;
    assert_eq!(key["publicKey"], VAPID_PUBLIC);
    subscribe(&app, "bob", &receiver.url("/browser?of=bob")).await;
    let mut alice = app.connect("alice").await;
    let message = tell(&mut alice, "bob", "hi").await;
    let received = receiver.next().await;
    assert_eq!(received.path, "/browser?of=bob");
    assert_eq!(received.header("content-encoding"), "aes128gcm");
    assert_eq!(received.header("urgency"), "normal");
    let ttl: u32 = received.header("ttl").parse().unwrap();
    assert!((2_419_000..=2_419_200).contains(&ttl), "{ttl}");
    assert_eq!(
        decrypted(&received),
        json!({
            "type": "message", "id": message["id"], "createdAt": message["createdAt"],
            "data": message,
        })
    );
    let authorization = received.header("authorization");
    let token = authorization.strip_prefix("vapid t=").unwrap();
    let (token, key) = token.split_once(", k=").unwrap();
    let key = DecodingKey::from_ec_der(&URL_SAFE_NO_PAD.decode(key).unwrap());
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&[receiver.url("")]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap();
    assert_eq!(claims.claims["sub"], "mailto:ops@example.com");
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten_and_no_dead_letter() {
    let mut receiver = Receiver::start().await;
    let app = TestApp::with(web_push(&receiver)).await;
    subscribe(&app, "bob", &receiver.url("/gone")).await;
    subscribe(&app, "bob", &receiver.url("/kept")).await;
    let mut alice = app.connect("alice").await;
    tell(&mut alice, "bob", "first").await;
    let mut paths = [receiver.next().await.path, receiver.next().await.path];
    paths.sort();
    assert_eq!(paths, ["/gone", "/kept"]);
    for content in ["second", "third"] {
        let message = tell(&mut alice, "bob", content).await;
        let received = receiver.next().await;
        assert_eq!(received.path, "/kept");
        assert_eq!(decrypted(&received)["id"], message["id"]);
    }
    assert_eq!(dead_letters(&app).await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_browser_is_its_user_s_alone_until_somebody_else_signs_in_there() {
    let mut receiver = Receiver::start().await;
    let app = TestApp::with(web_push(&receiver)).await;
    let endpoint = receiver.url("/browser");
    let first = subscribe(&app, "bob", &endpoint).await;
    assert_eq!(subscribe(&app, "bob", &endpoint).await, first);
    let remove = json!({ "endpoint": endpoint });
    let (status, _) = request(&app, "eve", "DELETE", remove.clone()).await;
    assert_eq!(status, 204);
    let mut alice = app.connect("alice").await;
    let message = tell(&mut alice, "bob", "still bob's").await;
    assert_eq!(decrypted(&receiver.next().await)["id"], message["id"]);
    subscribe(&app, "carol", &endpoint).await;
    tell(&mut alice, "bob", "not for carol's eyes").await;
    let message = tell(&mut alice, "carol", "carol's now").await;
    assert_eq!(decrypted(&receiver.next().await)["id"], message["id"]);
    assert_eq!(request(&app, "carol", "DELETE", remove).await.0, 204);
    tell(&mut alice, "carol", "nobody's").await;
    subscribe(&app, "dave", &endpoint).await;
    let message = tell(&mut alice, "dave", "dave's").await;
    assert_eq!(decrypted(&receiver.next().await)["id"], message["id"]);
}

#[tokio::test]
async fn subscriptions_that_cannot_be_sent_to_are_refused() {
    let receiver = Receiver::start().await;
    let app = TestApp::with(web_push(&receiver)).await;
    let good = receiver.url("/browser");
    let refused = async |body: Value| {
        let (status, problem) = request(&app, "alice", "POST", body.clone()).await;
        let code = problem["code"].as_str().unwrap_or_default();
        assert_eq!((status, code), (400, "invalid_payload"), "{body}");
    };
    for endpoint in [
        "http://169.254.169.254/latest",
        "https://internal.example/admin",
        "ftp://push.example/x",
        "browser",
    ] {
        refused(subscription(endpoint)).await;
    }
    for keys in [
        json!({}),
        json!({ "p256dh": BROWSER_PUBLIC, "auth": "AAAA" }),
        json!({ "p256dh": BROWSER_AUTH, "auth": BROWSER_AUTH }),
    ] {
        refused(json!({ "endpoint": good, "keys": keys })).await;
    }
    let whole = || Some(subscription(&good));
    let (status, problem) = app.request("POST", SUBSCRIPTIONS, None, whole()).await;
    assert_eq!((status, &problem["code"]), (401, &json!("unauthenticated")));
    let (status, _) = app
        .backend("POST", SUBSCRIPTIONS, subscription(&good))
        .await;
    assert_eq!(status, 401, "a backend has no browser");
}

#[tokio::test]
async fn without_web_push_there_is_no_key_and_nothing_to_subscribe_to() {
    let app = TestApp::start().await;
    let key = app.request("GET", "/api/push/public-key", None, None).await;
    assert_eq!((key.0, &key.1["code"]), (404, &json!("not_found")));
    let body = subscription("https://fcm.googleapis.com/fcm/send/x");
    assert_eq!(request(&app, "alice", "POST", body).await.0, 404);
    assert_eq!(dead_letters(&app).await, [Value::Null; 0]);
}
