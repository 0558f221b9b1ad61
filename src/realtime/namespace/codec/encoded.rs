//! Events as one node tells them to another.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use socketioxide_core::Value;

use crate::realtime::namespace::arguments;

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
