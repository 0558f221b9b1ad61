//! The words of Node's sharded adapter: one map for everything, on sharded channels.

use rmpv::Value;

use super::{
    message::{self, Answer, Event, Heard, Request},
    pubsub::{ack_timeout, is_volatile, list, names, opts, packet},
    value::{self, Unfit, map},
};

/// What messages are, by their numbers.
mod kind {
    pub const BROADCAST: u64 = 3;
    pub const JOIN: u64 = 4;
    pub const LEAVE: u64 = 5;
    pub const DISCONNECT: u64 = 6;
    pub const FETCH: u64 = 7;
    pub const FETCHED: u64 = 8;
    pub const SERVER_SIDE_EMIT: u64 = 9;
    pub const SERVER_SIDE_ANSWER: u64 = 10;
    pub const CLIENT_COUNT: u64 = 11;
    pub const ACK: u64 = 12;
}

/// A message, which may be an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Request(Heard),
    Answer(String, Answer),
}

/// Reads a message of this namespace.
pub(super) fn read(message: &Value, namespace: &str) -> Result<Said, Unfit> {
    let kind = value::number(message, "type").ok_or(Unfit::Malformed)?;
    if value::text(message, "nsp").as_deref() != Some(namespace) {
        return Err(Unfit::Namespace);
    }
    let data = value::get(message, "data").ok_or(Unfit::Malformed)?;
    let id = value::text(data, "requestId");
    if let Some(answer) = read_answer(kind, data)? {
        return Ok(Said::Answer(id.ok_or(Unfit::Malformed)?, answer));
    }
    Ok(Said::Request(Heard {
        from: value::text(message, "uid").unwrap_or_default(),
        request: read_request(kind, data, id.is_some())?,
        id,
    }))
}

fn read_answer(kind: u64, data: &Value) -> Result<Option<Answer>, Unfit> {
    let any = || value::get(data, "packet").cloned().unwrap_or(Value::Nil);
    Ok(Some(match kind {
        kind::FETCHED => match value::get(data, "sockets") {
            Some(Value::Array(sockets)) => Answer::Sockets(sockets.clone()),
            _ => return Err(Unfit::Malformed),
        },
        kind::SERVER_SIDE_ANSWER => Answer::ServerSide(any()),
        kind::CLIENT_COUNT => {
            Answer::Clients(value::number(data, "clientCount").ok_or(Unfit::Malformed)?)
        }
        kind::ACK => Answer::Ack(any()),
        _ => return Ok(None),
    }))
}

fn read_request(kind: u64, data: &Value, is_answered: bool) -> Result<Request, Unfit> {
    let options = || value::get(data, "opts").ok_or(Unfit::Malformed);
    let to = || message::read_whom(options()?);
    Ok(match kind {
        kind::BROADCAST => {
            // Its namespace stands beside it.
            let packet = value::get(data, "packet").ok_or(Unfit::Malformed)?;
            let event = Event::from_packet_in(packet)?;
            let (to, opts) = (to()?, options()?);
            match is_answered {
                true => Request::Ask {
                    event,
                    to,
                    within: ack_timeout(opts),
                },
                false => Request::Emit {
                    event,
                    to,
                    volatile: is_volatile(opts),
                },
            }
        }
        kind::JOIN => Request::Join {
            to: to()?,
            rooms: value::few_rooms(data, "rooms")?,
        },
        kind::LEAVE => Request::Leave {
            to: to()?,
            rooms: value::few_rooms(data, "rooms")?,
        },
        kind::DISCONNECT => Request::Disconnect {
            to: to()?,
            close: value::flag(data, "close"),
        },
        kind::FETCH => Request::Fetch { to: to()? },
        kind::SERVER_SIDE_EMIT => {
            let list = value::get(data, "packet").ok_or(Unfit::Malformed)?;
            let event = Event::of_servers(list)?;
            Request::ServerSide { event }
        }
        _ => return Err(Unfit::Unknown),
    })
}

