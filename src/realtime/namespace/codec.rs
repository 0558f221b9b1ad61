//! Socket.IO packets to and from Engine.IO messages, by socketioxide's parsers.

mod encode;
mod encoded;

pub use self::{
    encode::{Draft, Encoder},
    encoded::Encoded,
};

use socketioxide_core::{
    Str, Value,
    packet::{Packet as SioPacket, PacketData},
    parser::{Parse, ParseConfig, ParseError, ParserState},
};
use socketioxide_parser_common::CommonParser;
use socketioxide_parser_msgpack::MsgPackParser;

use crate::{
    config::Parser,
    realtime::{connection::CloseReason, engine::Message},
};

/// A packet from a client.
#[derive(Debug)]
pub struct Inward {
    /// The namespace.
    pub namespace: Str,
    /// What it is.
    pub kind: Kind,
}

/// What a client's packet is.
#[derive(Debug)]
pub enum Kind {
    /// It wants into the namespace, with what it brings as `auth`.
    Connect(Option<Value>),
    /// It leaves the namespace.
    Disconnect,
    /// An event.
    Event {
        /// Its name.
        name: String,
        /// Its name and arguments.
        value: Value,
        /// The number of the ack that it asks for.
        ack: Option<i64>,
    },
    /// A client's answer to an event, by the number that it asked under.
    Ack(Value, i64),
    /// An event over the limit.
    Oversized {
        /// Its name, as far as it could be read.
        name: String,
        /// The number of the ack that it asks for.
        ack: Option<i64>,
    },
}

/// Reads one client's packets.
pub struct Decoder {
    parser: Parser,
    limits: ParseConfig,
    state: ParserState,
    /// The largest packet with its binaries, in bytes.
    max_bytes: usize,
    /// Of the packet whose binaries are awaited.
    bytes: usize,
    oversized: bool,
}

impl Decoder {
    /// `max_binaries`: of one packet; `max_bytes`: with its binaries.
    pub fn new(parser: Parser, max_binaries: usize, max_bytes: usize) -> Self {
        let limits = ParseConfig {
            max_incoming_binaries: max_binaries,
            // What is over the limit is never handed to the parser.
            max_incoming_binary_buf_size: usize::MAX,
            ..ParseConfig::default()
        };
        Self {
            parser,
            limits,
            state: ParserState::default(),
            max_bytes,
            bytes: 0,
            oversized: false,
        }
    }

    /// The packet that the message completes, if it does.
    pub fn read(&mut self, message: Message) -> Result<Option<Inward>, CloseReason> {
        let parsed = match (self.parser, message) {
            (Parser::Json, Message::Text(text)) => {
                self.bytes = text.len();
                CommonParser.decode_str(&self.limits, &self.state, text.into())
            }
            (Parser::Json, Message::Binary(bytes)) => self.read_binary(bytes),
            (Parser::Json, Message::OversizedBinary) => {
                self.oversized = true;
                self.read_binary(Vec::new())
            }
            (Parser::Json, Message::OversizedText(begin)) => return oversized(&begin).map(Some),
            (Parser::Msgpack, Message::Binary(bytes)) => {
                MsgPackParser.decode_bin(&self.limits, &self.state, bytes.into())
            }
            // Which event it is stands behind its arguments.
            (Parser::Msgpack, Message::OversizedBinary) => {
                return Err(CloseReason::PayloadTooLarge);
            }
            (Parser::Msgpack, Message::Text(_) | Message::OversizedText(_)) => {
                return Err(CloseReason::ParseError);
            }
        };
        match parsed {
            Ok(packet) => self.complete(packet),
            Err(ParseError::NeedsMoreBinaryData) => Ok(None),
            Err(_) => Err(CloseReason::ParseError),
        }
    }

    fn read_binary(&mut self, bytes: Vec<u8>) -> Result<SioPacket, ParseError> {
        self.bytes += bytes.len();
        self.oversized |= self.bytes > self.max_bytes;
        // Of a packet that is refused nothing need be kept.
        let kept = if self.oversized { Vec::new() } else { bytes };
        CommonParser.decode_bin(&self.limits, &self.state, kept.into())
    }

    fn complete(&mut self, packet: SioPacket) -> Result<Option<Inward>, CloseReason> {
        let oversized = std::mem::take(&mut self.oversized);
        let kind = match packet.inner {
            PacketData::Connect(auth) => Kind::Connect(auth),
            PacketData::Disconnect => Kind::Disconnect,
            PacketData::Event(value, ack) | PacketData::BinaryEvent(value, ack) => {
                let name = super::arguments::event_name(&value);
                let name = name.ok_or(CloseReason::ParseError)?;
                if oversized {
                    Kind::Oversized { name, ack }
                } else {
                    Kind::Event { name, value, ack }
                }
            }
            PacketData::EventAck(..) | PacketData::BinaryAck(..) if oversized => return Ok(None),
            PacketData::EventAck(value, ack) | PacketData::BinaryAck(value, ack) => {
                Kind::Ack(value, ack)
            }
            PacketData::ConnectError(_) => return Err(CloseReason::ParseError),
        };
        Ok(Some(Inward {
            namespace: packet.ns,
            kind,
        }))
    }
}

/// What can be told of an event by its first bytes. Where that is nothing, the connection ends.
fn oversized(begin: &[u8]) -> Result<Inward, CloseReason> {
    // The last character may be cut.
    let begin = match std::str::from_utf8(begin) {
        Ok(text) => text,
        Err(error) => {
            let (valid, _) = begin.split_at(error.valid_up_to());
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    // The event without its arguments, as far as its name ends within the first bytes.
    let cut = begin.find(',').and_then(|comma| {
        let after_namespace = match begin.get(1..2) {
            Some("/") => comma + 1,
            _ => 0,
        };
        let name_end = begin[after_namespace..].find("\",")? + after_namespace;
        Some(format!("{}\"]", &begin[..name_end]))
    });
    let text = cut.unwrap_or_default();
    let parsed = CommonParser.decode_str(
        &ParseConfig::default(),
        &ParserState::default(),
        text.into(),
    );
    let Ok(SioPacket {
        inner: PacketData::Event(value, ack),
        ns,
    }) = parsed
    else {
        return Err(CloseReason::PayloadTooLarge);
    };
    let name = super::arguments::event_name(&value).unwrap_or_default();
    Ok(Inward {
        namespace: ns,
        kind: Kind::Oversized { name, ack },
    })
}
