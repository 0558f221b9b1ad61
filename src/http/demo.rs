//! The client demo: one page that chats through this server as one of its sample users.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    http::{HeaderName, header},
    response::IntoResponse,
    routing::get,
};
use serde::Serialize;

use crate::{
    auth::{MintClaims, MintError, mint},
    config::Auth,
};

/// Who the page can sign in as: user id and name.
const SAMPLE_USERS: [(&str, &str); 3] = [("alice", "Alice"), ("bob", "Bob"), ("carol", "Carol")];

/// How long a sample user's token is valid.
const SAMPLE_TTL: Duration = Duration::from_secs(24 * 60 * 60);

const PAGE: &str = include_str!("../../client-demo/index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page loads: path, `Content-Type`, body.
const ASSETS: [(&str, &str, &str); 5] = [
    (
        "/demo/demo.css",
        "text/css; charset=utf-8",
        include_str!("../../client-demo/demo.css"),
    ),
    (
        "/demo/demo.js",
        SCRIPT,
        include_str!("../../client-demo/demo.js"),
    ),
    (
        "/demo/session.js",
        SCRIPT,
        include_str!("../../client-demo/session.js"),
    ),
    (
        "/demo/view.js",
        SCRIPT,
        include_str!("../../client-demo/view.js"),
    ),
    (
        "/demo/icon.svg",
        "image/svg+xml",
        include_str!("../../client-demo/icon.svg"),
    ),
];

/// Everything the page needs comes from this server; nothing may frame it.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Somebody the page can sign in as. Has no `Debug`, so that no token gets into a log.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleUser {
    /// The token's `sub`.
    pub user_id: String,
    /// The name that others see.
    pub name: String,
    /// A token that may enter the room `lobby`.
    pub token: String,
}

/// The sample users, with tokens that open every room. Nobody without a secret to sign with.
pub fn sample_users(auth: &Auth) -> Result<Vec<SampleUser>, MintError> {
    let secret = &auth.jwt_secret;
    let users = if secret.is_empty() {
        &[]
    } else {
        &SAMPLE_USERS[..]
    };
    let user = |(id, name): &(&str, &str)| {
        let claims = MintClaims {
            sub: (*id).to_owned(),
            name: Some((*name).to_owned()),
            rooms: vec!["*".to_owned()],
            roles: Vec::new(),
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            ttl: SAMPLE_TTL,
        };
        Ok(SampleUser {
            user_id: claims.sub.clone(),
            name: (*name).to_owned(),
            token: mint(secret.expose().as_bytes(), &claims)?,
        })
    };
    users.iter().map(user).collect()
}

/// `GET /` (the page), `GET /demo/users` and what the page loads. Hands a valid token to anyone
/// who asks, so it may only be mounted where the demo is switched on.
pub fn routes<S: Clone + Send + Sync + 'static>(users: Vec<SampleUser>) -> Router<S> {
    let users: Arc<[SampleUser]> = users.into();
    let listed = move || async move { ([(header::CACHE_CONTROL, "no-store")], Json(users)) };
    let router = Router::new()
        .route("/", get(async || asset("text/html; charset=utf-8", PAGE)))
        .route("/demo/users", get(listed));
    ASSETS.iter().fold(router, |router, (path, kind, body)| {
        router.route(path, get(async || asset(kind, body)))
    })
}

fn asset(kind: &'static str, body: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body)
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
        response::Response,
    };
    use tower::ServiceExt;

    use super::*;

    async fn fetch(path: &str) -> Response {
        let alice = SampleUser {
            user_id: "alice".to_owned(),
            name: "Alice".to_owned(),
            token: "a.b.c".to_owned(),
        };
        let request = Request::get(path).body(Body::empty()).unwrap();
        routes::<()>(vec![alice]).oneshot(request).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_page_loads_only_what_this_server_serves() {
        let page = fetch("/").await;
        assert_eq!(page.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        let page = text(page).await;
        assert!(!page.contains("<style") && !page.contains("style="));
        assert!(!page.contains("//"), "an address elsewhere");
        for path in ["/demo/icon.svg", "/demo/demo.css", "/demo/demo.js"] {
            assert!(page.contains(path));
            let response = fetch(path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(
                response.headers()[header::X_CONTENT_TYPE_OPTIONS],
                "nosniff"
            );
        }
    }

    #[tokio::test]
    async fn sample_users_come_with_their_tokens_and_are_not_cached() {
        let response = fetch("/demo/users").await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            text(response).await,
            r#"[{"userId":"alice","name":"Alice","token":"a.b.c"}]"#
        );
    }
}
