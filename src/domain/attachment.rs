//! What a message carries besides its text.

use serde::{Deserialize, Serialize, Serializer};

/// How deep lists and objects may lie in each other.
const MAX_DEPTH: usize = 32;

/// The most binary values in one: clients refuse packets with more, and are disconnected by them.
pub const MAX_BINARIES: usize = 10;

/// The key by which Socket.IO's text packets mark the place of binary.
const PLACEHOLDER: &str = "_placeholder";

/// Binary, or a value such as JSON has with binary in it. It is delivered in the shape in which it
/// came, to clients of any parser and over HTTP: objects have text keys, and nothing in them can be
/// taken for the mark of a binary's place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "rmpv::Value")]
pub struct Attachment(rmpv::Value);

/// Why a value cannot be an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// Lists and objects lie too deep in each other.
    #[error("attachment is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// An object's key is not text.
    #[error("attachment has a key that is not text")]
    Key,
    /// An object looks like the mark of a binary's place.
    #[error("attachment has the reserved key {PLACEHOLDER}")]
    Placeholder,
    /// There are too many binary values.
    #[error("attachment has more than {MAX_BINARIES} binary values")]
    Binaries,
    /// An extension type, or text that is not UTF-8.
    #[error("attachment has a value that JSON and binary cannot express")]
    Value,
}

impl Attachment {
    /// How many binary values it has.
    pub fn binaries(&self) -> usize {
        binaries(&self.0)
    }

    /// About how many bytes it takes in a packet.
    pub fn size(&self) -> usize {
        size(&self.0)
    }

    /// The MessagePack bytes by which it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a `Vec` cannot fail.
        let _ = rmpv::encode::write_value(&mut bytes, &self.0);
        bytes
    }

    /// From stored bytes; absent when they are not those of an attachment.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let value = rmpv::decode::read_value(&mut bytes).ok()?;
        check(&value, MAX_DEPTH).ok()?;
        Some(Self(value))
    }
}

// By hand: as a newtype its binary would be lost in packets.
impl Serialize for Attachment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl TryFrom<rmpv::Value> for Attachment {
    type Error = AttachmentError;

    fn try_from(value: rmpv::Value) -> Result<Self, Self::Error> {
        check(&value, MAX_DEPTH)?;
        if binaries(&value) > MAX_BINARIES {
            return Err(AttachmentError::Binaries);
        }
        Ok(Self(value))
    }
}

fn binaries(value: &rmpv::Value) -> usize {
    match value {
        rmpv::Value::Map(entries) => entries.iter().map(|(_, value)| binaries(value)).sum(),
        rmpv::Value::Array(items) => items.iter().map(binaries).sum(),
        rmpv::Value::Binary(_) => 1,
        _ => 0,
    }
}

fn size(value: &rmpv::Value) -> usize {
    match value {
        rmpv::Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| size(key) + size(value))
            .sum(),
        rmpv::Value::Array(items) => items.iter().map(size).sum(),
        rmpv::Value::Binary(bytes) => bytes.len(),
        rmpv::Value::String(text) => text.as_bytes().len(),
        _ => size_of::<rmpv::Value>(),
    }
}

fn check(value: &rmpv::Value, depth: usize) -> Result<(), AttachmentError> {
    let depth = depth.checked_sub(1).ok_or(AttachmentError::TooDeep)?;
    match value {
        rmpv::Value::Map(entries) => {
            entries
                .iter()
                .try_for_each(|(key, value)| match key.as_str() {
                    None => Err(AttachmentError::Key),
                    Some(PLACEHOLDER) => Err(AttachmentError::Placeholder),
                    Some(_) => check(value, depth),
                })
        }
        rmpv::Value::Array(items) => items.iter().try_for_each(|item| check(item, depth)),
        rmpv::Value::String(text) if text.is_err() => Err(AttachmentError::Value),
        rmpv::Value::Ext(..) => Err(AttachmentError::Value),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rmpv::Value;

    use super::*;

    fn object(key: Value, value: Value) -> Value {
        Value::Map(vec![(key, value)])
    }

    #[test]
    fn binary_and_what_json_has_comes_back_from_its_bytes() {
        let value = object(
            "parts".into(),
            Value::Array(vec![Value::Binary(vec![1]), 2.into()]),
        );
        let attachment = Attachment::try_from(value).unwrap();
        assert_eq!(
            Attachment::from_bytes(&attachment.to_bytes()),
            Some(attachment)
        );
    }

    #[test]
    fn what_could_not_be_delivered_to_everybody_is_refused() {
        let refused = |value| Attachment::try_from(value).unwrap_err();
        let marker = object("_placeholder".into(), true.into());
        assert_eq!(
            refused(Value::Array(vec![marker])),
            AttachmentError::Placeholder
        );
        assert_eq!(refused(object(Value::Nil, 1.into())), AttachmentError::Key);
        assert_eq!(refused(Value::Ext(1, vec![])), AttachmentError::Value);
        let deep = (0..MAX_DEPTH).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));
        assert_eq!(refused(deep), AttachmentError::TooDeep);
        let many = Value::Array(vec![Value::Binary(vec![1]); MAX_BINARIES + 1]);
        assert_eq!(refused(many), AttachmentError::Binaries);
    }
}
