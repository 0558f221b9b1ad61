//! Sockets of this node as other servers see them: chosen by rooms, described, ended.

use std::{net::IpAddr, sync::Arc};

use sha2::{Digest, Sha256};

use super::handle::NamespaceHandle;
use crate::{
    domain::{Identity, Room, SocketId, Timestamp},
    ports::DisconnectReason,
    realtime::{Session, engine::Protocol},
};

/// How much of a digest is a client's name, in bytes.
const NAME_BYTES: usize = 6;

/// A socket as other servers may know it.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its id.
    pub id: SocketId,
    /// The rooms that it is in.
    pub rooms: Vec<Room>,
    /// Who is behind it.
    pub identity: Identity,
    /// When its connection began.
    pub since: Timestamp,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// Which Engine.IO it speaks.
    pub protocol: u8,
    /// By what packets reach it.
    pub transport: &'static str,
    /// What the client's sockets have in common, and nobody can connect with.
    pub client: String,
}

impl NamespaceHandle {
    /// The sockets in one of the rooms, or all where none is named, without those in the others.
    pub fn select(&self, to: &[Room], except: &[Room]) -> Vec<Arc<Session>> {
        self.rooms.select(to, except)
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.rooms.len() == 0
    }

    /// Whether somebody is in the room of this name.
    pub fn is_occupied(&self, room: &str) -> bool {
        self.rooms.is_occupied(room)
    }

    /// What other servers may know of a socket.
    pub fn describe(&self, session: &Session) -> Described {
        let (since, address) = session.client().origin();
        Described {
            id: session.id().clone(),
            rooms: self.rooms.rooms_of(session.id()),
            identity: session.identity(),
            since,
            address,
            transport: match session.connection().is_polling() {
                true => "polling",
                false => "websocket",
            },
            client: client_name(session),
            protocol: match session.connection().protocol() {
                Protocol::V3 => 3,
                Protocol::V4 => 4,
            },
        }
    }

    /// The rooms that somebody is in.
    pub fn all_rooms(&self) -> Vec<Room> {
        self.rooms.with_prefix("")
    }

    /// Ends a socket, since somebody asked for it; `close`: those of the same connection, too.
    pub fn expel(&self, session: &Session, close: bool) {
        let reason = DisconnectReason::Asked;
        if close {
            for context in session.client().contexts() {
                context.namespace().disconnect(&context.session, reason);
            }
        } else {
            self.disconnect(session, reason);
        }
    }
}

/// The connection's own id is a secret.
fn client_name(session: &Session) -> String {
    let id = session.connection().id();
    let digest = Sha256::digest(id.as_str());
    hex::encode(&digest[..NAME_BYTES])
}
