//! What goes over the wire: WebSocket frames, heads and answers of HTTP, and tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::Outcome;

/// The secret that all servers verify tokens with.
pub const SECRET: &str = "a secret for the benchmarks";
/// The key of the backend.
pub const API_KEY: &str = "a-key-for-the-benchmarks";
/// The key of every handshake and its answer, as RFC 6455 has them in its example.
pub const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const WEBSOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const TOKEN_LIFE: Duration = Duration::from_secs(6 * 3_600);
const FINAL_TEXT: u8 = 0x81;
const IS_MASKED: u8 = 0x80;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// A token for a user who may enter every room.
pub fn token(user: &str, role: Option<&str>) -> Outcome<String> {
    let life = SystemTime::now().duration_since(UNIX_EPOCH)? + TOKEN_LIFE;
    let roles: Vec<_> = role.into_iter().collect();
    let claims =
        json!({ "sub": user, "name": user, "rooms": ["*"], "roles": roles, "exp": life.as_secs() });
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    Ok(format!("{signed}.{signature}"))
}

/// A request with a body of JSON.
pub fn post(path: &str, bearer: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {bearer}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Appends a text frame as clients send it; the mask is of zeros, so that there is nothing to do.
pub fn put_masked(into: &mut Vec<u8>, text: &[u8]) {
    put_head(into, text.len(), IS_MASKED);
    into.extend_from_slice(&[0; 4]);
    into.extend_from_slice(text);
}

/// Appends a text frame as servers send it.
pub fn put_text(into: &mut Vec<u8>, text: &[u8]) {
    put_head(into, text.len(), 0);
    into.extend_from_slice(text);
}

fn put_head(into: &mut Vec<u8>, length: usize, mask: u8) {
    into.push(FINAL_TEXT);
    if let (Ok(short), true) = (u8::try_from(length), length < usize::from(LENGTH_16)) {
        into.push(mask | short);
    } else if let Ok(medium) = u16::try_from(length) {
        into.push(mask | LENGTH_16);
        into.extend_from_slice(&medium.to_be_bytes());
    } else {
        into.push(mask | LENGTH_64);
        into.extend_from_slice(&(length as u64).to_be_bytes());
    }
}

/// The text of the frame that these bytes begin with, and what comes after; nothing while it is
/// not all there. What is masked is taken to be masked by zeros.
pub fn frame(bytes: &[u8]) -> Outcome<Option<(&[u8], &[u8])>> {
    let [kind, second, ..] = *bytes else {
        return Ok(None);
    };
    if kind != FINAL_TEXT {
        return Err(format!("a frame of the kind {kind:#x}, where texts were expected").into());
    }
    let (mut head, length) = match second & !IS_MASKED {
        LENGTH_16 => (4, bytes.get(2..4).map(number)),
        LENGTH_64 => (10, bytes.get(2..10).map(number)),
        short => (2, Some(usize::from(short))),
    };
    if second & IS_MASKED != 0 {
        head += 4;
    }
    Ok(length.and_then(|length| {
        let (frame, rest) = bytes.split_at_checked(head + length)?;
        Some((&frame[head..], rest))
    }))
}

fn number(big_endian: &[u8]) -> usize {
    big_endian
        .iter()
        .fold(0, |value, byte| (value << 8) | usize::from(*byte))
}

/// The head of HTTP that these bytes begin with, and what comes after.
pub fn head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    Some(bytes.split_at(end))
}

/// The status of the answer that these bytes begin with, and what comes after its body.
pub fn answer(bytes: &[u8]) -> Outcome<Option<(u16, &[u8])>> {
    let Some((head, rest)) = head(bytes) else {
        return Ok(None);
    };
    let status = std::str::from_utf8(head.get(9..12).unwrap_or_default())?.parse()?;
    let rest = rest.split_at_checked(body_length(head)?);
    Ok(rest.map(|(_, rest)| (status, rest)))
}

/// How long the body is that follows this head.
pub fn body_length(head: &[u8]) -> Outcome<usize> {
    for line in std::str::from_utf8(head)?.lines() {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            return Ok(value.trim().parse()?);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("an answer in chunks".into());
        }
    }
    Ok(0)
}

/// The decimal number that these bytes begin with, and what comes after.
pub fn digits(bytes: &[u8]) -> (u64, &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let value = digits.iter().fold(0, |value: u64, digit| {
        value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    (value, rest)
}
