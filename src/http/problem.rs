//! Errors as `application/problem+json` (RFC 9457), for whatever goes wrong on the way.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde::Serialize;

use crate::error::{Code, Error};

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What an error's body says.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` says what happened.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    detail: String,
    /// What is wrong, by a name that never changes.
    code: &'static str,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            kind: "about:blank",
            title: status(error).canonical_reason().unwrap_or("Error"),
            status: status(error).as_u16(),
            detail: error.message().to_owned(),
            code: error.code().as_str(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        respond(&self, &Problem::from(&self))
    }
}

/// The error with this body, which says at least what its [`Problem`] says.
pub fn respond(error: &Error, body: &impl Serialize) -> Response {
    // Text and numbers only: this cannot fail.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let kind = [(header::CONTENT_TYPE, PROBLEM_JSON)];
    let mut response = (status(error), kind, body).into_response();
    let headers = response.headers_mut();
    if let Some(wait) = retry_after(error) {
        headers.insert(header::RETRY_AFTER, whole_seconds(wait).into());
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, bearer);
    }
    response
}

fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn retry_after(error: &Error) -> Option<Duration> {
    let too_many = status(error) == StatusCode::TOO_MANY_REQUESTS;
    error.retry_after().or(too_many.then_some(Duration::ZERO))
}

/// Rounded up, so that nobody comes back too early; at least one.
fn whole_seconds(wait: Duration) -> u64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    (wait.as_secs() + begun).max(1)
}

/// Answers what no route answers: unknown paths, and methods that a path does not have.
pub fn complete(router: Router) -> Router {
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
}

/// Answers for a path that is not there.
pub async fn not_found() -> Error {
    Error::not_found("There is nothing at this path")
}

/// Answers for a method that the path does not have; the router adds `Allow`.
pub async fn method_not_allowed() -> Error {
    Error::new(
        Code::MethodNotAllowed,
        "This path does not take this method",
    )
}

/// Turns a handler's panic into an answer; the connection goes on.
pub async fn caught(answer: impl Future<Output = Response>) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(panicked)
}

#[allow(clippy::needless_pass_by_value)] // It is caught so.
fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    // The panic's text may quote what a client sent; where it happened is on standard error.
    tracing::error!("the handler of an HTTP request panicked");
    Error::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::Request,
        middleware::{Next, from_fn},
        routing::get,
    };
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    async fn answer(method: &str, path: &str) -> (Response, Value) {
        async fn panics() -> StatusCode {
            panic!("a secret")
        }
        async fn too_fast() -> Error {
            Error::rate_limited(Duration::from_millis(1_001))
        }
        let router = Router::new()
            .route("/panics", get(panics))
            .route("/too-fast", get(too_fast))
            .route("/private", get(async || Error::unauthenticated()))
            .route("/full", get(async || Error::new(Code::QueueFull, "full")));
        let catching = async |request, next: Next| caught(next.run(request)).await;
        let router = complete(router).layer(from_fn(catching));
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        (Response::from_parts(parts, Body::empty()), body)
    }

    #[tokio::test]
    async fn an_unknown_path_is_a_problem_with_a_stable_code() {
        let (response, body) = answer("GET", "/nowhere").await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(
            body,
            json!({
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "There is nothing at this path",
                "code": "not_found",
            })
        );
    }

    #[tokio::test]
    async fn a_method_that_a_path_does_not_have_is_answered_with_those_it_has() {
        let (response, body) = answer("DELETE", "/private").await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
        assert_eq!(body["code"], "method_not_allowed");
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_says_nothing_of_the_inside() {
        let (response, body) = answer("GET", "/panics").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body["code"], "internal");
        assert!(!body.to_string().contains("secret"));
    }

    #[tokio::test]
    async fn who_is_too_fast_hears_when_to_come_back_in_whole_seconds_and_never_at_once() {
        let (too_fast, _) = answer("GET", "/too-fast").await;
        assert_eq!(too_fast.headers()[header::RETRY_AFTER], "2");
        let (full, _) = answer("GET", "/full").await;
        assert_eq!(full.headers()[header::RETRY_AFTER], "1");
    }

    #[tokio::test]
    async fn who_is_not_known_hears_how_to_identify() {
        let (response, _) = answer("GET", "/private").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
}
