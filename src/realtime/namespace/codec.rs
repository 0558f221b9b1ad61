//! Socket.IO packets to and from Engine.IO messages, by socketioxide's parsers.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use socketioxide_core::{
    Str, Value,
    packet::{Packet as SioPacket, PacketData},
    parser::{Parse, ParseConfig, ParseError, ParserError, ParserState},
};
use socketioxide_parser_common::CommonParser;
use socketioxide_parser_msgpack::MsgPackParser;

use crate::{
    config::Parser,
    error::{Code, Error},
    ports::Payload,
    realtime::{connection::CloseReason, engine::Message, wire::Packet},
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
    /// An event, and the number of the ack that it asks for.
    Event(Value, Option<i64>),
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
                    Kind::Event(value, ack)
                }
            }
            // We ask clients for no acks.
            PacketData::EventAck(..) | PacketData::BinaryAck(..) => return Ok(None),
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

/// An event that could not be encoded.
pub type EncodeError = ParserError;

/// Writes packets to clients.
#[derive(Clone, Copy, Debug)]
pub struct Encoder(pub Parser);

/// The answer to a CONNECT.
#[derive(Serialize)]
struct Connected<'a> {
    sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<&'a str>,
}

#[derive(Serialize)]
struct Control<'a, D> {
    r#type: u8,
    nsp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<D>,
}

impl Encoder {
    /// `{sid}`, and `pid` where sessions can be recovered.
    pub fn connected(self, namespace: &str, sid: &str, pid: Option<&str>) -> Packet {
        self.control(0, namespace, Some(Connected { sid, pid }))
    }

    /// A connection to Engine.IO 3's clients, who know their ids by themselves.
    pub fn connected_v3(self, namespace: &str) -> Packet {
        self.control(0, namespace, None::<()>)
    }

    /// A `connect_error`: the message, and the code as its data. The words for a namespace that does
    /// not exist are those of Node's server, to the letter.
    pub fn refused(self, namespace: &str, error: &Error) -> Packet {
        let message = error.message();
        let data = match error.code() {
            Code::InvalidNamespace => json!({ "message": message }),
            code => json!({ "message": message, "data": { "code": code.as_str() } }),
        };
        self.control(4, namespace, Some(data))
    }

    /// The end of a namespace's socket.
    pub fn disconnect(self, namespace: &str) -> Packet {
        self.control(1, namespace, None::<()>)
    }

    fn control<D: Serialize>(self, kind: u8, namespace: &str, data: Option<D>) -> Packet {
        match self.0 {
            Parser::Json => {
                let path = path(namespace);
                // Our own words always encode.
                let data = data.and_then(|data| serde_json::to_string(&data).ok());
                let data = data.unwrap_or_default();
                Packet::control('4', &format!("{kind}{path}{data}"))
            }
            Parser::Msgpack => {
                let (r#type, nsp) = (kind, namespace);
                let packet = Control { r#type, nsp, data };
                Packet::binary(&rmp_serde::to_vec_named(&packet).unwrap_or_default())
            }
        }
    }

    /// An event, to be [sealed](Draft::seal).
    pub fn event(
        self,
        namespace: &str,
        name: &str,
        payload: Payload<'_>,
    ) -> Result<Draft, EncodeError> {
        let value = self.value(payload, Some(name))?;
        let namespace = namespace.to_owned();
        Ok(Draft { namespace, value })
    }

    /// An ack.
    pub fn ack(
        self,
        namespace: &str,
        id: i64,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<Packet, EncodeError> {
        Ok(match self.value(payload, None)? {
            Value::Str(text, binaries) => {
                let binaries = binaries.unwrap_or_default();
                json_packet('3', '6', namespace, Some(id), &[text.as_bytes()], &binaries)
            }
            value => msgpack_packet(SioPacket::ack(namespace.to_owned(), value, id)),
        })
    }

    fn value<T: Serialize + ?Sized>(
        self,
        payload: &T,
        event: Option<&str>,
    ) -> Result<Value, EncodeError> {
        match self.0 {
            Parser::Json => CommonParser.encode_value(payload, event),
            Parser::Msgpack => MsgPackParser.encode_value(payload, event),
        }
    }
}

/// An encoded event whose last argument may still be added.
pub struct Draft {
    namespace: String,
    value: Value,
}

impl Draft {
    /// The packet; `offset` becomes the last argument.
    pub fn seal(self, offset: Option<&str>) -> Packet {
        match self.value {
            Value::Str(text, binaries) => {
                let binaries = binaries.unwrap_or_default();
                let text = text.as_bytes();
                let namespace = &self.namespace;
                match (offset, text.split_last()) {
                    (Some(offset), Some((_, open))) => {
                        let parts = [open, b",\"", offset.as_bytes(), b"\"]"];
                        json_packet('2', '5', namespace, None, &parts, &binaries)
                    }
                    _ => json_packet('2', '5', namespace, None, &[text], &binaries),
                }
            }
            Value::Bytes(bytes) => {
                let bytes = match offset {
                    Some(offset) => with_argument(&bytes, offset),
                    None => bytes,
                };
                let value = Value::Bytes(bytes);
                msgpack_packet(SioPacket::event(self.namespace, value))
            }
        }
    }
}

fn path(namespace: &str) -> String {
    match namespace {
        "/" => String::new(),
        other => format!("{other},"),
    }
}

fn json_packet(
    kind: char,
    binary_kind: char,
    namespace: &str,
    id: Option<i64>,
    data: &[&[u8]],
    binaries: &VecDeque<Bytes>,
) -> Packet {
    let path = path(namespace);
    let id = id.map_or_else(String::new, |id| id.to_string());
    let head = match binaries.len() {
        0 => format!("{kind}{path}{id}"),
        count => format!("{binary_kind}{count}-{path}{id}"),
    };
    let mut text = vec![head.as_bytes()];
    text.extend_from_slice(data);
    Packet::message(&text, binaries.iter().map(|binary| &binary[..]))
}

fn msgpack_packet(packet: SioPacket) -> Packet {
    match MsgPackParser.encode(packet) {
        Value::Bytes(bytes) => Packet::binary(&bytes),
        Value::Str(text, _) => Packet::control('4', &text),
    }
}

/// A MessagePack array with one more text at its end.
fn with_argument(array: &Bytes, argument: &str) -> Bytes {
    let mut rest = &array[..];
    let Ok(length) = rmp::decode::read_array_len(&mut rest) else {
        return array.clone();
    };
    let mut out = Vec::with_capacity(array.len() + argument.len() + 8);
    // A Vec takes whatever is written to it.
    let _ = rmp::encode::write_array_len(&mut out, length + 1);
    out.extend_from_slice(rest);
    let _ = rmp::encode::write_str(&mut out, argument);
    out.into()
}
