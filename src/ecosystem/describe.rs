//! This node's sockets as other servers see them.

use rmpv::Value;

use super::value::{self, map};
use crate::{domain::Identity, ports::FoundSocket, realtime::namespace::Described};

/// A socket as Node describes its own. Its token stays here: `auth` and `headers` are empty.
pub(crate) fn socket(described: &Described) -> Value {
    let rooms = described.rooms.iter().map(|room| room.as_str().into());
    let data = match &described.identity {
        Identity::User(user) => map([
            ("userId", user.id.as_str().into()),
            ("username", (*user.name).into()),
        ]),
        Identity::Guest | Identity::Service(_) => map([]),
    };
    let address = described.address.map(|address| address.to_string());
    let handshake = map([
        ("headers", map([])),
        ("time", described.since.to_string().into()),
        ("address", address.unwrap_or_default().into()),
        ("xdomain", false.into()),
        ("secure", false.into()),
        ("issued", described.since.as_ms().into()),
        ("url", "/socket.io/".into()),
        (
            "query",
            map([("EIO", described.protocol.to_string().into())]),
        ),
        ("auth", map([])),
    ]);
    map([
        ("id", described.id.as_str().into()),
        ("handshake", handshake),
        ("rooms", Value::Array(rooms.collect())),
        ("data", data),
    ])
}

/// What another server has described; none where it has no id.
pub(super) fn found(socket: &Value) -> Option<FoundSocket> {
    let any = |key| value::get(socket, key).cloned().unwrap_or(Value::Nil);
    let rooms = value::rooms(socket, "rooms").ok()?;
    Some(FoundSocket {
        id: value::text(socket, "id")?,
        rooms: rooms.iter().map(ToString::to_string).collect(),
        data: any("data"),
        handshake: any("handshake"),
    })
}
