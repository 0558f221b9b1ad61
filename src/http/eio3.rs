//! Binary in polling answers to Engine.IO 3 clients: socketioxide leaves out its packet type.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{Method, header},
    middleware::Next,
    response::Response,
};

use super::socketio;

/// The largest answer that is looked at, in bytes; the endpoint makes none as large.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Completes the answers to polls of Engine.IO 3 clients.
pub async fn complete_binary(request: Request, next: Next) -> Response {
    let is_poll = request.method() == Method::GET
        && socketio::is_endpoint(request.uri().path())
        && socketio::is_eio3(request.uri())
        && !request.headers().contains_key(header::UPGRADE);
    let response = next.run(request).await;
    if !is_poll {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_ANSWER_BYTES).await else {
        return Response::from_parts(head, Body::empty());
    };
    let completed = std::str::from_utf8(&body).ok().and_then(complete);
    let body = completed.map_or(body, Bytes::from);
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// The payload with `b4…` for each `b…`; nothing when it has none or is not a text payload.
fn complete(payload: &str) -> Option<String> {
    let mut completed = String::with_capacity(payload.len() + 64);
    let mut rest = payload;
    let mut changed = false;
    while !rest.is_empty() {
        let (length, after) = rest.split_once(':')?;
        let length: usize = length.parse().ok()?;
        let (packet, after) = after.split_at(bytes_of_units(after, length)?);
        rest = after;
        match packet.strip_prefix('b') {
            Some(base64) => {
                changed = true;
                completed.push_str(&format!("{}:b4{base64}", length + 1));
            }
            None => completed.push_str(&format!("{length}:{packet}")),
        }
    }
    changed.then_some(completed)
}

/// How many bytes the first `units` UTF-16 units of the text have: lengths count as JavaScript does.
fn bytes_of_units(text: &str, units: usize) -> Option<usize> {
    let mut counted = 0;
    for (at, character) in text.char_indices() {
        if counted == units {
            return Some(at);
        }
        counted += character.len_utf16();
    }
    (counted == units).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_gets_its_type_and_its_neighbours_stay() {
        let payload = "7:42[\"ä\"]9:bAAEC/f7/4:42😀";
        assert_eq!(
            complete(payload).as_deref(),
            Some("7:42[\"ä\"]10:b4AAEC/f7/4:42😀")
        );
        assert_eq!(complete("5:42[1]"), None);
        assert_eq!(complete("ok"), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_payload_it_is_completed_or_left_alone(payload in "[0-9]{0,3}:?[4b]?.{0,20}") {
            let _ = complete(&payload);
        }
    }
}
