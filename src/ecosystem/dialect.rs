//! The two adapters of Node, and what each writes where.

use super::{
    channels::Channels,
    message::{Answer, Heard},
    pubsub, sharded, value,
};
use crate::ports::{Emit, Keep, Whom};

/// One of Node's Redis adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// On pub/sub.
    PubSub,
    /// On sharded pub/sub.
    Sharded,
}

/// The type of a packet that is an event.
const EVENT: u8 = 2;

/// The type of a message of the sharded adapter that is one.
const BROADCAST: u8 = 3;

impl Dialect {
    /// An event for clients, and its channel. `list`: its name and arguments as MessagePack.
    pub(super) fn broadcast(
        self,
        channels: &Channels,
        uid: &str,
        list: &[u8],
        emit: &Emit<'_>,
    ) -> (String, Vec<u8>) {
        let opts = value::write(&options(emit));
        let mut out = Vec::with_capacity(list.len() + opts.len() + 128);
        // A Vec takes whatever is written to it.
        let _ = match self {
            Self::PubSub => pub_sub(&mut out, channels.path, uid, (list, &opts)),
            Self::Sharded => sharded(&mut out, channels.path, uid, (list, &opts)),
        };
        let channel = match self {
            Self::PubSub => channels.of_rooms(emit.to.iter().map(|room| room.as_str())),
            Self::Sharded => channels.broadcast.clone(),
        };
        (channel, out)
    }

    /// A request, and its channel; none where this adapter has no such request.
    pub(super) fn request(self, channels: &Channels, heard: &Heard) -> Option<(String, Vec<u8>)> {
        let (channel, value) = match self {
            Self::PubSub => (&channels.request, pubsub::request(heard, channels.path)),
            Self::Sharded => (&channels.broadcast, sharded::request(heard, channels.path)?),
        };
        Some((channel.clone(), value::write(&value)))
    }

    /// An answer to this server, and its channel; none where this adapter has no such answer.
    pub(super) fn answer(
        self,
        channels: &Channels,
        uid: &str,
        (to, id): (&str, &str),
        answer: Answer,
    ) -> Option<(String, Vec<u8>)> {
        let (channel, value) = match self {
            Self::PubSub => (channels.response.clone(), pubsub::answer(id, answer)),
            Self::Sharded => {
                let channel = format!("{}{to}#", channels.broadcast);
                (channel, sharded::answer(uid, channels.path, id, answer)?)
            }
        };
        Some((channel, value::write(&value)))
    }

    /// The channel by which other servers are counted.
    pub(super) fn counted(self, channels: &Channels) -> &str {
        match self {
            Self::PubSub => &channels.request,
            Self::Sharded => &channels.broadcast,
        }
    }
}

fn options(emit: &Emit<'_>) -> rmpv::Value {
    let mut except = emit.except.to_vec();
    except.extend(emit.origin.map(crate::domain::Room::socket));
    let rooms = emit.to.to_vec();
    let mut opts = pubsub::opts(&Whom { rooms, except }, None);
    if emit.keep == Keep::Volatile
        && let rmpv::Value::Map(entries) = &mut opts
        && let Some((_, flags)) = entries
            .iter_mut()
            .find(|(key, _)| key.as_str() == Some("flags"))
    {
        *flags = value::map([("volatile", true.into())]);
    }
    opts
}

type Written = Result<(), rmp::encode::ValueWriteError>;

/// `[uid, packet, opts]`.
fn pub_sub(out: &mut Vec<u8>, path: &str, uid: &str, (list, opts): (&[u8], &[u8])) -> Written {
    rmp::encode::write_array_len(out, 3)?;
    rmp::encode::write_str(out, uid)?;
    packet(out, path, list)?;
    out.extend_from_slice(opts);
    Ok(())
}

/// `{uid, nsp, type, data: {opts, packet}}`.
fn sharded(out: &mut Vec<u8>, path: &str, uid: &str, (list, opts): (&[u8], &[u8])) -> Written {
    rmp::encode::write_map_len(out, 4)?;
    for (key, text) in [("uid", uid), ("nsp", path)] {
        rmp::encode::write_str(out, key)?;
        rmp::encode::write_str(out, text)?;
    }
    rmp::encode::write_str(out, "type")?;
    rmp::encode::write_uint8(out, BROADCAST)?;
    rmp::encode::write_str(out, "data")?;
    rmp::encode::write_map_len(out, 2)?;
    rmp::encode::write_str(out, "opts")?;
    out.extend_from_slice(opts);
    rmp::encode::write_str(out, "packet")?;
    packet(out, path, list)
}

fn packet(out: &mut Vec<u8>, path: &str, list: &[u8]) -> Written {
    rmp::encode::write_map_len(out, 3)?;
    rmp::encode::write_str(out, "type")?;
    rmp::encode::write_uint8(out, EVENT)?;
    rmp::encode::write_str(out, "data")?;
    out.extend_from_slice(list);
    rmp::encode::write_str(out, "nsp")?;
    rmp::encode::write_str(out, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Room, SocketId},
        ecosystem::message::Request,
        ports::Class,
    };

    #[test]
    fn an_event_is_read_as_it_was_written_by_both() {
        let channels = Channels::new("k", "/", "me");
        let list = value::write(&rmpv::Value::Array(vec!["hi".into(), 7.into()]));
        let (rooms, origin) = ([Room::named("a")], SocketId::new("s").unwrap());
        let emit = Emit::new(Class::Passing, &rooms, "hi", &()).volatile();
        let emit = emit.from_socket(Some(&origin));
        for dialect in [Dialect::PubSub, Dialect::Sharded] {
            let (channel, bytes) = dialect.broadcast(&channels, "me", &list, &emit);
            let read = value::read(&bytes, 1_000).unwrap();
            let heard = match dialect {
                Dialect::PubSub => {
                    assert_eq!(channel, "k#/#a#");
                    pubsub::read_broadcast(&read, "/").unwrap()
                }
                Dialect::Sharded => match sharded::read(&read, "/").unwrap() {
                    sharded::Said::Request(heard) => heard,
                    other => panic!("{other:?}"),
                },
            };
            assert_eq!(heard.from, "me");
            let Request::Emit {
                event,
                to,
                volatile,
            } = heard.request
            else {
                panic!("it is an event");
            };
            assert_eq!((event.name.as_str(), event.args.0), ("hi", vec![7.into()]));
            assert_eq!(to.except, [Room::named("s")]);
            assert!(volatile);
        }
    }
}
