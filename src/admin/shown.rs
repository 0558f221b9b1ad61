//! What sockets look like, and what they do, in the Admin UI's words.

use rmpv::Value;

use crate::{
    domain::{Room, SocketId},
    ecosystem::describe_socket,
    realtime::namespace::{Described, Encoded, Hub, Seen, Sight},
};

/// The largest event whose arguments are shown, in bytes.
const MAX_EVENT_BYTES: usize = 16_384;

/// A socket, as Node's servers serialize their own.
pub(super) fn socket(path: &str, described: &Described) -> Value {
    let mut entries = match describe_socket(described) {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    };
    for (key, value) in [
        ("nsp", path),
        ("clientId", described.client.as_str()),
        ("transport", described.transport),
    ] {
        entries.push((key.into(), value.into()));
    }
    Value::Map(entries)
}

/// A change of no socket in a namespace, which says that there is one.
pub(super) fn mention(path: &str) -> Value {
    let mentioned = [("id", Value::from("")), ("nsp", path.into())];
    Value::Map(mentioned.map(|(key, value)| (key.into(), value)).into())
}

/// The events that tell of what was seen.
pub(super) fn each(hub: &Hub, seen: &Seen, mut tell: impl FnMut(&str, Vec<Value>)) {
    let (nsp, at) = (Value::from(seen.path), Value::from(seen.at.to_string()));
    let id = |socket: &SocketId| Value::from(socket.as_str());
    let mut room = |event: &str, socket: &SocketId, room: &Room| {
        let room = room.as_str().into();
        tell(event, vec![nsp.clone(), room, id(socket), at.clone()]);
    };
    match &seen.what {
        Sight::Joined(socket, joined) => room("room_joined", socket, joined),
        Sight::Left(socket, left) => room("room_left", socket, left),
        Sight::Connected(session, rooms) => {
            let mut described = hub.namespace(seen.path).describe(session);
            described.rooms.clone_from(rooms);
            tell("socket_connected", vec![socket(seen.path, &described), at]);
        }
        Sight::Upgraded(socket) => {
            let updated = [
                ("id", id(socket)),
                ("nsp", nsp),
                ("transport", "websocket".into()),
            ];
            let updated = updated.map(|(key, value)| (key.into(), value));
            tell("socket_updated", vec![Value::Map(updated.into())]);
        }
        Sight::Ended(socket, reason, rooms) => {
            // In Node's words there are blanks.
            let reason = reason.replace('_', " ").into();
            let ended = vec![nsp.clone(), id(socket), reason, at.clone()];
            tell("socket_disconnected", ended);
            for left in rooms {
                let left = left.as_str().into();
                tell("room_left", vec![nsp.clone(), left, id(socket), at.clone()]);
            }
        }
        Sight::Received(socket, event) => {
            let args = arguments(event);
            tell("event_received", vec![nsp, id(socket), args, at]);
        }
        Sight::Sent(sockets, event) => {
            let args = arguments(event);
            for socket in sockets {
                let sent = vec![nsp.clone(), id(socket), args.clone(), at.clone()];
                tell("event_sent", sent);
            }
        }
    }
}

/// An event's name and arguments; of a large one how large it is.
fn arguments(event: &Encoded) -> Value {
    let bytes = event.bytes();
    match event.list() {
        Some(list) if bytes <= MAX_EVENT_BYTES => list,
        Some(Value::Array(list)) => {
            let name = list.into_iter().next().unwrap_or(Value::Nil);
            Value::Array(vec![name, format!("({bytes} bytes)").into()])
        }
        _ => Value::Array(vec![Value::Nil]),
    }
}
