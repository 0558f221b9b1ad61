//! What stands in front of the Socket.IO endpoint.

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, Uri},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Engine.IO's code for a protocol version that the server does not speak.
const UNSUPPORTED_PROTOCOL_VERSION: u8 = 5;

/// Whether clients of Engine.IO 3 (socket.io-client 2.x) are served.
#[derive(Clone, Copy)]
pub enum Eio3 {
    /// They are.
    Served,
    /// They are told that their version is not spoken.
    Refused,
}

impl Eio3 {
    /// As `socket.eio3` says.
    pub fn new(configured: bool) -> Self {
        if configured {
            Self::Served
        } else {
            Self::Refused
        }
    }
}

/// Whether the path is that of the endpoint.
pub fn is_endpoint(path: &str) -> bool {
    path == "/socket.io" || path.starts_with("/socket.io/")
}

/// Whether the query asks for Engine.IO 3.
pub fn is_eio3(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair == "EIO=3")
}

/// Refuses clients of Engine.IO 3 in the words of Node's server, where they are not served.
pub async fn check_protocol(State(eio3): State<Eio3>, request: Request, next: Next) -> Response {
    match eio3 {
        Eio3::Refused if is_eio3(request.uri()) && is_endpoint(request.uri().path()) => {
            let body = json!({
                "code": UNSUPPORTED_PROTOCOL_VERSION,
                "message": "Unsupported protocol version",
            });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        Eio3::Served | Eio3::Refused => next.run(request).await,
    }
}
