//! From a packet's arguments to one value.
//!
//! socketioxide's own reading loses binary below an `Option` or a newtype, and with it the place
//! of every later one; here each placeholder says by its number which binary it stands for.

use std::{fmt, marker::PhantomData};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, Error as DeError, IgnoredAny, IntoDeserializer, SeqAccess, Visitor,
        value::{SeqAccessDeserializer, UnitDeserializer},
    },
};
use serde_json::Value as Json;
use socketioxide_core::Value;

use crate::{
    error::{Error, Result},
    realtime::Arguments,
};

/// Reads an event's value, or says as `invalid_payload` what does not fit.
pub fn read<A: DeserializeOwned>(from: Arguments, packet: &Value) -> Result<A> {
    match from {
        Arguments::First => read_as(packet).map(|First(argument)| argument),
        Arguments::All => read_as(packet).map(|All(arguments)| arguments),
    }
}

fn read_as<P: DeserializeOwned>(packet: &Value) -> Result<P> {
    match packet {
        Value::Str(text, None) => serde_json::from_str(text).map_err(unfit),
        Value::Str(text, Some(binaries)) => {
            let json = serde_json::from_str(text).map_err(unfit)?;
            let mut binaries: Vec<_> = binaries.iter().map(Some).collect();
            // As MessagePack, which has a place for binary.
            let whole = rmp_serde::to_vec(&filled(json, &mut binaries)?).map_err(unfit)?;
            rmp_serde::from_slice(&whole).map_err(unfit)
        }
        Value::Bytes(bytes) => rmp_serde::from_slice(bytes).map_err(unfit),
    }
}

/// Everything that stands in the packet, a list.
pub fn list(packet: &Value) -> Result<rmpv::Value> {
    match packet {
        Value::Str(text, binaries) => {
            let json = serde_json::from_str(text).map_err(unfit)?;
            let mut binaries: Vec<_> = binaries.iter().flatten().map(Some).collect();
            filled(json, &mut binaries)
        }
        Value::Bytes(bytes) => rmp_serde::from_slice(bytes).map_err(unfit),
    }
}

/// The event's name, if the packet is well formed: a list that begins with a text, or, as clients
/// may, with a number.
pub fn event_name(packet: &Value) -> Option<String> {
    match packet {
        Value::Str(text, _) => serde_json::from_str(text).ok(),
        Value::Bytes(bytes) => rmp_serde::from_slice(bytes).ok(),
    }
    .map(|EventName(name)| name)
}

struct EventName(String);

impl<'de> Deserialize<'de> for EventName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct PacketVisitor;
        impl<'de> Visitor<'de> for PacketVisitor {
            type Value = EventName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event and its arguments")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut packet: S) -> Result<EventName, S::Error> {
                let name = packet.next_element::<Name>()?;
                skip_rest(&mut packet)?;
                let Name(name) = name.ok_or_else(|| S::Error::custom("no event"))?;
                Ok(EventName(name))
            }
        }
        from.deserialize_seq(PacketVisitor)
    }
}

struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E: DeError>(self, name: &str) -> Result<Name, E> {
                Ok(Name(name.to_owned()))
            }

            fn visit_i64<E: DeError>(self, number: i64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }

            fn visit_u64<E: DeError>(self, number: u64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }
        }
        from.deserialize_any(NameVisitor)
    }
}

fn unfit(error: impl fmt::Display) -> Error {
    // The parser's own words, without its position in a text the client never sees.
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    Error::invalid_payload(format!("The arguments do not fit: {reason}"))
}

/// Puts each binary where its placeholder stands. Each has one place: a small packet that names one
/// binary many times would become a large one.
fn filled(json: Json, binaries: &mut [Option<&Bytes>]) -> Result<rmpv::Value> {
    Ok(match json {
        Json::Object(map) if map.get("_placeholder") == Some(&Json::Bool(true)) => {
            let number = map.get("num").and_then(Json::as_u64);
            let index = number.and_then(|number| usize::try_from(number).ok());
            let binary = index.and_then(|index| binaries.get_mut(index)?.take());
            let binary = binary.ok_or_else(|| unfit("a placeholder for no attachment"))?;
            rmpv::Value::Binary(binary.to_vec())
        }
        Json::Object(map) => {
            let entry = |(key, value): (String, Json)| Ok((key.into(), filled(value, binaries)?));
            rmpv::Value::Map(map.into_iter().map(entry).collect::<Result<_>>()?)
        }
        Json::Array(list) => {
            let items = list.into_iter().map(|item| filled(item, binaries));
            rmpv::Value::Array(items.collect::<Result<_>>()?)
        }
        plain => rmpv::ext::to_value(plain).map_err(unfit)?,
    })
}

/// A packet's event and the first of any number of arguments, of which there may be none.
struct First<A>(A);

/// A packet's event and all of its arguments.
struct All<A>(A);

