//! The words of `@socket.io/redis-adapter` on pub/sub, and of `@socket.io/redis-emitter`.

use std::time::Duration;

use rmpv::Value;

use super::{
    message::{self, Answer, Event, Heard, Request},
    value::{self, Unfit, map},
};
use crate::{domain::Room, ports::Whom};

/// What requests are, by their numbers.
mod kind {
    pub const SOCKETS: u64 = 0;
    pub const ALL_ROOMS: u64 = 1;
    pub const JOIN: u64 = 2;
    pub const LEAVE: u64 = 3;
    pub const DISCONNECT: u64 = 4;
    pub const FETCH: u64 = 5;
    pub const SERVER_SIDE_EMIT: u64 = 6;
    pub const BROADCAST: u64 = 7;
    pub const CLIENT_COUNT: u64 = 8;
    pub const ACK: u64 = 9;
}

/// How long Node waits for acks where nothing else is said.
pub(super) const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// Who has sent a broadcast, without reading the rest of it.
pub(super) fn sender(mut broadcast: &[u8]) -> Option<&str> {
    rmp::decode::read_array_len(&mut broadcast).ok()?;
    let (sender, _) = rmp::decode::read_str_from_slice(broadcast).ok()?;
    Some(sender)
}

/// Reads `[uid, packet, opts]`.
pub(super) fn read_broadcast(broadcast: &Value, namespace: &str) -> Result<Heard, Unfit> {
    let Some([from, packet, opts, ..]) = broadcast.as_array().map(Vec::as_slice) else {
        return Err(Unfit::Malformed);
    };
    let event = Event::from_packet(packet, namespace)?;
    Ok(Heard {
        from: from.as_str().ok_or(Unfit::Malformed)?.to_owned(),
        id: None,
        request: Request::Emit {
            event,
            to: message::read_whom(opts)?,
            volatile: is_volatile(opts),
        },
    })
}

pub(super) fn is_volatile(opts: &Value) -> bool {
    value::get(opts, "flags").is_some_and(|flags| value::flag(flags, "volatile"))
}

/// How long the acks of a broadcast are waited for.
pub(super) fn ack_timeout(opts: &Value) -> Duration {
    let flags = value::get(opts, "flags");
    let timeout = flags.and_then(|flags| value::number(flags, "timeout"));
    timeout.map_or(ACK_TIMEOUT, Duration::from_millis)
}

/// Reads what stands on the channel for requests.
pub(super) fn read_request(request: &Value, namespace: &str) -> Result<Heard, Unfit> {
    let kind = value::number(request, "type").ok_or(Unfit::Malformed)?;
    let to = || match value::get(request, "opts") {
        Some(opts) => message::read_whom(opts),
        None => one_socket(request),
    };
    let rooms = || match value::text(request, "room") {
        Some(room) => Ok(vec![Room::named(room)]),
        None => value::few_rooms(request, "rooms"),
    };
    let request_is = match kind {
        kind::SOCKETS => Request::Ids {
            to: message::read_whom(request)?,
        },
        kind::ALL_ROOMS => Request::Rooms,
        kind::JOIN => Request::Join {
            to: to()?,
            rooms: rooms()?,
        },
        kind::LEAVE => Request::Leave {
            to: to()?,
            rooms: rooms()?,
        },
        kind::DISCONNECT => Request::Disconnect {
            to: to()?,
            close: value::flag(request, "close"),
        },
        kind::FETCH => Request::Fetch { to: to()? },
        kind::SERVER_SIDE_EMIT => Request::ServerSide {
            event: Event::of_servers(value::get(request, "data").ok_or(Unfit::Malformed)?)?,
        },
        kind::BROADCAST => {
            let opts = value::get(request, "opts").ok_or(Unfit::Malformed)?;
            let packet = value::get(request, "packet").ok_or(Unfit::Malformed)?;
            Request::Ask {
                event: Event::from_packet(packet, namespace)?,
                to: message::read_whom(opts)?,
                within: ack_timeout(opts),
            }
        }
        _ => return Err(Unfit::Unknown),
    };
    Ok(Heard {
        from: value::text(request, "uid").unwrap_or_default(),
        id: value::text(request, "requestId"),
        request: request_is,
    })
}

/// Older servers name one socket.
fn one_socket(request: &Value) -> Result<Whom, Unfit> {
    let socket = value::text(request, "sid").ok_or(Unfit::Malformed)?;
    Ok(Whom::room(Room::named(socket)))
}

