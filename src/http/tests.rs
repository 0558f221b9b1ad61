//! The description of the routes, and what stands around them, without a listener.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, StatusCode},
    response::Response,
};
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::realtime::namespace::{Endpoint, Root};

fn description() -> Value {
    let api = api().merge(sse::routes()).merge(ops::routes());
    let api = api.into_openapi();
    serde_json::to_value(api).unwrap()
}

/// Every `$ref` below this value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(text) if name == "$ref" => found.push(text.to_owned()),
                    _ => references(field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn the_description_has_every_route_with_its_methods() {
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let mut routes: Vec<_> = routes.collect();
    routes.sort();
    assert_eq!(
        routes,
        [
            "DELETE /api/push/subscriptions",
            "DELETE /api/rooms/{roomId}/members/{userId}",
            "DELETE /api/users/{userId}/sessions",
            "GET /api/channels/{channel}",
            "GET /api/driver/{driverId}/location",
            "GET /api/notifications",
            "GET /api/openapi.json",
            "GET /api/presence",
            "GET /api/push/dead-letters",
            "GET /api/push/public-key",
            "GET /api/rooms",
            "GET /api/rooms/{roomId}/messages",
            "GET /api/rooms/{roomId}/presence",
            "GET /api/sync",
            "GET /api/vendor/{vendorId}/notifications/stream",
            "GET /api/vendor/{vendorId}/orders",
            "GET /events/notifications",
            "GET /events/stream/{channel}",
            "GET /healthz",
            "GET /metrics",
            "GET /readyz",
            "POST /api/channels/{channel}",
            "POST /api/driver/{driverId}/location",
            "POST /api/emit",
            "POST /api/notifications",
            "POST /api/orders",
            "POST /api/payments/make-payment-with-socket",
            "POST /api/payments/{paymentId}/status",
            "POST /api/push/dead-letters/{id}/retry",
            "POST /api/push/subscriptions",
            "POST /api/tokens/revoke",
            "POST /api/vendor/{vendorId}/orders",
            "PUT /api/products/{productId}/inventory",
            "PUT /api/rooms/{roomId}/members/{userId}",
        ]
    );
}

#[test]
fn the_description_refers_to_nothing_that_it_lacks_and_names_each_operation_once() {
    let description = description();
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(found.contains(&"#/components/schemas/Problem".to_owned()));
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
    let paths = description["paths"].as_object().unwrap();
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<_> = operations
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

/// No routes beside the endpoint, which serves for as long as it is there.
fn outside_of_nothing(eio3: bool) -> (Endpoint, Outside) {
    let mut config = Config::default();
    config.socket.eio3 = eio3;
    config.server.allowed_origins = vec!["https://shop.example".to_owned()];
    let endpoint = Endpoint::new(&config, &[], Root::Roomcast);
    let router = problem::complete(Router::new());
    let outside = outside(router, endpoint.engine(), &config).unwrap();
    (endpoint, outside)
}

async fn send(eio3: bool, method: Method, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let (_endpoint, outside) = outside_of_nothing(eio3);
    outside.answer(request).await
}

#[tokio::test]
async fn pages_alone_hear_what_pages_may_do_and_caches_hear_it_from_every_answer() {
    let request = || Request::get("/nowhere");
    let by_page = request().header("origin", "https://shop.example");
    let [by_page, by_backend] = [by_page, request()].map(|one| one.body(Body::empty()).unwrap());
    let (_endpoint, outside) = outside_of_nothing(false);
    let to_page = outside.answer(by_page).await;
    let to_backend = outside.answer(by_backend).await;
    let (allow, vary) = ("access-control-allow-origin", "vary");
    assert_eq!(to_page.headers()[allow], "https://shop.example");
    assert!(!to_backend.headers().contains_key(allow));
    assert_eq!(to_page.headers()[vary], to_backend.headers()[vary]);
}

#[tokio::test]
async fn the_client_s_files_are_served_beside_the_endpoint() {
    let file = send(false, Method::GET, "/socket.io/socket.io.js?v=1").await;
    let built_with_it = client_files::missing().is_none();
    let expected = if built_with_it {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    };
    assert_eq!(file.status(), expected);
    let posted = send(false, Method::POST, "/socket.io/socket.io.js").await;
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    let endpoint = send(false, Method::GET, "/socket.io/?EIO=4&transport=polling").await;
    assert_eq!(endpoint.status(), StatusCode::OK);
    for nowhere in ["/socket.io.js", "/socket.io/nowhere", "/nowhere"] {
        let nowhere = send(false, Method::GET, nowhere).await;
        assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn engine_io_3_is_refused_in_the_words_of_nodes_server_unless_it_is_served() {
    let path = "/socket.io/?EIO=3&transport=polling";
    let refused = send(false, Method::GET, path).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let body = to_bytes(refused.into_body(), usize::MAX).await.unwrap();
    assert_eq!(
        body,
        r#"{"code":5,"message":"Unsupported protocol version"}"#
    );
    let served = send(true, Method::GET, path).await;
    assert_eq!(served.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_stop_what_was_begun() {
    let go = Arc::new(tokio::sync::Semaphore::new(0));
    let (says, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let permit = go.clone();
    let handler = move || async move {
        says.send("begun").unwrap();
        permit.acquire().await.unwrap().forget();
        says.send("told").unwrap();
    };
    let router: Router = Router::new()
        .route("/", axum::routing::get(handler))
        .layer(from_fn(async |request, next: Next| {
            to_end::run(next.run(request)).await
        }));
    let call = Request::get("/").body(Body::empty()).unwrap();
    let calling = tokio::spawn(router.oneshot(call));
    assert_eq!(heard.recv().await, Some("begun"));
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    go.add_permits(1);
    assert_eq!(heard.recv().await, Some("told"));
}
