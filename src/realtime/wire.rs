//! Packets on their way out: encoded once, as WebSocket frames that every connection shares.
//!
//! Frames are RFC 6455, section 5.2, as servers write them: not masked and not fragmented. Polling
//! sends what is in them (Engine.IO protocol v4 and v3, "Payload").

use std::{ops::Range, sync::Arc};

/// The binary frame's mark of a message in Engine.IO 3 (`parser.packets.message`).
const V3_BINARY_MESSAGE: u8 = 4;

/// The largest head of a frame, in bytes.
const MAX_HEAD: usize = 10;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// UTF-8.
    Text = 0x1,
    /// Bytes.
    Binary = 0x2,
    /// The end of the WebSocket.
    Close = 0x8,
    /// The answer to a WebSocket ping.
    Pong = 0xA,
}

/// An Engine.IO packet, or a message whose parts belong together, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet(Arc<[u8]>);

/// One frame of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Whether it is binary.
    pub opcode: Opcode,
    /// Engine.IO's type and data; of a binary message the data alone.
    pub payload: &'a [u8],
    /// Where the frame ends in its packet.
    pub end: usize,
}

impl Packet {
    /// An Engine.IO packet of text: its type and data.
    pub fn control(kind: char, data: &str) -> Self {
        let mut kind_bytes = [0; 4];
        let kind = kind.encode_utf8(&mut kind_bytes);
        Self::frame(Opcode::Text, &[kind.as_bytes(), data.as_bytes()])
    }

    /// A message: a text and the binaries that follow it.
    pub fn message<'a>(
        text: &[&[u8]],
        binaries: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    ) -> Self {
        let size: usize = text.iter().map(|part| part.len()).sum();
        let more: usize = binaries.clone().map(|one| one.len() + MAX_HEAD).sum();
        let mut out = Vec::with_capacity(1 + size + MAX_HEAD + more);
        push_head(&mut out, Opcode::Text, 1 + size);
        out.push(b'4');
        text.iter().for_each(|part| out.extend_from_slice(part));
        for binary in binaries {
            push_head(&mut out, Opcode::Binary, binary.len());
            out.extend_from_slice(binary);
        }
        Self(out.into())
    }

    /// A message of bytes alone.
    pub fn binary(data: &[u8]) -> Self {
        Self::frame(Opcode::Binary, &[data])
    }

    /// A single frame.
    pub fn frame(opcode: Opcode, payload: &[&[u8]]) -> Self {
        let size = payload.iter().map(|part| part.len()).sum();
        let mut out = Vec::with_capacity(size + MAX_HEAD);
        push_head(&mut out, opcode, size);
        payload.iter().for_each(|part| out.extend_from_slice(part));
        Self(out.into())
    }

    /// As Engine.IO 3 wants it: each binary begins with its type.
    pub fn for_v3(&self) -> Self {
        if self.frames(0).all(|frame| frame.opcode != Opcode::Binary) {
            return self.clone();
        }
        let mut out = Vec::with_capacity(self.0.len() + MAX_HEAD);
        for frame in self.frames(0) {
            let mark: &[u8] = match frame.opcode {
                Opcode::Binary => &[V3_BINARY_MESSAGE],
                Opcode::Text | Opcode::Close | Opcode::Pong => &[],
            };
            push_head(&mut out, frame.opcode, mark.len() + frame.payload.len());
            out.extend_from_slice(mark);
            out.extend_from_slice(frame.payload);
        }
        Self(out.into())
    }

    /// Its size as WebSocket frames, in bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// What goes onto a WebSocket from this byte on.
    pub fn from_byte(&self, at: usize) -> &[u8] {
        self.0.get(at..).unwrap_or_default()
    }

    /// The frames from this byte on, which is a frame's first.
    pub fn frames(&self, at: usize) -> impl Iterator<Item = Frame<'_>> {
        let mut at = at;
        std::iter::from_fn(move || {
            let (opcode, payload) = read_head(&self.0, at)?;
            at = payload.end;
            Some(Frame {
                opcode,
                payload: self.0.get(payload)?,
                end: at,
            })
        })
    }
}

#[allow(clippy::cast_possible_truncation)] // Each branch fits its field.
fn push_head(out: &mut Vec<u8>, opcode: Opcode, size: usize) {
    out.push(0x80 | opcode as u8);
    match size {
        0..=125 => out.push(size as u8),
        126..=0xFFFF => {
            out.push(126);
            out.extend_from_slice(&(size as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
}

/// Reads a head that [`push_head`] wrote.
fn read_head(bytes: &[u8], at: usize) -> Option<(Opcode, Range<usize>)> {
    let opcode = match bytes.get(at)? & 0xF {
        0x1 => Opcode::Text,
        0x2 => Opcode::Binary,
        0x8 => Opcode::Close,
        _ => Opcode::Pong,
    };
    let (start, size) = match *bytes.get(at + 1)? {
        126 => {
            let field = bytes.get(at + 2..at + 4)?.try_into().ok()?;
            (at + 4, u64::from(u16::from_be_bytes(field)))
        }
        127 => {
            let field = bytes.get(at + 2..at + 10)?.try_into().ok()?;
            (at + 10, u64::from_be_bytes(field))
        }
        size => (at + 2, u64::from(size)),
    };
    let size = usize::try_from(size).ok()?;
    Some((opcode, start..start + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_gives_back_the_frames_it_was_made_of_whatever_their_size() {
        for size in [0, 1, 125, 126, 65_535, 65_536, 100_000] {
            let (text, binary) = ("t".repeat(size), vec![7; size]);
            let parts = [&binary[..], b"two"];
            let packet = Packet::message(&[text.as_bytes()], parts.into_iter());
            let frames: Vec<_> = packet.frames(0).collect();
            assert_eq!(frames.len(), 3, "{size}");
            assert_eq!(frames[0].payload, format!("4{text}").as_bytes());
            assert_eq!(frames[1].payload, binary);
            assert_eq!(
                (frames[2].payload, frames[2].end),
                (&b"two"[..], packet.size())
            );
            let rest: Vec<_> = packet.frames(frames[0].end).collect();
            assert_eq!(rest, frames[1..]);
        }
    }

    #[test]
    fn engine_io_3_marks_binary_and_nothing_else() {
        let packet = Packet::message(&[b"text"], [&b"bytes"[..]].into_iter()).for_v3();
        let frames: Vec<_> = packet.frames(0).map(|frame| frame.payload).collect();
        assert_eq!(frames, [&b"4text"[..], b"\x04bytes"]);
        let ping = Packet::control('2', "");
        assert_eq!(ping.for_v3(), ping);
    }
}