/// A request as Node reads it, to be told on the channel for requests.
pub(super) fn request(heard: &Heard, namespace: &str) -> Value {
    let kind_is = |kind: u64| ("type", Value::from(kind));
    let mut entries = match &heard.request {
        Request::Emit { event, to, .. } => vec![
            kind_is(kind::BROADCAST),
            ("packet", packet(event, namespace)),
            ("opts", opts(to, None)),
        ],
        Request::Ask { event, to, within } => vec![
            kind_is(kind::BROADCAST),
            ("packet", packet(event, namespace)),
            ("opts", opts(to, Some(*within))),
        ],
        Request::Join { to, rooms } => {
            vec![
                kind_is(kind::JOIN),
                ("opts", opts(to, None)),
                ("rooms", names(rooms)),
            ]
        }
        Request::Leave { to, rooms } => {
            vec![
                kind_is(kind::LEAVE),
                ("opts", opts(to, None)),
                ("rooms", names(rooms)),
            ]
        }
        Request::Disconnect { to, close } => {
            let close = ("close", Value::Boolean(*close));
            vec![kind_is(kind::DISCONNECT), ("opts", opts(to, None)), close]
        }
        Request::Fetch { to } => vec![kind_is(kind::FETCH), ("opts", opts(to, None))],
        Request::Ids { to } => vec![kind_is(kind::SOCKETS), ("rooms", names(&to.rooms))],
        Request::Rooms => vec![kind_is(kind::ALL_ROOMS)],
        Request::ServerSide { event } => {
            vec![kind_is(kind::SERVER_SIDE_EMIT), ("data", list(event))]
        }
    };
    entries.push(("uid", heard.from.as_str().into()));
    if let Some(id) = &heard.id {
        entries.push(("requestId", id.as_str().into()));
    }
    let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
    Value::Map(entries.collect())
}

/// An answer as Node reads it.
pub(super) fn answer(id: &str, answer: Answer) -> Value {
    let id = ("requestId", Value::from(id));
    let texts = |texts: Vec<String>| texts.into_iter().map(Value::from).collect::<Vec<_>>();
    match answer {
        Answer::Sockets(sockets) => map([id, ("sockets", Value::Array(sockets))]),
        Answer::Ids(ids) => map([id, ("sockets", Value::Array(texts(ids)))]),
        Answer::Rooms(rooms) => map([id, ("rooms", Value::Array(texts(rooms)))]),
        Answer::ServerSide(data) => {
            map([id, ("type", kind::SERVER_SIDE_EMIT.into()), ("data", data)])
        }
        Answer::Clients(count) => map([
            id,
            ("type", kind::CLIENT_COUNT.into()),
            ("clientCount", count.into()),
        ]),
        Answer::Ack(packet) => map([id, ("type", kind::ACK.into()), ("packet", packet)]),
    }
}

/// Reads an answer, and the request that it is to.
pub(super) fn read_answer(answer: &Value) -> Result<(String, Answer), Unfit> {
    let id = value::text(answer, "requestId").ok_or(Unfit::Malformed)?;
    let any = |key| value::get(answer, key).cloned().unwrap_or(Value::Nil);
    let read = match value::number(answer, "type") {
        Some(kind::SERVER_SIDE_EMIT) => Answer::ServerSide(any("data")),
        Some(kind::CLIENT_COUNT) => {
            Answer::Clients(value::number(answer, "clientCount").ok_or(Unfit::Malformed)?)
        }
        Some(kind::ACK) => Answer::Ack(any("packet")),
        Some(_) => return Err(Unfit::Unknown),
        None => match (value::get(answer, "sockets"), value::get(answer, "rooms")) {
            (Some(Value::Array(sockets)), _) => Answer::Sockets(sockets.clone()),
            (None, Some(_)) => {
                let rooms = value::rooms(answer, "rooms")?;
                Answer::Rooms(rooms.iter().map(ToString::to_string).collect())
            }
            _ => return Err(Unfit::Malformed),
        },
    };
    Ok((id, read))
}

pub(super) fn names(rooms: &[Room]) -> Value {
    Value::Array(rooms.iter().map(|room| room.as_str().into()).collect())
}

pub(super) fn list(event: &Event) -> Value {
    let name = Value::from(event.name.as_str());
    Value::Array(
        [name]
            .into_iter()
            .chain(event.args.0.iter().cloned())
            .collect(),
    )
}

pub(super) fn packet(event: &Event, namespace: &str) -> Value {
    map([
        ("type", 2.into()),
        ("data", list(event)),
        ("nsp", namespace.into()),
    ])
}

pub(super) fn opts(to: &Whom, timeout: Option<Duration>) -> Value {
    let timeout = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
    let flags = timeout.map_or_else(|| map([]), |timeout| map([("timeout", timeout.into())]));
    map([
        ("rooms", names(&to.rooms)),
        ("except", names(&to.except)),
        ("flags", flags),
    ])
}

#[cfg(test)]
mod tests;
