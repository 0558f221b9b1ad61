//! Delivery tracking.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use roomcast::auth::MintClaims;
use serde_json::{Value, json};

use super::support::{TestApp, claims, token};

const D1: &str = "/api/driver/d1/location";

fn driver(id: &str) -> String {
    let roles = vec!["driver".to_owned()];
    token(&MintClaims {
        roles,
        ..claims(id)
    })
}

async fn report(app: &TestApp, by: &str, body: Value) -> (u16, Value) {
    app.request("POST", D1, Some(&driver(by)), Some(body)).await
}

#[tokio::test]
async fn watchers_hear_positions_and_a_late_one_hears_the_last_at_once() {
    let app = TestApp::start().await;
    let mut alice = app.connect("alice").await;
    let ack = alice.ok("watch-delivery", "d1").await;
    assert_eq!(ack["location"], Value::Null);
    let place = json!({ "lat": 52.5, "lng": 13.4, "heading": 90.0, "speed": 8.5 });
    assert_eq!(report(&app, "d1", place).await.0, 204);
    let update = alice.expect("location-update").await;
    assert_eq!(
        (&update["lat"], &update["lng"]),
        (&json!(52.5), &json!(13.4))
    );
    assert_eq!(update["driverId"], "d1");
    assert!(update["timestamp"].is_i64());
    let mut late = app.connect("bob").await;
    let ack = late.ok("watch-delivery", "d1").await;
    assert_eq!(ack["location"], update);
    assert_eq!(late.expect("location-update").await, update);
    let (status, last) = app.as_user("carol", "GET", D1).await;
    assert_eq!((status, last), (200, update));
    late.ok("unwatch-delivery", "d1").await;
    report(&app, "d1", json!({ "lat": 1.0, "lng": 1.0 })).await;
    alice.expect("location-update").await;
    late.never_heard("location-update").await;
}

#[tokio::test]
async fn a_backlog_counts_as_its_newest_position_and_what_is_older_is_stale() {
    let app = TestApp::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = |ago: u64| u64::try_from((now - Duration::from_secs(ago)).as_millis()).unwrap();
    let place = |lat: f64, ago: u64| json!({ "lat": lat, "lng": 0.0, "recordedAt": at(ago) });
    let backlog = json!([place(1.0, 9), place(3.0, 3), place(2.0, 6)]);
    assert_eq!(report(&app, "d1", backlog).await.0, 204);
    let (_, last) = app.as_user("alice", "GET", D1).await;
    assert_eq!(last["lat"], 3.0);
    for older in [place(4.0, 5), place(4.0, 31)] {
        let (status, problem) = report(&app, "d1", older).await;
        assert_eq!((status, &problem["code"]), (409, &json!("position_stale")));
    }
}

#[tokio::test]
async fn only_that_driver_or_a_backend_reports_and_only_what_can_be() {
    let app = TestApp::start().await;
    let place = json!({ "lat": 1.0, "lng": 1.0 });
    assert_eq!(report(&app, "d2", place.clone()).await.0, 403);
    let passenger = token(&claims("d1"));
    let status = app
        .request("POST", D1, Some(&passenger), Some(place.clone()))
        .await
        .0;
    assert_eq!(status, 403, "a token without the role");
    assert_eq!(
        app.request("POST", D1, None, Some(place.clone())).await.0,
        401
    );
    assert_eq!(app.backend("POST", D1, place).await.0, 204);
    for body in [
        json!({ "lat": 91.0, "lng": 0.0 }),
        json!({ "lat": "NaN", "lng": 0.0 }),
        json!({ "lng": 0.0 }),
        json!([]),
        json!([{ "lat": 0.0, "lng": 0.0 }, { "lat": 0.0, "lng": 181.0 }]),
    ] {
        let (status, problem) = report(&app, "d1", body.clone()).await;
        assert_eq!(
            (status, &problem["code"]),
            (400, &json!("invalid_payload")),
            "{body}"
        );
    }
    let request = app.raw("POST", D1).bearer_auth(driver("d1"));
    let request = request
        .header("content-type", "application/json")
        .body(r#"{"lat": NaN, "lng": 1}"#);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 400);
}

#[tokio::test]
async fn a_driver_who_falls_silent_is_offline_once() {
    let app = TestApp::with(|config| config.tracking.ttl_ms = 60).await;
    let mut alice = app.connect("alice").await;
    alice.ok("watch-delivery", "d1").await;
    report(&app, "d1", json!({ "lat": 1.0, "lng": 1.0 })).await;
    alice.expect("location-update").await;
    let offline = alice.expect("driver-offline").await;
    assert_eq!(offline["driverId"], "d1");
    assert!(offline["lastSeen"].is_string());
    assert_eq!(app.as_user("alice", "GET", D1).await.0, 404);
    alice.never_heard("driver-offline").await;
}
