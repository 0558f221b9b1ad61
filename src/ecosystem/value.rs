//! Bytes of other servers as values: JSON or MessagePack, whichever they begin as.

use std::collections::HashSet;

use rmpv::Value;

use crate::domain::{Room, Timestamp};

/// How deep a packet may be nested.
const MAX_DEPTH: usize = 100;

/// The extension type of a date in MessagePack.
const DATE: i8 = -1;

/// The extension type in which `notepack.io` writes an `ArrayBuffer`.
const BUFFER: i8 = 0;

/// Why a packet cannot be carried out, as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unfit {
    /// It is longer than may be.
    TooLarge,
    /// It is no packet.
    Malformed,
    /// It is of another namespace than its channel.
    Namespace,
    /// It is a packet of a kind that nobody knows.
    Unknown,
    /// Its event may not be sent.
    Event,
}

impl Unfit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Namespace => "namespace",
            Self::Unknown => "unknown",
            Self::Event => "event",
        }
    }
}

/// The value that the bytes are.
pub(super) fn read(bytes: &[u8], max_bytes: usize) -> Result<Value, Unfit> {
    if bytes.len() > max_bytes {
        return Err(Unfit::TooLarge);
    }
    if bytes.first() == Some(&b'{') {
        return serde_json::from_slice(bytes).map_err(|_| Unfit::Malformed);
    }
    let mut rest = bytes;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH);
    let value = value.map_err(|_| Unfit::Malformed)?;
    rest.is_empty().then_some(value).ok_or(Unfit::Malformed)
}

/// The value as MessagePack.
pub(super) fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // A Vec takes whatever is written to it.
    let _ = rmpv::encode::write_value(&mut out, value);
    out
}

/// A map in the making.
pub(super) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.into(), value)).into())
}

/// What a map has under this key; nothing where it is `undefined`.
pub(super) fn get<'a>(map: &'a Value, key: &str) -> Option<&'a Value> {
    let entries = map.as_map()?;
    let found = entries
        .iter()
        .find(|(known, _)| known.as_str() == Some(key));
    found
        .map(|(_, value)| value)
        .filter(|value| !value.is_nil())
}

pub(super) fn text(map: &Value, key: &str) -> Option<String> {
    get(map, key)?.as_str().map(str::to_owned)
}

pub(super) fn flag(map: &Value, key: &str) -> bool {
    get(map, key).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn number(map: &Value, key: &str) -> Option<u64> {
    let value = get(map, key)?;
    value.as_u64()
}

/// The most rooms that a request names.
const MAX_ROOMS: usize = 10_000;

/// A list of names, each once; nothing counts as none. In JavaScript a room may be a number, and what is
/// neither (`io.in(undefined)`) is a room that nobody is in.
pub(super) fn rooms(map: &Value, key: &str) -> Result<Vec<Room>, Unfit> {
    let list = match get(map, key) {
        None => return Ok(Vec::new()),
        // What emitters in Python write for none.
        Some(Value::String(text)) if text.as_bytes().is_empty() => return Ok(Vec::new()),
        Some(list) => list,
    };
    let list = list.as_array().ok_or(Unfit::Malformed)?;
    let mut known = HashSet::new();
    let named = list.iter().map(|name| match name {
        Value::String(name) => name.as_str().map(Room::named),
        Value::Integer(number) => Some(Room::named(number.to_string())),
        _ => Some(Room::nobody()),
    });
    let names: Option<Vec<_>> = named.collect();
    let names = names.ok_or(Unfit::Malformed)?.into_iter();
    Ok(names.filter(|name| known.insert(name.clone())).collect())
}

/// Those of a request.
pub(super) fn few_rooms(map: &Value, key: &str) -> Result<Vec<Room>, Unfit> {
    let rooms = rooms(map, key)?;
    if rooms.len() > MAX_ROOMS {
        return Err(Unfit::TooLarge);
    }
    Ok(rooms)
}

/// The same as clients can be sent it: dates as text, as `JSON.stringify` writes them, and buffers as
/// binary.
pub(super) fn plain(value: Value) -> Result<Value, Unfit> {
    Ok(match value {
        Value::Array(items) => {
            Value::Array(items.into_iter().map(plain).collect::<Result<_, _>>()?)
        }
        Value::Map(entries) => {
            let entry = |(key, value): (Value, Value)| match key {
                Value::String(_) => Ok((key, plain(value)?)),
                Value::Integer(number) => Ok((number.to_string().into(), plain(value)?)),
                _ => Err(Unfit::Malformed),
            };
            Value::Map(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        Value::Ext(DATE, bytes) => date(&bytes).ok_or(Unfit::Malformed)?,
        Value::Ext(BUFFER, bytes) => Value::Binary(bytes),
        Value::Ext(..) => return Err(Unfit::Malformed),
        Value::String(text) if !text.is_str() => return Err(Unfit::Malformed),
        other => other,
    })
}

/// A date by the three lengths that MessagePack has for it.
fn date(bytes: &[u8]) -> Option<Value> {
    let (seconds, nanos) = match bytes.len() {
        4 => (i64::from(u32::from_be_bytes(bytes.try_into().ok()?)), 0),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            let seconds = i64::try_from(both & 0x3_FFFF_FFFF).ok()?;
            (seconds, u32::try_from(both >> 34).ok()?)
        }
        12 => {
            let (nanos, seconds) = bytes.split_at(4);
            let nanos = u32::from_be_bytes(nanos.try_into().ok()?);
            (i64::from_be_bytes(seconds.try_into().ok()?), nanos)
        }
        _ => return None,
    };
    let ms = seconds
        .checked_mul(1_000)?
        .checked_add(i64::from(nanos / 1_000_000))?;
    Some(Timestamp::from_ms(ms).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_packet_is_refused_and_not_followed_into_its_depths() {
        assert_eq!(read(&[0x93, 0xA7], 100), Err(Unfit::Malformed));
        assert_eq!(read(&[0xC0, 0xC0], 100), Err(Unfit::Malformed));
        assert_eq!(read(b"{", 100), Err(Unfit::Malformed));
        assert_eq!(read(b"", 100), Err(Unfit::Malformed));
        assert_eq!(read(&[0x91; 5_000], 10_000), Err(Unfit::Malformed));
        assert_eq!(read(&[0xC0; 11], 10), Err(Unfit::TooLarge));
    }

    #[test]
    fn a_room_may_be_a_number_and_counts_once() {
        let value = map([(
            "rooms",
            Value::Array(vec![42.into(), "42".into(), "é".into()]),
        )]);
        let named = rooms(&value, "rooms").unwrap();
        assert_eq!(named, [Room::named("42"), Room::named("é")]);
        assert_eq!(rooms(&value, "except"), Ok(Vec::new()));
        assert_eq!(
            rooms(&map([("rooms", 1.into())]), "rooms"),
            Err(Unfit::Malformed)
        );
    }

    #[test]
    fn dates_and_buffers_become_what_clients_know() {
        let seconds = Value::Ext(DATE, vec![0, 0, 0, 1]);
        assert_eq!(plain(seconds), Ok("1970-01-01T00:00:01.000Z".into()));
        let nanos = (500_000_000_u64 << 34) | 2;
        let both = Value::Ext(DATE, nanos.to_be_bytes().to_vec());
        assert_eq!(plain(both), Ok("1970-01-01T00:00:02.500Z".into()));
        assert_eq!(
            plain(Value::Ext(BUFFER, vec![7])),
            Ok(Value::Binary(vec![7]))
        );
        assert_eq!(plain(Value::Ext(5, vec![7])), Err(Unfit::Malformed));
    }
}
