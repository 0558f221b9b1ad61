//! The stock Socket.IO client, served as Node's server serves it.

use axum::{
    Router,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};

use super::embedded::{File, Serving};
use crate::error::Error;

// `NAMES`, `VERSION`, `MISSING` and `FILES`, as the build script found them.
include!(concat!(env!("OUT_DIR"), "/client_files.rs"));

const PREFIX: &str = "/socket.io/";

/// `GET /socket.io/socket.io.js`, `.min.js`, `.esm.min.js`, `.msgpack.min.js` and the `.map` of
/// each.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    NAMES.iter().fold(Router::new(), |router, name| {
        let path = format!("{PREFIX}{name}");
        router.route(
            &path.clone(),
            get(move |headers: HeaderMap| async move { respond(&path, &headers) }),
        )
    })
}

/// Why the client is not in this build; absent when it is.
pub fn missing() -> Option<&'static str> {
    MISSING
}

/// Whether the path (without its query) names a file of the client, embedded or not.
pub fn is_client_file(path: &str) -> bool {
    path.strip_prefix(PREFIX)
        .is_some_and(|name| NAMES.contains(&name))
}

/// The file at this path: 200, 304 when `If-None-Match` names its version, or 404 when the path
/// names none or the build lacks the client.
pub fn respond(path: &str, headers: &HeaderMap) -> Response {
    if !is_client_file(path) {
        return Error::not_found("There is no such client file").into_response();
    }
    let name = path.strip_prefix(PREFIX);
    let Some(file) = FILES.iter().find(|file| Some(file.name) == name) else {
        return Error::not_found(
            "This server was built without the Socket.IO client; load it from the \
             socket.io-client package, or rebuild where npm is at hand",
        )
        .into_response();
    };
    let kind = if file.name.ends_with(".map") {
        "application/json; charset=utf-8"
    } else {
        "application/javascript; charset=utf-8"
    };
    let serving = Serving {
        kind,
        cache: "public, max-age=0",
        tag: VERSION,
    };
    file.respond(&serving, headers)
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode, header},
    };
    use tower::ServiceExt;

    use super::*;

    async fn get_file(path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        routes::<()>().oneshot(request).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    fn value(response: &Response, name: header::HeaderName) -> Option<&str> {
        response.headers().get(name).map(|v| v.to_str().unwrap())
    }

    /// The specs below describe a build with the client; without it they have nothing to check.
    fn embedded() -> bool {
        missing().is_none()
    }

    #[tokio::test]
    async fn a_build_without_the_client_says_so_at_every_path() {
        if embedded() {
            return;
        }
        for name in NAMES {
            let response = get_file(&format!("/socket.io/{name}"), &[]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            assert!(text(response).await.contains("built without"));
        }
    }

    #[tokio::test]
    async fn scripts_and_maps_carry_their_types_and_the_version_as_etag() {
        if !embedded() {
            return;
        }
        for name in NAMES {
            let response = get_file(&format!("/socket.io/{name}"), &[]).await;
            assert_eq!(response.status(), StatusCode::OK);
            let kind = match name.ends_with(".map") {
                true => "application/json; charset=utf-8",
                false => "application/javascript; charset=utf-8",
            };
            assert_eq!(value(&response, header::CONTENT_TYPE), Some(kind));
            let tag = format!("\"{VERSION}\"");
            assert_eq!(value(&response, header::ETAG), Some(tag.as_str()));
            assert_eq!(
                value(&response, header::CACHE_CONTROL),
                Some("public, max-age=0")
            );
            assert_eq!(value(&response, header::CONTENT_ENCODING), None);
            let start = if name.ends_with(".map") { "{" } else { "/*!" };
            assert!(text(response).await.starts_with(start));
        }
    }

    #[tokio::test]
    async fn a_known_version_is_not_sent_again_whether_its_tag_is_strong_weak_or_in_a_list() {
        if !embedded() {
            return;
        }
        let strong = format!("\"{VERSION}\"");
        for tag in [
            strong.clone(),
            format!("W/{strong}"),
            format!("\"1.0.0\", W/{strong}"),
            "*".to_owned(),
        ] {
            let response = get_file(
                "/socket.io/socket.io.js",
                &[("if-none-match", tag.as_str())],
            )
            .await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(text(response).await, "");
        }
        let other = get_file("/socket.io/socket.io.js", &[("if-none-match", "\"1.0.0\"")]).await;
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn gzip_goes_to_those_who_take_it() {
        let Some(file) = FILES.iter().find(|file| file.gzip.is_some()) else {
            return;
        };
        let path = format!("/socket.io/{}", file.name);
        for (accepted, encoding) in [
            ("gzip, deflate, br", Some("gzip")),
            ("br;q=1, GZIP;q=0.5", Some("gzip")),
            ("gzip;q=0", None),
            ("identity", None),
        ] {
            let response = get_file(&path, &[("accept-encoding", accepted)]).await;
            assert_eq!(value(&response, header::CONTENT_ENCODING), encoding);
            assert_eq!(value(&response, header::VARY), Some("accept-encoding"));
        }
    }

    #[tokio::test]
    async fn whatever_else_lies_under_the_path_is_not_a_client_file() {
        for path in ["/socket.io/", "/socket.io/LICENSE", "/socket.io.js", "/"] {
            assert!(!is_client_file(path));
            let response = respond(path, &HeaderMap::new());
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
        }
        assert!(is_client_file("/socket.io/socket.io.esm.min.js.map"));
    }
}
