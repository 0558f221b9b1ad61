//! Polling bodies: several Engine.IO packets in one text (protocol v4 and v3, "Payload").

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Protocol;
use crate::realtime::wire::{Frame, Opcode};

/// What stands between packets in Engine.IO 4.
const SEPARATOR: u8 = 0x1E;

/// The most digits of a length in Engine.IO 3.
const MAX_DIGITS: usize = 10;

/// How many packets of one answer every client reads: Python's reads no more, and ends the session.
pub const SAFE_PACKETS: usize = 16;

/// How many those read who are known to read any number. The answer's size ends it earlier.
const MANY_PACKETS: usize = 1_024;

/// How those begin to name themselves in `User-Agent`: browsers, Node, Java, iOS and Dart.
const TAKES_MANY: [&str; 5] = ["Mozilla/", "node", "okhttp/", "CFNetwork/", "Dart/"];

/// The most packets in one answer to who asks with these headers.
pub fn max_packets(headers: &HeaderMap) -> usize {
    let agent = headers.get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or("");
    if TAKES_MANY.iter().any(|begin| agent.starts_with(begin)) {
        MANY_PACKETS
    } else {
        SAFE_PACKETS
    }
}

/// A packet of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Type and data.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

/// The body is no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Adds a frame to the body of a polling answer.
pub fn encode(protocol: Protocol, frame: Frame<'_>, body: &mut Vec<u8>) {
    match protocol {
        Protocol::V4 => {
            if !body.is_empty() {
                body.push(SEPARATOR);
            }
            if frame.opcode == Opcode::Binary {
                body.push(b'b');
                body.extend_from_slice(STANDARD.encode(frame.payload).as_bytes());
            } else {
                body.extend_from_slice(frame.payload);
            }
        }
        // A message's mark is its first byte in a frame and the digit 4 here.
        Protocol::V3 => match (frame.opcode, frame.payload.split_first()) {
            (Opcode::Binary, Some((_, data))) => {
                let text = format!("b4{}", STANDARD.encode(data));
                body.extend_from_slice(format!("{}:{text}", text.len()).as_bytes());
            }
            _ => {
                let text = String::from_utf8_lossy(frame.payload);
                // JavaScript's length.
                let length = text.encode_utf16().count();
                body.extend_from_slice(format!("{length}:{text}").as_bytes());
            }
        },
    }
}

/// The packets of a posted body.
pub fn decode(protocol: Protocol, body: &[u8]) -> Result<Vec<Part>, Malformed> {
    match protocol {
        Protocol::V4 => body
            .split(|byte| *byte == SEPARATOR)
            .map(|packet| part(packet, b"b"))
            .collect(),
        Protocol::V3 => match body.first() {
            Some(0 | 1) => decode_v3_binary(body),
            _ => decode_v3_text(body),
        },
    }
}

/// `mark`: how binary as base64 begins.
fn part(packet: &[u8], mark: &[u8]) -> Result<Part, Malformed> {
    if packet.is_empty() {
        return Err(Malformed);
    }
    match packet.strip_prefix(mark) {
        Some(base64) => STANDARD.decode(base64).map(Part::Binary),
        None => return text(packet),
    }
    .map_err(|_| Malformed)
}

fn text(packet: &[u8]) -> Result<Part, Malformed> {
    let text = String::from_utf8(packet.to_vec());
    text.map(Part::Text).map_err(|_| Malformed)
}

/// `<length>:<packet>`, lengths as JavaScript counts.
fn decode_v3_text(body: &[u8]) -> Result<Vec<Part>, Malformed> {
    let mut rest = std::str::from_utf8(body).map_err(|_| Malformed)?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (digits, after) = rest.split_once(':').ok_or(Malformed)?;
        let length: usize = digits.parse().map_err(|_| Malformed)?;
        let (mut units, mut bytes) = (0, 0);
        for char in after.chars() {
            if units >= length {
                break;
            }
            units += char.len_utf16();
            bytes += char.len_utf8();
        }
        if units != length || digits.len() > MAX_DIGITS {
            return Err(Malformed);
        }
        let (packet, after) = after.split_at(bytes);
        parts.push(part(packet.as_bytes(), b"b4")?);
        rest = after;
    }
    Ok(parts)
}

