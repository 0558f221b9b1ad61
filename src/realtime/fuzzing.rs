//! What fuzzers feed: each parser of bytes that clients send. `tests/run.sh fuzz` runs them.

use super::{
    engine::{
        Message, Protocol,
        frames::{FrameReader, Received},
        payload,
    },
    log::Offset,
    namespace,
};

/// The largest message that is read whole: small, so that fuzzers get beyond it.
const MAX_MESSAGE: usize = 64;

/// WebSocket frames, in pieces as long as the first byte says. However they are cut, the messages
/// are the same.
pub fn frames(data: &[u8]) {
    let Some((piece, bytes)) = data.split_first() else {
        return;
    };
    let cut = read(bytes, usize::from(*piece).max(1));
    assert_eq!(cut, read(bytes, bytes.len().max(1)));
}

/// The messages, and whether the bytes were refused in the end.
fn read(bytes: &[u8], piece: usize) -> (Vec<Received>, bool) {
    let mut reader = FrameReader::new(MAX_MESSAGE);
    let mut all = Vec::new();
    for mut piece in bytes.chunks(piece) {
        loop {
            match reader.read(&mut piece) {
                Ok(Some(received)) => all.push(received),
                Ok(None) => break,
                Err(_) => return (all, true),
            }
        }
    }
    (all, false)
}

/// Polling bodies of both protocols.
pub fn payloads(data: &[u8]) {
    for protocol in [Protocol::V3, Protocol::V4] {
        // Whether it is one does not matter here.
        let _ = payload::decode(protocol, data);
    }
}

/// Socket.IO packets, by both parsers: messages of text and of bytes in turn, one a line.
pub fn packets(data: &[u8]) {
    let lines = data.split(|byte| *byte == b'\n');
    let messages = lines.enumerate().map(|(number, line)| {
        let text = String::from_utf8(line.to_vec());
        match (number % 3, text) {
            (0, Ok(text)) => Message::Text(text),
            (1, _) => Message::OversizedText(line.to_vec()),
            _ => Message::Binary(line.to_vec()),
        }
    });
    namespace::fuzzing::read_packets(messages, MAX_MESSAGE);
}

/// Offsets that clients bring. What is read is written the same way.
pub fn offsets(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(offset) = text.parse::<Offset>()
    {
        assert_eq!(offset.to_string().parse(), Ok(offset));
    }
}
