//! Which pages may use the server: CORS for requests, the `Origin` check for WebSockets.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    response::Response,
};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::{
    error::{Code, Error, Result},
    realtime::engine::is_websocket,
};

/// How long a browser may keep the answer to a preflight.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The origins of `server.allowed_origins`.
#[derive(Clone)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// From the configured texts; `*` is any origin.
    pub fn new(allowed: &[String]) -> Self {
        Self(
            allowed
                .iter()
                .map(|origin| origin.to_ascii_lowercase())
                .collect(),
        )
    }

    fn allow(&self, origin: &HeaderValue) -> bool {
        let listed =
            |one: &String| one == "*" || one.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
        self.0.iter().any(listed)
    }

    /// Fails with `origin_not_allowed` when a page that is neither on the list nor of this server
    /// opens a WebSocket: browsers do not ask for leave there. Who sends no `Origin` is not a
    /// browser.
    pub fn check_upgrade(&self, request: &Request) -> Result<()> {
        if is_websocket(request.headers())
            && let Some(origin) = request.headers().get(header::ORIGIN)
            && !self.allow(origin)
            && !is_own(origin, request.headers(), request.uri())
        {
            return Err(Error::new(
                Code::OriginNotAllowed,
                "Pages of this origin may not connect",
            ));
        }
        Ok(())
    }
}

/// CORS with credentials for the allowed origins: each is mirrored, as browsers do not take `*`
/// together with credentials.
pub fn layer(origins: Origins) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            origins.allow(origin)
        }))
        .allow_credentials(true)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::RETRY_AFTER])
        .max_age(MAX_AGE)
}

/// What an answer may depend on.
const VARY: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

/// Whether a page may have sent it: others are not told what pages may do.
pub fn concerns(request: &Request) -> bool {
    request.headers().contains_key(header::ORIGIN) || request.method() == Method::OPTIONS
}

/// The answer to who is no page: a cache must not give it to one.
pub fn varies(mut answer: Response) -> Response {
    answer.headers_mut().append(header::VARY, VARY);
    answer
}

/// Whether the page came from this host and port. The scheme is left out: behind a proxy that ends
/// TLS the page's is `https` and ours `http`.
fn is_own(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let origin = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        extract::State,
        http::StatusCode,
        middleware::{Next, from_fn_with_state},
    };
    use tower::ServiceExt;

    use super::*;

    async fn check(
        State(origins): State<Origins>,
        request: Request,
        next: Next,
    ) -> Result<Response> {
        origins.check_upgrade(&request)?;
        Ok(next.run(request).await)
    }

    async fn send(allowed: &[&str], method: Method, headers: &[(&str, &str)]) -> Response {
        let allowed: Vec<_> = allowed.iter().map(|origin| (*origin).to_owned()).collect();
        let origins = Origins::new(&allowed);
        let router = Router::new()
            .fallback(async || StatusCode::OK)
            .layer(from_fn_with_state(origins.clone(), check))
            .layer(layer(origins));
        let mut request = Request::builder()
            .method(method)
            .uri("/socket.io/?EIO=4&transport=websocket")
            .header("host", "chat.example:3000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    async fn upgrade(allowed: &[&str], origin: Option<&str>) -> StatusCode {
        let mut headers = vec![("upgrade", "WebSocket"), ("connection", "Upgrade")];
        headers.extend(origin.map(|origin| ("origin", origin)));
        send(allowed, Method::GET, &headers).await.status()
    }

    #[tokio::test]
    async fn a_websocket_opens_for_listed_pages_own_pages_and_what_is_no_page() {
        let listed = ["https://app.example"];
        for origin in [
            None,
            Some("https://app.example"),
            Some("HTTPS://APP.example"),
            Some("https://chat.example:3000"),
            Some("http://chat.example:3000"),
        ] {
            assert_eq!(upgrade(&listed, origin).await, StatusCode::OK, "{origin:?}");
        }
        assert_eq!(upgrade(&["*"], Some("null")).await, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_websocket_does_not_open_for_other_pages() {
        for origin in [
            "https://evil.example",
            "https://chat.example",
            "https://app.example.evil.example",
            "null",
            "",
        ] {
            let status = upgrade(&["https://app.example"], Some(origin)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{origin}");
        }
    }

    #[tokio::test]
    async fn a_listed_page_may_send_credentials_and_any_header() {
        let preflight = [
            ("origin", "https://app.example"),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "authorization,x-trace"),
        ];
        let response = send(&["https://app.example"], Method::OPTIONS, &preflight).await;
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-credentials", "true"),
            (
                "access-control-allow-methods",
                "GET,POST,PUT,DELETE,OPTIONS",
            ),
            ("access-control-allow-headers", "authorization,x-trace"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
    }

    #[tokio::test]
    async fn another_page_is_given_no_leave_and_the_star_mirrors_whoever_asks() {
        let from = [("origin", "https://other.example")];
        let refused = send(&["https://app.example"], Method::GET, &from).await;
        let allowed = "access-control-allow-origin";
        assert!(!refused.headers().contains_key(allowed));
        let anyone = send(&["*"], Method::GET, &from).await;
        assert_eq!(anyone.headers()[allowed], "https://other.example");
    }
}
