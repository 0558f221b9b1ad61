//! What a browser loads of the demo: built from `client-demo/` and embedded by the build script.

use std::borrow::Cow;

use axum::{
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::super::embedded::{File, Serving};
use crate::error::Error;

// `MISSING` and `FILES`, as the build script found them.
include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

/// The file at `/`.
const INDEX: &str = "index.html";

/// Where the names have a hash of the content in them, so that it never changes.
const HASHED: &str = "demo/assets/";

/// Why the demo is not in this build; absent when it is.
pub fn missing() -> Option<&'static str> {
    MISSING
}

/// `/` and the paths of all that it loads.
pub fn paths() -> impl Iterator<Item = String> {
    let others = FILES.iter().map(|file| file.name);
    let others = others.filter(|name| *name != INDEX);
    ["/".to_owned()]
        .into_iter()
        .chain(others.map(|name| format!("/{name}")))
}

/// The file at one of the [`paths`]; 404 where the build lacks the demo.
pub fn respond(path: &str, headers: &HeaderMap) -> Response {
    let name = match path {
        "/" => INDEX,
        path => path.trim_start_matches('/'),
    };
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return Error::not_found(
            "This server was built without the demo; rebuild it where Node and npm are at hand",
        )
        .into_response();
    };
    let (cache, tag): (_, Cow<'_, str>) = match name.strip_prefix(HASHED) {
        Some(hashed) => ("public, max-age=31536000, immutable", hashed.into()),
        None => ("no-cache", hex::encode(Sha256::digest(file.plain)).into()),
    };
    let serving = Serving {
        kind: kind(name),
        cache,
        tag: &tag,
    };
    file.respond(&serving, headers)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json; charset=utf-8",
        _ => "application/octet-stream",
    }
}
