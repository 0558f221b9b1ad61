//! What the floor says, in Roomcast's words.

use std::borrow::Cow;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const CREATED_AT: &str = "2026-01-01T00:00:00.000Z";
const TIMESTAMP: &str = "1767225600000";
/// What Roomcast says in every answer to a request.
const HEADERS: &str = "vary: origin, access-control-request-method, access-control-request-headers\r\n\
    access-control-allow-credentials: true\r\naccess-control-expose-headers: retry-after\r\n\
    date: Thu, 01 Jan 2026 00:00:00 GMT\r\n";

/// The answer to a request, without a body.
pub fn answer(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{HEADERS}content-length: 0\r\n\r\n")
}

/// The room of a `message:send`, and the message.
pub fn message(event: &[u8], user: &str, seq: u64) -> (String, String) {
    let room = between(event, "\"roomId\":\"", "\"");
    let content = between(event, "\"content\":\"", "\"");
    let message = format!(
        "{{\"id\":\"{ID}\",\"seq\":{seq},\"roomId\":\"{room}\",\"userId\":\"{user}\",\"username\":\"{user}\",\
         \"content\":\"{content}\",\"createdAt\":\"{CREATED_AT}\"}}"
    );
    (format!("room:{room}"), message)
}

/// The room of a backend's emit, and its packet.
pub fn emit(body: &[u8]) -> (String, String) {
    let arguments = between(body, "\"args\":[", "],\"to\"");
    let room = between(body, "\"rooms\":[\"", "\"");
    (
        room.into_owned(),
        format!("42[\"message:new\",{arguments}]"),
    )
}

/// The room of those who watch a driver, and the packet that tells them of a report.
pub fn position(head: &[u8], body: &[u8]) -> (String, String) {
    let driver = between(head, "/api/driver/", "/");
    let position = between(body, "{", "}");
    let packet = format!(
        "42[\"location-update\",{{\"driverId\":\"{driver}\",{position},\"timestamp\":{TIMESTAMP}}}]"
    );
    (format!("tracking:{driver}"), packet)
}

/// The room that is entered by `join:room` or `watch-delivery`.
pub fn entered(event: &[u8]) -> String {
    let is_watch = event.starts_with(b"[\"watch-delivery\"");
    let kind = if is_watch { "tracking" } else { "room" };
    format!("{kind}:{}", between(event, "\",\"", "\""))
}

/// What stands between the first of one text and the next of another.
fn between<'a>(bytes: &'a [u8], before: &str, after: &str) -> Cow<'a, str> {
    let find = |bytes: &[u8], text: &str| {
        let mut windows = bytes.windows(text.len());
        windows.position(|found| found == text.as_bytes())
    };
    let Some(start) = find(bytes, before) else {
        return Cow::Borrowed("");
    };
    let rest = &bytes[start + before.len()..];
    String::from_utf8_lossy(&rest[..find(rest, after).unwrap_or(rest.len())])
}
