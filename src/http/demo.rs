//! The client demo: a web app that shows through this server what the server does.

mod files;
mod users;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::error::{Error, Result};

pub use users::{SampleUser, everybody, sample_users};

/// Everything the pages need comes from this server, but for pictures that they make themselves;
/// nothing may frame them.
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// `GET /` (the app), what it loads, and `GET /demo/users`. Hands a valid token to anyone who asks,
/// one of a backend, too, so it may only be mounted where the demo is switched on.
pub fn routes<S: Clone + Send + Sync + 'static>(users: Vec<SampleUser>) -> Router<S> {
    if let Some(reason) = files::missing() {
        tracing::warn!("the demo is not served: {reason}");
    }
    let users: Arc<[SampleUser]> = users.into();
    let listed = move |headers: HeaderMap| async move { list(&headers, users) };
    files::paths().fold(
        Router::new().route("/demo/users", get(listed)),
        |router, path| {
            let respond = {
                let path = path.clone();
                move |headers: HeaderMap| async move { guarded(files::respond(&path, &headers)) }
            };
            router.route(&path, get(respond))
        },
    )
}

/// The users with their tokens, for this server's own pages: those of other sites are refused.
fn list(headers: &HeaderMap, users: Arc<[SampleUser]>) -> Result<Response> {
    if is_foreign(headers) {
        return Err(Error::forbidden());
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(users)).into_response())
}

/// Whether a page of another origin asks. Browsers say so wherever that page could read the answer.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(HeaderValue::as_bytes);
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let own = text(header::HOST).is_some_and(|host| {
        origin.strip_prefix(b"http://") == Some(host)
            || origin.strip_prefix(b"https://") == Some(host)
    });
    !own
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::*;

    async fn fetch(path: &str, headers: &[(&str, &str)]) -> Response {
        let alice = SampleUser {
            user_id: "alice".to_owned(),
            name: "Alice".to_owned(),
            token: "a.b.c".to_owned(),
            roles: &[],
        };
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        routes::<()>(vec![alice]).oneshot(request).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// The attributes of the page that name something to load.
    fn loaded(page: &str) -> Vec<String> {
        let after = |mark| page.split(mark).skip(1);
        let values = after("src=\"").chain(after("href=\""));
        values
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn a_build_without_the_demo_says_so() {
        if files::missing().is_none() {
            return;
        }
        let page = fetch("/", &[]).await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert!(text(page).await.contains("built without"));
    }

    #[tokio::test]
    async fn the_page_loads_only_what_this_server_serves() {
        if files::missing().is_some() {
            return;
        }
        let page = fetch("/", &[]).await;
        assert_eq!(page.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
        let page = text(page).await;
        assert!(!page.contains("<style") && !page.contains("style="));
        assert!(!page.contains("//"), "an address elsewhere");
        let loaded = loaded(&page);
        assert!(loaded.len() >= 3, "{loaded:?}");
        for path in loaded {
            let response = fetch(&path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let headers = response.headers();
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            let cache = headers[header::CACHE_CONTROL].to_str().unwrap();
            let hashed = path.starts_with("/demo/assets/");
            assert_eq!(cache.contains("immutable"), hashed, "{path}");
        }
    }

    #[tokio::test]
    async fn a_page_that_is_known_is_not_sent_again() {
        if files::missing().is_some() {
            return;
        }
        let first = fetch("/", &[]).await;
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = fetch("/", &[("if-none-match", &tag)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn sample_users_come_with_their_tokens_and_are_not_cached() {
        let response = fetch("/demo/users", &[]).await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            text(response).await,
            r#"[{"userId":"alice","name":"Alice","token":"a.b.c","roles":[]}]"#
        );
    }

    #[tokio::test]
    async fn pages_of_other_sites_get_no_tokens() {
        let host = ("host", "localhost:3000");
        for (origin, status) in [
            ("http://localhost:3000", StatusCode::OK),
            ("http://localhost:3001", StatusCode::FORBIDDEN),
            ("https://evil.example", StatusCode::FORBIDDEN),
            ("null", StatusCode::FORBIDDEN),
        ] {
            let response = fetch("/demo/users", &[host, ("origin", origin)]).await;
            assert_eq!(response.status(), status, "{origin}");
        }
    }
}