impl<'de, A: Deserialize<'de>> Deserialize<'de> for First<A> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(FirstVisitor(PhantomData))
    }
}

impl<'de, A: Deserialize<'de>> Deserialize<'de> for All<A> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(AllVisitor(PhantomData))
    }
}

struct FirstVisitor<A>(PhantomData<A>);

impl<'de, A: Deserialize<'de>> Visitor<'de> for FirstVisitor<A> {
    type Value = First<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event and its arguments")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut packet: S) -> Result<Self::Value, S::Error> {
        skip_event(&mut packet)?;
        let first = match packet.next_element()? {
            Some(first) => first,
            None => {
                let nothing: UnitDeserializer<S::Error> = ().into_deserializer();
                A::deserialize(nothing)?
            }
        };
        skip_rest(&mut packet)?;
        Ok(First(first))
    }
}

struct AllVisitor<A>(PhantomData<A>);

impl<'de, A: Deserialize<'de>> Visitor<'de> for AllVisitor<A> {
    type Value = All<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event and its arguments")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut packet: S) -> Result<Self::Value, S::Error> {
        skip_event(&mut packet)?;
        let all = A::deserialize(SeqAccessDeserializer::new(&mut packet))?;
        skip_rest(&mut packet)?;
        Ok(All(all))
    }
}

fn skip_event<'de, S: SeqAccess<'de>>(packet: &mut S) -> Result<(), S::Error> {
    let event = packet.next_element::<IgnoredAny>()?;
    event
        .map(|_| ())
        .ok_or_else(|| S::Error::custom("no event"))
}

fn skip_rest<'de, S: SeqAccess<'de>>(packet: &mut S) -> Result<(), S::Error> {
    while packet.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Attachment, Object};

    fn text(json: &str) -> Value {
        Value::Str(json.to_owned().into(), None)
    }

    #[test]
    fn the_first_argument_is_read_more_are_ignored_and_none_is_nothing() {
        let first = |json: &str| read::<u8>(Arguments::First, &text(json));
        assert_eq!(first(r#"["e", 1, "more"]"#), Ok(1));
        assert!(first(r#"["e"]"#).is_err());
        assert_eq!(read::<()>(Arguments::First, &text(r#"["e"]"#)), Ok(()));
    }

    #[test]
    fn all_arguments_are_read_as_a_tuple() {
        let all = read::<(u8, String)>(Arguments::All, &text(r#"["e", 1, "two", 3]"#));
        assert_eq!(all, Ok((1, "two".to_owned())));
    }

    #[test]
    fn words_and_numbers_are_read_from_messagepack_as_from_text() {
        let packet = |argument: rmpv::Value| {
            let whole = rmpv::Value::Array(vec!["e".into(), argument]);
            Value::Bytes(rmp_serde::to_vec(&whole).unwrap().into())
        };
        let status = read::<crate::domain::Status>(Arguments::First, &packet("busy".into()));
        assert_eq!(status, Ok(crate::domain::Status::Busy));
        let id = read::<crate::domain::RoomId>(Arguments::First, &packet(42.into()));
        assert_eq!(id.unwrap().as_str(), "42");
    }

    #[test]
    fn binary_goes_where_its_placeholder_stands_whatever_lies_around_it() {
        #[derive(serde::Deserialize)]
        struct Draft {
            attachment: Option<Attachment>,
        }
        let json = r#"["e", {"other": {"_placeholder": true, "num": 1},
            "attachment": [{"_placeholder": true, "num": 0}]}]"#;
        let binaries = [Bytes::from_static(b"zero"), Bytes::from_static(b"one")];
        let packet = Value::Str(json.to_owned().into(), Some(binaries.into()));
        let Object(draft) = read::<Object<Draft>>(Arguments::First, &packet).unwrap();
        let bytes = draft.attachment.unwrap().to_bytes();
        let expected = rmpv::Value::Array(vec![rmpv::Value::Binary(b"zero".to_vec())]);
        assert_eq!(rmpv::decode::read_value(&mut &bytes[..]).unwrap(), expected);
        let mark = r#"{"_placeholder": true, "num": 0}"#;
        for wrong in [mark.replace('0', "7"), format!("[{mark}, {mark}]")] {
            let json = format!(r#"["e", {{"attachment": {wrong}}}]"#);
            let binaries = Some(vec![Bytes::from_static(b"one")].into());
            let packet = Value::Str(json.into(), binaries);
            assert!(read::<Object<Draft>>(Arguments::First, &packet).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_packet_it_is_read_or_refused(json in ".{0,64}", bytes: Vec<u8>) {
            let binaries = Some(vec![Bytes::new()].into());
            let packets = [
                text(&json),
                Value::Str(json.into(), binaries),
                Value::Bytes(bytes.into()),
            ];
            for packet in packets {
                let _ = read::<(Object<()>, Attachment)>(Arguments::All, &packet);
                let _ = read::<crate::domain::RoomId>(Arguments::First, &packet);
            }
        }
    }
}
