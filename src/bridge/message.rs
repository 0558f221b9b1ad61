//! What a message of a channel or stream means.

use serde::Deserialize;
use serde_json::{Map, Number, Value};

use crate::{
    config::{RelayAs, RelayRule},
    domain::{Object, ProductId, Room, RoomId, UserId, check_event_name},
    error::{Error, Result},
};

/// The channels of workers that exist, as Redis' patterns.
pub(super) const CHANNELS: [&str; 2] = ["inventory-updates", "orders"];
pub(super) const PATTERNS: [&str; 3] = ["notifications:*", "broadcast:room:*", "broadcast:user:*"];

/// What is done for a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// A product's stock is set.
    Stock(ProductId, Number),
    /// An order is posted.
    Order(Map<String, Value>),
    /// A notification is posted, which says for whom.
    Notification(Map<String, Value>),
    /// A user is notified of a value.
    Notify(UserId, Value),
    /// An event goes to a room.
    Emit {
        room: Room,
        event: String,
        args: Vec<Value>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stock {
    product_id: ProductId,
    new_inventory: Number,
}

#[derive(Deserialize)]
struct Broadcast {
    event: String,
    #[serde(default, deserialize_with = "given")]
    data: Option<Value>,
}

/// `null` is a value like any other.
fn given<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Broadcast {
    fn to(self, room: Room) -> Result<Action> {
        check_event_name(&self.event)?;
        Ok(Action::Emit {
            room,
            event: self.event,
            args: self.data.into_iter().collect(),
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(payload: &[u8]) -> Result<T> {
    serde_json::from_slice(payload).map_err(|error| Error::invalid_payload(error.to_string()))
}

fn read_id<T, E: std::fmt::Display>(id: std::result::Result<T, E>) -> Result<T> {
    id.map_err(|error| Error::invalid_payload(format!("the channel's id {error}")))
}

/// The name of a built-in channel in logs and metrics; nothing for another channel.
pub(super) fn built_in_name(channel: &str) -> Option<&'static str> {
    const PREFIXES: [(&str, &str); 3] = [
        ("notifications:", "notifications"),
        ("broadcast:room:", "broadcast:room"),
        ("broadcast:user:", "broadcast:user"),
    ];
    let whole = CHANNELS.iter().find(|name| **name == channel);
    let prefixed = || {
        let (_, name) = PREFIXES
            .iter()
            .find(|(prefix, _)| channel.starts_with(prefix))?;
        Some(*name)
    };
    whole.copied().or_else(prefixed)
}

/// What a message of the built-in channel of this name means.
pub(super) fn built_in(name: &str, channel: &str, payload: &[u8]) -> Result<Action> {
    // Behind the name and a colon.
    let id = channel.get(name.len() + 1..).unwrap_or_default();
    match name {
        "inventory-updates" => stock(payload),
        "orders" => read(payload).map(Action::Order),
        "notifications" => Ok(Action::Notify(read_id(UserId::new(id))?, read(payload)?)),
        "broadcast:room" => {
            let room = Room::chat(&read_id(RoomId::new(id))?);
            broadcast(payload)?.to(room)
        }
        _ => {
            let room = Room::user(&read_id(UserId::new(id))?);
            broadcast(payload)?.to(room)
        }
    }
}

/// What is larger than a client may send is not taken from a worker either.
pub(super) fn check_size(payload: &[u8], limit: usize) -> Result<()> {
    if payload.len() > limit {
        return Err(Error::invalid_payload(format!(
            "at most {limit} bytes are expected"
        )));
    }
    Ok(())
}

fn stock(payload: &[u8]) -> Result<Action> {
    let Object(stock) = read::<Object<Stock>>(payload)?;
    Ok(Action::Stock(stock.product_id, stock.new_inventory))
}

fn broadcast(payload: &[u8]) -> Result<Broadcast> {
    read::<Object<Broadcast>>(payload).map(|Object(broadcast)| broadcast)
}

/// What a rule makes of a message. `id`: the channel's.
pub(super) fn relayed(rule: &RelayRule, id: &str, payload: &[u8]) -> Result<Action> {
    match rule.kind {
        RelayAs::Orders => read(payload).map(Action::Order),
        RelayAs::Notifications => read(payload).map(Action::Notification),
        RelayAs::Inventory => stock(payload),
        RelayAs::Event => {
            let value: Value = read(payload)?;
            let argument = value.pointer(&rule.payload);
            let argument = argument.ok_or_else(|| {
                Error::invalid_payload(format!("the message has nothing at {}", rule.payload))
            })?;
            Ok(Action::Emit {
                room: Room::named(fill(&rule.room, id, &value)?),
                event: rule.event.clone(),
                args: vec![argument.clone()],
            })
        }
    }
}

/// A room's name: `{id}` is the channel's, `{/pointer}` a value of the message.
fn fill(template: &str, id: &str, value: &Value) -> Result<String> {
    let (mut out, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        match name {
            "id" => out.push_str(id),
            pointer => match value.pointer(pointer) {
                Some(Value::String(text)) => out.push_str(text),
                Some(Value::Number(number)) => out.push_str(&number.to_string()),
                _ => {
                    let expected = format!("{pointer} must be text or a number");
                    return Err(Error::invalid_payload(expected));
                }
            },
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn action(channel: &str, payload: &str) -> Result<Action> {
        built_in(built_in_name(channel).unwrap(), channel, payload.as_bytes())
    }

    #[test]
    fn a_numeric_product_is_the_same_as_its_text() {
        let expected = Action::Stock(ProductId::new("42").unwrap(), 7.into());
        for id in ["42", "\"42\""] {
            let payload = format!(r#"{{"productId": {id}, "newInventory": 7}}"#);
            assert_eq!(action("inventory-updates", &payload).unwrap(), expected);
        }
        action("inventory-updates", "[42, 7]").unwrap_err();
    }

    #[test]
    fn a_broadcast_goes_to_the_chat_room_or_the_user_of_its_channel() {
        let payload = r#"{"event": "sale", "data": [1]}"#;
        let sent = |room| Action::Emit {
            room: Room::named(room),
            event: "sale".into(),
            args: vec![json!([1])],
        };
        let to_room = action("broadcast:room:lobby", payload).unwrap();
        assert_eq!(to_room, sent("room:lobby"));
        let to_user = action("broadcast:user:alice", payload).unwrap();
        assert_eq!(to_user, sent("user:alice"));
        for payload in [r#"{"data": 1}"#, r#"{"event": "connect"}"#, "1", ""] {
            action("broadcast:room:lobby", payload).unwrap_err();
        }
        let Action::Emit { args, .. } = action("broadcast:room:x", r#"{"event":"e"}"#).unwrap()
        else {
            panic!("not an emit")
        };
        assert!(args.is_empty());
        assert_eq!(built_in_name("presence:updates"), None);
    }

    #[test]
    fn a_rule_takes_the_room_and_the_argument_from_the_message() {
        let rule = RelayRule {
            channel: "tables:{id}".into(),
            stream: String::new(),
            kind: RelayAs::Event,
            room: "table-{id}-{/seat/number}".into(),
            event: "changed".into(),
            payload: "/data".into(),
        };
        let message = br#"{"seat": {"number": 3}, "data": {"free": true}}"#;
        let expected = Action::Emit {
            room: Room::named("table-7-3"),
            event: "changed".into(),
            args: vec![json!({"free": true})],
        };
        assert_eq!(relayed(&rule, "7", message).unwrap(), expected);
        for message in [&br#"{"data": 1}"#[..], br#"{"seat": {"number": 3}}"#, b"x"] {
            relayed(&rule, "7", message).unwrap_err();
        }
    }
}
