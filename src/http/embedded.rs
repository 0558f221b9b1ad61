//! Files that the build put into the program, served to browsers: gzip, `ETag`, caching.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// A file, in full and as gzip where the build could make it.
pub struct File {
    pub name: &'static str,
    pub plain: &'static [u8],
    pub gzip: Option<&'static [u8]>,
}

/// How a file is served.
pub struct Serving<'a> {
    /// `Content-Type`.
    pub kind: &'static str,
    /// `Cache-Control`.
    pub cache: &'static str,
    /// Names this version of the file.
    pub tag: &'a str,
}

impl File {
    /// 200, or 304 when `If-None-Match` names its version.
    pub fn respond(&self, serving: &Serving<'_>, headers: &HeaderMap) -> Response {
        let mut response = if is_fresh(headers, serving.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.content(serving.kind, headers)
        };
        let shared = response.headers_mut();
        shared.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(serving.cache),
        );
        shared.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", serving.tag)) {
            shared.insert(header::ETAG, tag);
        }
        response
    }

    fn content(&self, kind: &'static str, headers: &HeaderMap) -> Response {
        let gzip = self.gzip.filter(|_| takes_gzip(headers));
        let bytes = Bytes::from_static(gzip.unwrap_or(self.plain));
        let mut response = Response::new(Body::from(bytes));
        let own = response.headers_mut();
        own.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if gzip.is_some() {
            own.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// The elements of a header that is a comma-separated list, over all its lines.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// The comparison of RFC 9110, section 13.1.2: weak, over a list, `*` for any version.
fn is_fresh(headers: &HeaderMap, version: &str) -> bool {
    elements(headers, header::IF_NONE_MATCH).any(|tag| {
        tag == "*"
            || tag
                .strip_prefix("W/")
                .unwrap_or(tag)
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'))
                == Some(version)
    })
}

/// Whether `Accept-Encoding` allows gzip; `q=0` forbids it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    elements(headers, header::ACCEPT_ENCODING).any(|element| {
        let (coding, weight) = element.split_once(';').unwrap_or((element, "q=1"));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        coding.trim().eq_ignore_ascii_case("gzip")
            && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
    })
}
