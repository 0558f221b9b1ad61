//! Packets to clients.

use std::{collections::VecDeque, fmt::Write};

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use smallvec::{SmallVec, smallvec};
use socketioxide_core::{
    Value,
    packet::{Packet as SioPacket, PacketData},
    parser::{Parse, ParserError},
};
use socketioxide_parser_common::CommonParser;
use socketioxide_parser_msgpack::MsgPackParser;

use super::encoded::Encoded;
use crate::{
    config::Parser,
    error::{Code, Error},
    ports::Payload,
    realtime::wire::Packet,
};

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
                let [path, comma] = path(namespace);
                // Our own words always encode.
                let data = data.and_then(|data| serde_json::to_string(&data).ok());
                let data = data.unwrap_or_default();
                Packet::control('4', &format!("{kind}{path}{comma}{data}"))
            }
            Parser::Msgpack => {
                let (r#type, nsp) = (kind, namespace);
                let packet = Control { r#type, nsp, data };
                Packet::binary(&rmp_serde::to_vec_named(&packet).unwrap_or_default())
            }
        }
    }

    /// An event, to be [sealed](Draft::seal).
    pub fn event<'a>(
        self,
        namespace: &'a str,
        name: &str,
        payload: Payload<'_>,
    ) -> Result<Draft<'a>, EncodeError> {
        let value = self.value(payload, Some(name))?;
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

    /// An event that asks for an ack under this number.
    pub fn ask(
        self,
        namespace: &str,
        id: i64,
        name: &str,
        payload: Payload<'_>,
    ) -> Result<Packet, EncodeError> {
        Ok(match self.value(payload, Some(name))? {
            Value::Str(text, binaries) => {
                let binaries = binaries.unwrap_or_default();
                json_packet('2', '5', namespace, Some(id), &[text.as_bytes()], &binaries)
            }
            value => {
                let inner = PacketData::Event(value, Some(id));
                let ns = namespace.to_owned().into();
                msgpack_packet(SioPacket { inner, ns })
            }
        })
    }

    /// An event that another node has encoded; none when it is another parser's.
    pub fn encoded(self, namespace: &str, encoded: Encoded) -> Option<Draft<'_>> {
        let value = match (self.0, encoded) {
            (Parser::Json, Encoded::Json(text, binaries)) if text.ends_with(']') => {
                let binaries = (!binaries.is_empty()).then(|| binaries.into());
                Value::Str(text.into(), binaries)
            }
            (Parser::Msgpack, Encoded::Msgpack(bytes)) => Value::Bytes(bytes),
            _ => return None,
        };
        Some(Draft { namespace, value })
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
pub struct Draft<'a> {
    namespace: &'a str,
    value: Value,
}

impl Draft<'_> {
    /// What another node needs to make the same of it.
    pub fn encoded(&self) -> Encoded {
        Encoded::of(&self.value)
    }

    /// The packet; `offset` becomes the last argument.
    pub fn seal(self, offset: Option<&str>) -> Packet {
        match self.value {
            Value::Str(text, binaries) => {
                let binaries = binaries.unwrap_or_default();
                let text = text.as_bytes();
                let namespace = self.namespace;
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
                msgpack_packet(SioPacket::event(self.namespace.to_owned(), value))
            }
        }
    }
}

/// Room for what stands before a packet's data, beside the namespace, in bytes.
const MAX_HEAD: usize = 32;

/// A namespace as packets name it, in two parts.
fn path(namespace: &str) -> [&str; 2] {
    match namespace {
        "/" => ["", ""],
        other => [other, ","],
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
    let [path, comma] = path(namespace);
    let mut head = String::with_capacity(path.len() + MAX_HEAD);
    match binaries.len() {
        0 => head.push(kind),
        count => drop(write!(head, "{binary_kind}{count}-")),
    }
    head.extend([path, comma]);
    if let Some(id) = id {
        // A String takes whatever is written to it.
        let _ = write!(head, "{id}");
    }
    let mut text: SmallVec<[&[u8]; 5]> = smallvec![head.as_bytes()];
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
