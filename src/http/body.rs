//! JSON bodies, checked on the way in.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result};

/// A JSON body, read into `T`.
///
/// Fails with `unsupported_media_type` when the body is not declared as JSON, with
/// `payload_too_large` over the limit, and with `invalid_payload` when it does not fit `T`.
pub struct Body<T>(pub T);

/// A body that is declared as JSON, as it came: for what is signed.
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Error::new(
                Code::UnsupportedMediaType,
                "Content-Type must be application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|rejection| unread(&rejection))
    }
}

impl RawBody {
    /// The body as `T`; the message names what does not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.0).map_err(|error| Error::invalid_payload(error.to_string()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let raw = RawBody::from_request(request, state).await?;
        raw.parse().map(Self)
    }
}

fn unread(rejection: &BytesRejection) -> Error {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Error::new(Code::PayloadTooLarge, "The body is too large")
    } else {
        Error::invalid_payload("The body could not be read to its end")
    }
}

/// `application/json`, or a type with the suffix `+json`; parameters do not matter.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let Some(value) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let kind = value.split(';').next().unwrap_or(value).trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json"
        || kind
            .split_once('/')
            .is_some_and(|(_, subtype)| subtype.len() > 5 && subtype.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use axum::{Router, body, extract::DefaultBodyLimit, http::Request, routing::post};
    use futures::stream;
    use serde::Deserialize;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    #[derive(Deserialize)]
    struct Order {
        amount: u32,
    }

    async fn send(kind: Option<&str>, body: body::Body) -> (StatusCode, Value) {
        let take = async |Body(order): Body<Order>| order.amount.to_string();
        let router = Router::new()
            .route("/", post(take))
            .layer(DefaultBodyLimit::max(100));
        let mut request = Request::post("/");
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let response = router.oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        let body = body::to_bytes(response.into_body(), usize::MAX).await;
        (status, serde_json::from_slice(&body.unwrap()).unwrap())
    }

    #[tokio::test]
    async fn json_is_taken_under_each_of_its_types() {
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/vnd.shop+json",
        ] {
            let (status, body) = send(Some(kind), r#"{"amount": 7}"#.into()).await;
            assert_eq!((status, body), (StatusCode::OK, Value::from(7)), "{kind}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_declared_as_json_is_not_looked_at() {
        for kind in [None, Some("text/plain"), Some("application/jsonp")] {
            let (status, body) = send(kind, r#"{"amount": 7}"#.into()).await;
            assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
            assert_eq!(body["code"], "unsupported_media_type");
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named() {
        for (body, named) in [
            ("", "EOF"),
            ("{", "EOF"),
            ("{}", "missing field `amount`"),
            (r#"{"amount": "7"}"#, "expected u32"),
            (r#"{"amount": NaN}"#, "expected value"),
            (r#"{"amount": 7} x"#, "trailing characters"),
        ] {
            let (status, problem) = send(Some("application/json"), body.into()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(problem["code"], "invalid_payload");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(named), "{detail}");
        }
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_whether_or_not_it_says_its_length() {
        let whole = body::Body::from(vec![b' '; 101]);
        let parts = stream::iter((0..101).map(|_| Ok::<_, Error>(" ")));
        for body in [whole, body::Body::from_stream(parts)] {
            let (status, problem) = send(Some("application/json"), body).await;
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
            assert_eq!(problem["code"], "payload_too_large");
        }
    }
}
