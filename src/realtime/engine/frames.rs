//! WebSocket frames from a client (RFC 6455, section 5): checked, unmasked and put together.

/// The longest head of a frame: two bytes, an extended length and a mask.
const MAX_HEAD: usize = 14;

/// The largest payload of a control frame.
const MAX_CONTROL: u64 = 125;

/// How much is kept of a message that is over the limit, for its answer, in bytes.
const KEPT_OF_OVERSIZED: usize = 512;

/// How many times the limit a message may have and be answered; beyond, the connection ends.
const TOLERATED: u64 = 16;

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A whole text message.
    Text(String),
    /// A whole binary message.
    Binary(Vec<u8>),
    /// A text message over the limit: how it begins.
    OversizedText(Vec<u8>),
    /// A binary message over the limit.
    OversizedBinary,
    /// A WebSocket ping, to be answered with the same bytes.
    Ping(Vec<u8>),
    /// The end.
    Close,
}

/// Why the bytes are no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A frame that the protocol forbids.
    Protocol,
    /// Text that is not UTF-8.
    Utf8,
    /// A message far over the limit.
    TooBig,
}

/// Reads frames from bytes as they come.
pub struct FrameReader {
    max_message: usize,
    head: [u8; MAX_HEAD],
    head_len: usize,
    frame: Option<Head>,
    /// The data message that is being received.
    message: Vec<u8>,
    message_len: u64,
    is_text: Option<bool>,
    control: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Head {
    opcode: u8,
    is_final: bool,
    mask: [u8; 4],
    size: u64,
    read: u64,
}

impl Head {
    fn is_control(self) -> bool {
        self.opcode >= 0x8
    }
}

impl FrameReader {
    /// `max_message`: the largest message that is handed on whole, in bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            head: [0; MAX_HEAD],
            head_len: 0,
            frame: None,
            message: Vec::new(),
            message_len: 0,
            is_text: None,
            control: Vec::new(),
        }
    }

    /// Takes some of `bytes` and returns a message once one is complete; none when all bytes are
    /// used up.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Received>, Violation> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match self.read_head(bytes)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            let Some(frame) = self.read_payload(frame, bytes) else {
                return Ok(None);
            };
            if let Some(received) = self.finish(frame)? {
                return Ok(Some(received));
            }
        }
    }

    fn read_head(&mut self, bytes: &mut &[u8]) -> Result<Option<Head>, Violation> {
        loop {
            let wanted = match self.head_len {
                0 | 1 => 2,
                _ => match self.head[1] & 0x7F {
                    126 => 8,
                    127 => MAX_HEAD,
                    _ => 6,
                },
            };
            if self.head_len == wanted {
                self.head_len = 0;
                let frame = self.check(parse(&self.head, wanted))?;
                self.frame = Some(frame);
                return Ok(Some(frame));
            }
            let Some((byte, rest)) = bytes.split_first() else {
                return Ok(None);
            };
            self.head[self.head_len] = *byte;
            self.head_len += 1;
            *bytes = rest;
            // No client may leave out the mask, or use what no extension has given a meaning.
            if (self.head_len == 1 && byte & 0x70 != 0) || (self.head_len == 2 && byte & 0x80 == 0)
            {
                return Err(Violation::Protocol);
            }
        }
    }

    fn check(&self, frame: Head) -> Result<Head, Violation> {
        let fits = match frame.opcode {
            0x0 => self.is_text.is_some(),
            0x1 | 0x2 => self.is_text.is_none(),
            0x8..=0xA => frame.is_final && frame.size <= MAX_CONTROL,
            _ => false,
        };
        if !fits {
            return Err(Violation::Protocol);
        }
        let total = self.message_len.saturating_add(frame.size);
        if !frame.is_control() && total > self.max_message as u64 * TOLERATED {
            return Err(Violation::TooBig);
        }
        Ok(frame)
    }

    /// Returns the frame when its payload is complete.
    fn read_payload(&mut self, mut frame: Head, bytes: &mut &[u8]) -> Option<Head> {
        let left = usize::try_from(frame.size - frame.read).unwrap_or(usize::MAX);
        let (payload, rest) = bytes.split_at(left.min(bytes.len()));
        *bytes = rest;
        let (buffer, room) = if frame.is_control() {
            (&mut self.control, usize::MAX)
        } else {
            let kept = self.message.len();
            let over = self.message_len + frame.size > self.max_message as u64;
            let max = if over {
                KEPT_OF_OVERSIZED
            } else {
                self.max_message
            };
            (&mut self.message, max.saturating_sub(kept))
        };
        let kept = payload.len().min(room);
        if buffer.is_empty() && frame.is_final && !frame.is_control() {
            // Of a large message no more is reserved than has begun to come.
            buffer.reserve_exact(left.min(room).min(64 * 1024));
        }
        let from = buffer.len();
        buffer.extend_from_slice(&payload[..kept]);
        unmask(&mut buffer[from..], frame.mask, frame.read);
        frame.read += payload.len() as u64;
        self.frame = Some(frame);
        (frame.read == frame.size).then_some(frame)
    }

    fn finish(&mut self, frame: Head) -> Result<Option<Received>, Violation> {
        self.frame = None;
        if frame.is_control() {
            let data = std::mem::take(&mut self.control);
            return Ok(match frame.opcode {
                0x8 => Some(Received::Close),
                0x9 => Some(Received::Ping(data)),
                _ => None,
            });
        }
        if frame.opcode != 0x0 {
            self.is_text = Some(frame.opcode == 0x1);
        }
        self.message_len += frame.size;
        if !frame.is_final {
            return Ok(None);
        }
        let is_text = self.is_text.take().unwrap_or_default();
        let data = std::mem::take(&mut self.message);
        let over = std::mem::take(&mut self.message_len) > self.max_message as u64;
        Ok(Some(match (is_text, over) {
            (true, false) => Received::Text(String::from_utf8(data).map_err(|_| Violation::Utf8)?),
            (false, false) => Received::Binary(data),
            (true, true) => Received::OversizedText(data),
            (false, true) => Received::OversizedBinary,
        }))
    }
}

/// `size` says how long the head is.
fn parse(head: &[u8; MAX_HEAD], size: usize) -> Head {
    let [first, second, rest @ ..] = *head;
    let (payload, mask) = match size {
        8 => (
            u64::from(u16::from_be_bytes([rest[0], rest[1]])),
            [rest[2], rest[3], rest[4], rest[5]],
        ),
        MAX_HEAD => {
            let [a, b, c, d, e, f, g, h, mask @ ..] = rest;
            (u64::from_be_bytes([a, b, c, d, e, f, g, h]), mask)
        }
        _ => (
            u64::from(second & 0x7F),
            [rest[0], rest[1], rest[2], rest[3]],
        ),
    };
    Head {
        opcode: first & 0xF,
        is_final: first & 0x80 != 0,
        mask,
        size: payload,
        read: 0,
    }
}

fn unmask(bytes: &mut [u8], mask: [u8; 4], read: u64) {
    let mut mask = mask;
    mask.rotate_left((read % 4) as usize);
    let word = u32::from_ne_bytes(mask);
    let mut chunks = bytes.chunks_exact_mut(4);
    for chunk in &mut chunks {
        if let Ok(four) = <[u8; 4]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u32::from_ne_bytes(four) ^ word).to_ne_bytes());
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
#[path = "frames/tests.rs"]
mod tests;
