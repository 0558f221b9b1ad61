//! From a packet's arguments to one value.

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, IgnoredAny, IntoDeserializer, SeqAccess, Visitor, value::UnitDeserializer,
    },
};
use socketioxide::{extract::TryData, handler::FromMessageParts, socket::Socket};
use socketioxide_core::Value;

use crate::{
    error::{Error, Result},
    realtime::Arguments,
};

/// Reads an event's value, or says as `invalid_payload` what does not fit.
pub fn read<A: DeserializeOwned>(
    from: Arguments,
    socket: &Arc<Socket>,
    value: &mut Value,
) -> Result<A> {
    let read = match from {
        Arguments::First => {
            let Ok(TryData(first)) = TryData::<First<A>>::from_message_parts(socket, value, &None);
            first.map(|First(argument)| argument)
        }
        Arguments::All => {
            let Ok(TryData(all)) = TryData::<A>::from_message_parts(socket, value, &None);
            all
        }
    };
    read.map_err(|error| {
        // The parser's own words, without its position in a text the client never sees.
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default();
        Error::invalid_payload(format!("The arguments do not fit: {reason}"))
    })
}

/// The first of any number of arguments. It asks for a tuple, which is how socketioxide knows a
/// type that wants to see all arguments.
struct First<A>(A);

struct FirstVisitor<A>(PhantomData<A>);

impl<'de, A: Deserialize<'de>> Visitor<'de> for FirstVisitor<A> {
    type Value = First<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut arguments: S) -> Result<Self::Value, S::Error> {
        let first = match arguments.next_element()? {
            Some(first) => first,
            None => {
                let nothing: UnitDeserializer<S::Error> = ().into_deserializer();
                A::deserialize(nothing)?
            }
        };
        while arguments.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }
}

impl<'de, A: Deserialize<'de>> Deserialize<'de> for First<A> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_tuple(1, FirstVisitor(PhantomData))
    }
}
