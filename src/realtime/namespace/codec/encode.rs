//! Packets to clients.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketioxide_core::{
    Value,
    packet::{Packet as SioPacket, PacketData},
    parser::{Parse, ParserError},
};
use socketioxide_parser_common::CommonParser;
use socketioxide_parser_msgpack::MsgPackParser;

use crate::{
    config::Parser,
    error::{Code, Error},
    ports::Payload,
    realtime::{namespace::arguments, wire::Packet},
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
    pub fn encoded(self, namespace: &str, encoded: Encoded) -> Option<Draft> {
        let value = match (self.0, encoded) {
            (Parser::Json, Encoded::Json(text, binaries)) if text.ends_with(']') => {
                let binaries = (!binaries.is_empty()).then(|| binaries.into());
                Value::Str(text.into(), binaries)
            }
            (Parser::Msgpack, Encoded::Msgpack(bytes)) => Value::Bytes(bytes),
            _ => return None,
        };
        let namespace = namespace.to_owned();
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
pub struct Draft {
    namespace: String,
    value: Value,
}

/// The arguments of an event, its name the first, as one node tells them to another. Nodes with
/// another parser do not understand them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoded {
    /// JSON, with the binaries that it marks the places of.
    Json(String, Vec<Bytes>),
    /// MessagePack.
    Msgpack(Bytes),
}

impl Encoded {
    /// What a packet carries.
    pub(in crate::realtime::namespace) fn of(value: &Value) -> Self {
        match value {
            Value::Str(text, binaries) => {
                let binaries = binaries.iter().flatten().cloned().collect();
                Self::Json(text.as_str().to_owned(), binaries)
            }
            Value::Bytes(bytes) => Self::Msgpack(bytes.clone()),
        }
    }

    /// How large it is, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Json(text, binaries) => {
                text.len() + binaries.iter().map(Bytes::len).sum::<usize>()
            }
            Self::Msgpack(bytes) => bytes.len(),
        }
    }

    /// The same as a list of values.
    pub fn list(&self) -> Option<rmpv::Value> {
        rmpv::decode::read_value(&mut &self.to_msgpack()?[..]).ok()
    }

    /// The same as one list in MessagePack, as Node's servers tell it.
    pub fn to_msgpack(&self) -> Option<Bytes> {
        let (text, binaries) = match self {
            Self::Json(text, binaries) => (text, binaries),
            Self::Msgpack(bytes) => return Some(bytes.clone()),
        };
        let binaries = (!binaries.is_empty()).then(|| binaries.clone().into());
        let list = arguments::list(&Value::Str(text.clone().into(), binaries)).ok()?;
        rmp_serde::to_vec(&list).ok().map(Bytes::from)
    }
}

impl Draft {
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
