//! Frames as clients send them, cut anywhere, and what is no frame.

use super::*;

const MASK: [u8; 4] = [1, 2, 3, 4];

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        size @ 0..=125 => bytes.push(0x80 | size as u8),
        size @ 126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(size as u16).to_be_bytes());
        }
        size => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    let masked = payload
        .iter()
        .enumerate()
        .map(|(at, byte)| byte ^ MASK[at % 4]);
    bytes.extend(masked);
    bytes
}

/// All messages in the bytes, given to the reader in pieces of this size.
fn read(bytes: &[u8], piece: usize, max: usize) -> Result<Vec<Received>, Violation> {
    let mut reader = FrameReader::new(max);
    let mut all = Vec::new();
    for mut piece in bytes.chunks(piece) {
        while let Some(received) = reader.read(&mut piece)? {
            all.push(received);
        }
    }
    Ok(all)
}

fn text(text: &str) -> Received {
    Received::Text(text.to_owned())
}

#[test]
fn messages_are_read_however_their_bytes_are_cut() {
    let long = "l".repeat(70_000);
    let mut bytes = frame(0x81, b"one");
    bytes.extend(frame(0x82, &[9; 300]));
    bytes.extend(frame(0x01, b"be"));
    bytes.extend(frame(0x89, b"in between"));
    bytes.extend(frame(0x80, b"gun"));
    bytes.extend(frame(0x81, b""));
    bytes.extend(frame(0x81, long.as_bytes()));
    bytes.extend(frame(0x88, &[3, 232]));
    let expected = [
        text("one"),
        Received::Binary(vec![9; 300]),
        Received::Ping(b"in between".to_vec()),
        text("begun"),
        text(""),
        text(&long),
        Received::Close,
    ];
    for piece in [1, 2, 3, 7, 1_000, bytes.len()] {
        assert_eq!(read(&bytes, piece, 100_000).unwrap(), expected, "{piece}");
    }
}

#[test]
fn of_a_message_over_the_limit_only_the_beginning_is_kept() {
    let mut bytes = frame(0x81, "t".repeat(1_500).as_bytes());
    bytes.extend(frame(0x82, &[1; 1_500]));
    bytes.extend(frame(0x81, b"next"));
    let expected = [
        Received::OversizedText(vec![b't'; KEPT_OF_OVERSIZED]),
        Received::OversizedBinary,
        text("next"),
    ];
    assert_eq!(read(&bytes, 100, 1_000).unwrap(), expected);
    let far_over = frame(0x81, &[b't'; 17_000]);
    assert_eq!(read(&far_over, 100, 1_000), Err(Violation::TooBig));
}

#[test]
fn what_the_protocol_forbids_is_told_apart() {
    for (bytes, violation) in [
        (vec![0x81, 0x01, b'x'], Violation::Protocol), // no mask
        (frame(0xC1, b"x"), Violation::Protocol),      // a reserved bit
        (frame(0x83, b"x"), Violation::Protocol),      // no such opcode
        (frame(0x80, b"x"), Violation::Protocol),      // goes on with nothing
        (frame(0x09, b"x"), Violation::Protocol),      // a control frame in parts
        (frame(0x89, &[0; 126]), Violation::Protocol), // a control frame too long
        (
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            Violation::Protocol,
        ),
        (frame(0x81, &[0xFF]), Violation::Utf8),
    ] {
        assert_eq!(read(&bytes, 3, 100), Err(violation), "{bytes:?}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_the_bytes_they_are_read_or_refused(bytes: Vec<u8>, piece in 1_usize..9) {
        let _ = read(&bytes, piece, 64);
    }
}
