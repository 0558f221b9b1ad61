//! Engine.IO packets from the client.

use std::sync::Arc;

use super::{CloseReason, Connection};
use crate::realtime::{
    engine::{Message, Protocol},
    outbox::Treatment,
    queue::Runner,
    wire::Packet,
};

impl Connection {
    /// Takes a packet of text: its type and data. What is returned handles it.
    pub(in crate::realtime) fn packet(
        self: &Arc<Self>,
        mut text: String,
    ) -> Result<Option<Runner>, CloseReason> {
        match (text.as_bytes().first(), self.protocol) {
            (Some(b'4'), _) => {
                text.remove(0);
                self.receive(Message::Text(text))
            }
            (Some(b'3'), Protocol::V4) => {
                self.beat();
                Ok(None)
            }
            (Some(b'2'), Protocol::V3) => {
                self.beat();
                self.answer(&Packet::control('3', &text[1..]));
                Ok(None)
            }
            (Some(b'1'), _) => Err(CloseReason::TransportClose),
            (Some(b'6'), _) => Ok(None),
            _ => Err(CloseReason::ParseError),
        }
    }

    /// Takes a WebSocket's binary message.
    pub(in crate::realtime) fn binary(
        self: &Arc<Self>,
        mut bytes: Vec<u8>,
    ) -> Result<Option<Runner>, CloseReason> {
        if self.protocol == Protocol::V3 {
            if bytes.first() != Some(&4) {
                return Err(CloseReason::ParseError);
            }
            bytes.remove(0);
        }
        self.receive(Message::Binary(bytes))
    }

    /// Hands a message on. An error must end the connection.
    pub(in crate::realtime) fn receive(
        &self,
        message: Message,
    ) -> Result<Option<Runner>, CloseReason> {
        match &mut *self.incoming.lock() {
            Some(incoming) => incoming.message(message),
            None => Ok(None),
        }
    }

    /// Answers a ping.
    pub(in crate::realtime) fn answer(self: &Arc<Self>, packet: &Packet) {
        self.push(packet, Treatment::Must);
    }
}
