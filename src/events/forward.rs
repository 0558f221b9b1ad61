//! Events that the operator's backend answers, by rule.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    domain::Args,
    error::{Error, Result},
    realtime::{Acks, Arguments, Context, Failure, Handling, Order, namespace::Namespace},
    services::{Forward, ForwardedEvent},
};

/// All arguments go to the backend, and its response is the ack.
const FORWARDED: Handling = Handling {
    order: Order::Serial,
    failure: Failure::AckOrEvent,
    arguments: Arguments::All,
    acks: Acks::Bare,
    is_secret: false,
};

/// The key of the object that stands for binary.
const BINARY: &str = "_binary";

/// Adds the rule's event to a namespace.
pub fn with_rule(namespace: Namespace, forward: &Arc<Forward>) -> Namespace {
    let way = forward.clone();
    namespace.on_fn(
        forward.event(),
        FORWARDED,
        move |Args(args): Args, cx: Context| {
            let way = way.clone();
            async move {
                let event = ForwardedEvent {
                    args: args.into_iter().map(to_json).collect::<Result<_>>()?,
                    who: cx.identity(),
                    socket: cx.socket_id(),
                    rooms: cx.rooms(),
                };
                // A list is one argument of the ack, not several.
                way.forward(event).await.map(|ack| Args(vec![ack]))
            }
        },
    )
}

/// An argument as JSON: binary becomes `{"_binary": <base64>}`.
fn to_json(argument: rmpv::Value) -> Result<Value> {
    Ok(match argument {
        rmpv::Value::Binary(bytes) => json!({ BINARY: STANDARD.encode(bytes) }),
        rmpv::Value::Array(items) => {
            Value::Array(items.into_iter().map(to_json).collect::<Result<_>>()?)
        }
        rmpv::Value::Map(entries) => {
            let entry = |(key, value): (rmpv::Value, rmpv::Value)| {
                let key = key.as_str().ok_or_else(unfit)?.to_owned();
                Ok((key, to_json(value)?))
            };
            Value::Object(entries.into_iter().map(entry).collect::<Result<_>>()?)
        }
        // So the clients' MessagePack writes `undefined`.
        rmpv::Value::Ext(0, data) if data == [0] => Value::Null,
        rmpv::Value::Ext(..) => return Err(unfit()),
        plain => rmpv::ext::from_value(plain).map_err(|_| unfit())?,
    })
}

fn unfit() -> Error {
    Error::invalid_payload("The arguments have a value that JSON cannot express")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_and_undefined_have_a_place_in_json_and_dates_have_none() {
        use rmpv::Value::{Array, Binary, Ext, Map};
        let inner = Map(vec![
            ("a".into(), Binary(vec![1, 2])),
            ("b".into(), 2.5.into()),
        ]);
        let argument = Array(vec![inner, Ext(0, vec![0]), u64::MAX.into(), "x".into()]);
        let expected = json!([{ "a": { "_binary": "AQI=" }, "b": 2.5 }, null, u64::MAX, "x"]);
        assert_eq!(to_json(argument), Ok(expected));
        assert!(to_json(Ext(-1, vec![0; 4])).is_err());
        assert!(to_json(Map(vec![(1.into(), 2.into())])).is_err());
    }
}
