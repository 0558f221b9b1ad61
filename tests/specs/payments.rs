//! Payments: taken at once, settled later, told to whoever asked.

use std::time::{SystemTime, UNIX_EPOCH};

use roomcast::{
    config::{Gateway, Secret},
    webhook::WebhookKey,
};
use serde_json::{Value, json};

use super::support::{Client, TestApp, claims, token};

const PAY: &str = "/api/payments/make-payment-with-socket";

async fn by_backend() -> TestApp {
    TestApp::with(|config| {
        config.auth.guests = true;
        config.payments.gateway = Gateway::Webhook;
        config.payments.webhook_secret = Secret::new("a provider's secret");
    })
    .await
}

async fn pay(app: &TestApp, user: Option<&str>, socket: &Client) -> String {
    let bearer = user.map(|user| token(&claims(user)));
    let body = json!({ "amount": 12.5, "socketId": socket.id });
    let (status, receipt) = app
        .request("POST", PAY, bearer.as_deref(), Some(body))
        .await;
    assert_eq!(status, 200);
    assert_eq!(receipt["message"], "Payment received, processing request");
    receipt["paymentId"].as_str().unwrap().to_owned()
}

async fn settle(app: &TestApp, id: &str, status: &str) -> (u16, Value) {
    let path = format!("/api/payments/{id}/status");
    app.backend("POST", &path, json!({ "status": status }))
        .await
}

#[tokio::test]
async fn the_simulated_gateway_tells_the_asking_socket_and_no_other() {
    let app = TestApp::with(|config| {
        config.auth.guests = true;
        config.payments.delay_ms = 20;
        config.payments.decline_above = 100.0;
    })
    .await;
    let mut guest = app.connect_as("").await.unwrap();
    let mut other = app.connect_as("").await.unwrap();
    pay(&app, None, &guest).await;
    assert_eq!(guest.expect("payment-status").await, true);
    let body = json!({ "amount": "100.01", "socketId": guest.id });
    app.request("POST", PAY, None, Some(body)).await;
    assert_eq!(guest.expect("payment-status").await, false);
    other.ok("join-product-room", "marker").await;
    let (status, _) = app
        .backend(
            "PUT",
            "/api/products/marker/inventory",
            json!({ "newInventory": 1 }),
        )
        .await;
    assert_eq!(status, 204);
    other.expect("inventory-update").await;
}

#[tokio::test]
async fn an_outcome_counts_once() {
    let app = by_backend().await;
    let mut alice = app.connect("alice").await;
    let id = pay(&app, Some("alice"), &alice).await;
    assert_eq!(settle(&app, &id, "failed").await.0, 204);
    assert_eq!(settle(&app, &id, "succeeded").await.0, 204);
    assert_eq!(alice.expect("payment-status").await, false);
    alice.never_heard("payment-status").await;
    let (status, problem) = settle(&app, "no-such-payment", "failed").await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    assert_eq!(settle(&app, &id, "maybe").await.0, 400);
}

#[tokio::test]
async fn a_user_whose_socket_has_gone_hears_it_on_the_next_connect() {
    let app = by_backend().await;
    let alice = app.connect("alice").await;
    // The page calls without a token: the socket tells whose payment it is.
    let id = pay(&app, None, &alice).await;
    alice.goodbye().await;
    settle(&app, &id, "succeeded").await;
    let mut alice = app.connect("alice").await;
    assert_eq!(alice.expect("payment-status").await, true);
    let mut again = app.connect("alice").await;
    again.never_heard("payment-status").await;
}

#[tokio::test]
async fn a_payment_outlives_a_restart() {
    let app = TestApp::with(|config| config.payments.delay_ms = 600_000).await;
    let alice = app.connect("alice").await;
    pay(&app, Some("alice"), &alice).await;
    let app = app
        .restarted_with(|config| config.payments.delay_ms = 0)
        .await;
    let mut alice = app.connect("alice").await;
    assert_eq!(alice.expect("payment-status").await, true);
}

#[tokio::test]
async fn a_provider_s_signed_webhook_settles_and_a_forged_or_old_one_does_not() {
    let app = by_backend().await;
    let mut alice = app.connect("alice").await;
    let id = pay(&app, Some("alice"), &alice).await;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let body = r#"{ "status": "succeeded" }"#;
    let send = async |id: &str, at: u64, signed: &str| {
        let at = at.to_string();
        let key = WebhookKey::new("a provider's secret").unwrap();
        let signature = key.sign("msg_1", &at, signed.as_bytes()).unwrap();
        let request = app.raw("POST", &format!("/api/payments/{id}/status"));
        let request = request
            .header("content-type", "application/json")
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature);
        request.body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(send(&id, now, "another body").await, 401);
    assert_eq!(send(&id, now - 301, body).await, 401);
    alice.never_heard("payment-status").await;
    assert_eq!(send(&id, now, body).await, 204);
    assert_eq!(alice.expect("payment-status").await, true);
    let other = pay(&app, Some("alice"), &alice).await;
    assert_eq!(
        send(&other, now, body).await,
        401,
        "the webhook of another payment"
    );
    alice.never_heard("payment-status").await;
}

#[tokio::test]
async fn amounts_that_are_none_and_other_people_s_sockets_are_refused() {
    let app = by_backend().await;
    let alice = app.connect("alice").await;
    for amount in [json!(0), json!(-1), json!("much"), json!(null)] {
        let body = json!({ "amount": amount, "socketId": alice.id });
        let (status, problem) = app.request("POST", PAY, None, Some(body)).await;
        assert_eq!(
            (status, &problem["code"]),
            (400, &json!("invalid_payload")),
            "{amount}"
        );
    }
    let eve = token(&claims("eve"));
    let body = json!({ "amount": 1, "socketId": alice.id });
    assert_eq!(
        app.request("POST", PAY, Some(&eve), Some(body)).await.0,
        403
    );
}