/// A request as Node reads it. None: this adapter has none such.
pub(super) fn request(heard: &Heard, namespace: &str) -> Option<Value> {
    let (kind, mut data) = match &heard.request {
        Request::Emit { event, to, .. } => {
            let packet = ("packet", packet(event, namespace));
            (kind::BROADCAST, vec![("opts", opts(to, None)), packet])
        }
        Request::Ask { event, to, within } => {
            let packet = ("packet", packet(event, namespace));
            (
                kind::BROADCAST,
                vec![("opts", opts(to, Some(*within))), packet],
            )
        }
        Request::Join { to, rooms } => (
            kind::JOIN,
            vec![("opts", opts(to, None)), ("rooms", names(rooms))],
        ),
        Request::Leave { to, rooms } => (
            kind::LEAVE,
            vec![("opts", opts(to, None)), ("rooms", names(rooms))],
        ),
        Request::Disconnect { to, close } => {
            let close = ("close", Value::Boolean(*close));
            (kind::DISCONNECT, vec![("opts", opts(to, None)), close])
        }
        Request::Fetch { to } => (kind::FETCH, vec![("opts", opts(to, None))]),
        Request::ServerSide { event } => (kind::SERVER_SIDE_EMIT, vec![("packet", list(event))]),
        Request::Ids { .. } | Request::Rooms => return None,
    };
    if let Some(id) = &heard.id {
        data.push(("requestId", id.as_str().into()));
    }
    Some(message(&heard.from, namespace, kind, data))
}

/// An answer as Node reads it. None: this adapter has none such.
pub(super) fn answer(from: &str, namespace: &str, id: &str, answer: Answer) -> Option<Value> {
    let (kind, data) = match answer {
        Answer::Sockets(sockets) => (kind::FETCHED, ("sockets", Value::Array(sockets))),
        Answer::ServerSide(data) => (kind::SERVER_SIDE_ANSWER, ("packet", data)),
        Answer::Clients(count) => (kind::CLIENT_COUNT, ("clientCount", count.into())),
        Answer::Ack(packet) => (kind::ACK, ("packet", packet)),
        Answer::Ids(_) | Answer::Rooms(_) => return None,
    };
    let data = vec![("requestId", Value::from(id)), data];
    Some(message(from, namespace, kind, data))
}

fn message(from: &str, namespace: &str, kind: u64, data: Vec<(&str, Value)>) -> Value {
    let data = data.into_iter().map(|(key, value)| (key.into(), value));
    map([
        ("uid", from.into()),
        ("nsp", namespace.into()),
        ("type", kind.into()),
        ("data", Value::Map(data.collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Room, ports::Whom};

    #[test]
    fn what_nodes_sharded_adapter_writes_is_read() {
        let json = br#"{"type":3,"uid":"a1","nsp":"/","data":{"packet":{"type":2,"data":["hi",1]},
            "opts":{"rooms":["a"],"except":[],"flags":{"timeout":50}},"requestId":"9"}}"#;
        let Ok(Said::Request(heard)) = read(&value::read(json, 1_000).unwrap(), "/") else {
            panic!("it is a request");
        };
        assert_eq!(
            (heard.from.as_str(), heard.id.as_deref()),
            ("a1", Some("9"))
        );
        let Request::Ask { event, to, within } = heard.request else {
            panic!("{heard:?}");
        };
        assert_eq!((event.name.as_str(), within.as_millis()), ("hi", 50));
        assert_eq!(to, Whom::room(Room::named("a")));
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        for one in [
            Answer::Clients(2),
            Answer::Ack(1.into()),
            Answer::ServerSide(Value::Nil),
        ] {
            let written = answer("me", "/x", "7", one.clone()).unwrap();
            assert_eq!(read(&written, "/x"), Ok(Said::Answer("7".into(), one)));
        }
        let other = answer("me", "/x", "7", Answer::Clients(2)).unwrap();
        assert_eq!(read(&other, "/"), Err(Unfit::Namespace));
    }
}
