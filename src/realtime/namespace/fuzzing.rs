//! What fuzzers feed with Socket.IO packets.

use super::{
    arguments,
    codec::{Decoder, Inward, Kind},
};
use crate::{
    config::Parser,
    domain::RoomId,
    realtime::{Arguments, engine::Message},
};

/// The most binaries of a packet.
const MAX_BINARIES: usize = 3;

/// Reads what comes from one client, by both parsers, and the arguments of its events.
pub fn read_packets(messages: impl Iterator<Item = Message> + Clone, max_bytes: usize) {
    for parser in [Parser::Json, Parser::Msgpack] {
        let mut decoder = Decoder::new(parser, MAX_BINARIES, max_bytes);
        for message in messages.clone() {
            let Ok(read) = decoder.read(message) else {
                break;
            };
            if let Some(Inward {
                kind: Kind::Event { value, .. },
                ..
            }) = read
            {
                // Whether it fits does not matter here.
                let _ = arguments::read::<Vec<rmpv::Value>>(Arguments::All, &value);
                let _ = arguments::read::<RoomId>(Arguments::First, &value);
            }
        }
    }
}