/// Each packet: 0 for text or 1 for binary, the digits of its length as bytes, 255, the packet.
fn decode_v3_binary(body: &[u8]) -> Result<Vec<Part>, Malformed> {
    let mut rest = body;
    let mut parts = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let end = after
            .iter()
            .take(MAX_DIGITS + 1)
            .position(|byte| *byte == 255);
        let (digits, after) = after.split_at(end.ok_or(Malformed)?);
        let mut length = 0_usize;
        for digit in digits {
            if *digit > 9 {
                return Err(Malformed);
            }
            length = length * 10 + usize::from(*digit);
        }
        let packet = after.get(1..).and_then(|after| after.get(..length));
        let packet = packet.ok_or(Malformed)?;
        parts.push(match (kind, packet.split_first()) {
            (0, _) => text(packet)?,
            (1, Some((4, data))) => Part::Binary(data.to_vec()),
            _ => return Err(Malformed),
        });
        rest = &after[1 + length..];
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::realtime::wire::Packet;

    #[test]
    fn who_is_not_known_to_read_many_packets_gets_few() {
        let max = |agent: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
            max_packets(&headers)
        };
        assert_eq!(max_packets(&HeaderMap::new()), SAFE_PACKETS);
        assert_eq!(max("python-requests/2.32.3"), SAFE_PACKETS);
        assert_eq!(max("Mozilla/5.0 (X11; Linux x86_64)"), MANY_PACKETS);
        assert_eq!(max("node-XMLHttpRequest"), MANY_PACKETS);
    }

    fn body(protocol: Protocol, packets: &[Packet]) -> String {
        let mut body = Vec::new();
        for packet in packets {
            let packet = match protocol {
                Protocol::V4 => packet.clone(),
                Protocol::V3 => packet.for_v3(),
            };
            for frame in packet.frames(0) {
                encode(protocol, frame, &mut body);
            }
        }
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn a_body_is_written_and_read_in_both_protocols() {
        let packets = [
            Packet::message(&["2€😀".as_bytes()], [&[1, 2, 3][..]].into_iter()),
            Packet::control('2', ""),
        ];
        let parts = [
            Part::Text("42€😀".into()),
            Part::Binary(vec![1, 2, 3]),
            Part::Text("2".into()),
        ];
        for (protocol, expected) in [
            (Protocol::V4, "42€😀\u{1e}bAQID\u{1e}2"),
            (Protocol::V3, "5:42€😀6:b4AQID1:2"),
        ] {
            let text = body(protocol, &packets);
            assert_eq!(text, expected);
            assert_eq!(decode(protocol, text.as_bytes()).unwrap(), parts);
        }
    }

    #[test]
    fn a_binary_body_of_engine_io_3_is_read() {
        let body = [&[0, 3, 255][..], b"4hi", &[1, 1, 0, 255, 4], &[7; 9]].concat();
        let parts = [Part::Text("4hi".into()), Part::Binary(vec![7; 9])];
        assert_eq!(decode(Protocol::V3, &body).unwrap(), parts);
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        for body in [
            &b"abc"[..],
            b"9:4x",
            b"1:",
            b"-1:4",
            b"\x01\x0a\xff4",
            b"\x00\x09\xff4",
        ] {
            assert_eq!(decode(Protocol::V3, body), Err(Malformed), "{body:?}");
        }
        assert_eq!(decode(Protocol::V4, b"b?"), Err(Malformed));
        assert_eq!(decode(Protocol::V4, &[0xFF]), Err(Malformed));
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_body_it_is_read_or_refused(body: Vec<u8>) {
            let _ = decode(Protocol::V3, &body);
            let _ = decode(Protocol::V4, &body);
        }
    }
}
