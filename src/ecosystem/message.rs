//! What servers of Socket.IO tell and ask each other, whatever bytes they write it in.

use std::time::Duration;

use rmpv::Value;

use super::value::{self, Unfit};
use crate::{
    domain::{Args, Room, check_event_name},
    ports::Whom,
};

/// Whom a packet's options name.
pub(super) fn read_whom(opts: &Value) -> Result<Whom, Unfit> {
    Ok(Whom {
        rooms: value::few_rooms(opts, "rooms")?,
        except: value::few_rooms(opts, "except")?,
    })
}

/// An event and its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub name: String,
    pub args: Args,
}

/// A packet is an event, binary or not.
const EVENT: u64 = 2;
const BINARY_EVENT: u64 = 5;

impl Event {
    /// The event of a list that begins with its name, as clients may be sent it.
    pub fn from_list(list: &Value) -> Result<Self, Unfit> {
        let event = Self::of_servers(list)?;
        check_event_name(&event.name).map_err(|_| Unfit::Event)?;
        Ok(event)
    }

    /// The same for servers, who may call it as they like.
    pub fn of_servers(list: &Value) -> Result<Self, Unfit> {
        let list = list.as_array().ok_or(Unfit::Malformed)?;
        let (name, args) = list.split_first().ok_or(Unfit::Malformed)?;
        let name = match name {
            Value::String(name) => name.as_str().ok_or(Unfit::Malformed)?.to_owned(),
            Value::Integer(number) => number.to_string(),
            _ => return Err(Unfit::Malformed),
        };
        let args: Result<_, _> = args.iter().cloned().map(value::plain).collect();
        Ok(Self {
            name,
            args: Args(args?),
        })
    }

    /// The event of a packet of this namespace.
    pub fn from_packet(packet: &Value, namespace: &str) -> Result<Self, Unfit> {
        let of = match value::get(packet, "nsp") {
            None => "/",
            Some(of) => of.as_str().ok_or(Unfit::Malformed)?,
        };
        if of != namespace {
            return Err(Unfit::Namespace);
        }
        Self::from_packet_in(packet)
    }

    /// The event of a packet whose namespace is known.
    pub fn from_packet_in(packet: &Value) -> Result<Self, Unfit> {
        match value::number(packet, "type") {
            Some(EVENT | BINARY_EVENT) => {}
            Some(_) => return Err(Unfit::Unknown),
            None => return Err(Unfit::Malformed),
        }
        Self::from_list(value::get(packet, "data").ok_or(Unfit::Malformed)?)
    }
}

/// What a server wants the others to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    /// Send an event.
    Emit {
        event: Event,
        to: Whom,
        /// Only to those who are there.
        volatile: bool,
    },
    /// Send an event and tell what each client answers within that time.
    Ask {
        event: Event,
        to: Whom,
        within: Duration,
    },
    /// Let sockets join rooms.
    Join { to: Whom, rooms: Vec<Room> },
    /// Let sockets leave rooms.
    Leave { to: Whom, rooms: Vec<Room> },
    /// End sockets, or their connections.
    Disconnect { to: Whom, close: bool },
    /// Describe sockets.
    Fetch { to: Whom },
    /// Name the sockets in rooms.
    Ids { to: Whom },
    /// Name all rooms.
    Rooms,
    /// An event for the servers themselves.
    ServerSide { event: Event },
}

/// A request, and who wants it answered by which name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard {
    /// Who asks; empty where that is not said.
    pub from: String,
    /// Where the answer is expected, the name by which it is known.
    pub id: Option<String>,
    pub request: Request,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Sockets, as they are described.
    Sockets(Vec<Value>),
    /// Ids of sockets.
    Ids(Vec<String>),
    /// Names of rooms.
    Rooms(Vec<String>),
    /// What a handler gave back.
    ServerSide(Value),
    /// How many clients were asked.
    Clients(u64),
    /// What a client answered.
    Ack(Value),
}
