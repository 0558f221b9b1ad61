//! What is noted of sockets, rooms and users.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Live, Webhooks, kind};
use crate::{
    domain::{Identity, Room, RoomId, SocketId, Status, Timestamp, UserId},
    ports::{HookNote, HookSubject, StoreResult},
    sparse::{self, is_sparse},
};

/// How the names of subjects begin.
pub(super) const ROOM: &str = "room:";
pub(super) const USER: &str = "user:";
const SOCKET: &str = "socket:";

/// How a subject is that has gone.
const GONE: &str = "";

/// The reason of sockets that went with their node.
const NODE_LOST: &str = "node_lost";

/// A socket of this node.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SocketNote {
    socket_id: SocketId,
    namespace: &'static str,
    user_id: Option<UserId>,
    username: Option<String>,
}

impl Webhooks {
    /// A socket has connected.
    pub fn connected(&self, socket: &SocketId, namespace: &'static str, who: &Identity) {
        let Some(live) = self.0.as_ref().filter(|live| live.tells_sockets()) else {
            return;
        };
        let user = who.user().ok();
        let note = SocketNote {
            socket_id: socket.clone(),
            namespace,
            user_id: user.map(|user| user.id.clone()),
            username: user.map(|user| user.name.to_string()),
        };
        let mut mine = live.mine.lock();
        live.add(live.connected(&note));
        mine.insert(socket.clone(), note);
    }

    /// A socket has gone.
    pub fn disconnected(&self, socket: &SocketId, reason: &'static str) {
        let Some(live) = self.0.as_ref().filter(|live| live.tells_sockets()) else {
            return;
        };
        let mut mine = live.mine.lock();
        let Some(note) = mine.remove(socket) else {
            return;
        };
        sparse::shrink(&mut mine);
        let data = serde_json::to_value(&note).unwrap_or_default();
        let subject = subject(socket);
        let run = live.parts.run.to_string();
        live.add(live.gone(subject, run, data, reason));
    }

    /// How a user is by now, and since which change.
    pub fn presence(
        &self,
        user: &UserId,
        status: Status,
        last_seen: Option<Timestamp>,
        version: u64,
    ) {
        if let Some(live) = self
            .0
            .as_ref()
            .filter(|live| live.parts.rules.told.presence)
        {
            live.add(user_note(user, status, last_seen, version));
        }
    }

    /// A user has come into a room by this node, or gone from it.
    pub async fn room(&self, room: &RoomId) {
        let Some(live) = self.0.as_ref().filter(|live| live.tells_rooms()) else {
            return;
        };
        let is_edge = {
            let mut occupied = live.occupied.lock();
            // Within the lock: what changes meanwhile looks after us.
            match live.parts.sockets.is_anyone_in(&Room::chat(room)) {
                true => occupied.insert(room.clone()),
                false => {
                    let was_occupied = occupied.remove(room);
                    if is_sparse(occupied.len(), occupied.capacity()) {
                        occupied.shrink_to_fit();
                    }
                    was_occupied
                }
            }
        };
        if is_edge {
            live.look_into(room).await;
        }
    }

    /// It was found how a room is, by what came of a node.
    pub async fn room_of_another(&self, room: &RoomId) {
        if let Some(live) = self.0.as_ref().filter(|live| live.tells_rooms()) {
            live.look_into(room).await;
        }
    }
}

impl Live {
    pub(super) fn tells_sockets(&self) -> bool {
        let told = &self.parts.rules.told;
        told.connected || told.disconnected
    }

    /// Whether anything is told, not only asked.
    pub(super) fn tells(&self) -> bool {
        self.tells_sockets() || self.tells_rooms() || self.parts.rules.told.presence
    }

    pub(super) fn tells_rooms(&self) -> bool {
        let told = &self.parts.rules.told;
        told.occupied || told.vacated
    }

    /// Notes how a room is now, in the whole cluster.
    pub(super) async fn look_into(&self, room: &RoomId) {
        match self.room_note(room).await {
            Ok(note) => self.add(note),
            Err(error) => {
                tracing::debug!(%error, "it could not be asked who is in a room");
                self.unread.lock().insert(room.clone());
            }
        }
    }

    pub(super) async fn room_note(&self, room: &RoomId) -> StoreResult<HookNote> {
        let state = self.parts.occupancy.state_of(&Room::chat(room)).await?;
        let told = &self.parts.rules.told;
        let (state_name, kind, is_told) = match state.is_occupied {
            true => ("occupied", kind::OCCUPIED, told.occupied),
            false => (GONE, kind::VACATED, told.vacated),
        };
        Ok(HookNote {
            subject: format!("{ROOM}{room}"),
            state: state_name.to_owned(),
            version: Some(state.version),
            node: None,
            kind: is_told.then_some(kind),
            data: json!({ "roomId": room }).to_string(),
        })
    }

    pub(super) fn connected(&self, note: &SocketNote) -> HookNote {
        HookNote {
            subject: subject(&note.socket_id),
            state: "connected".to_owned(),
            version: None,
            node: Some(self.parts.run.to_string()),
            kind: self.parts.rules.told.connected.then_some(kind::CONNECTED),
            data: serde_json::to_string(note).unwrap_or_default(),
        }
    }

    /// The end of a socket whose node is no more.
    pub(super) fn lost(&self, node: &str, socket: HookSubject) -> HookNote {
        let data = serde_json::from_str(&socket.data).unwrap_or_default();
        self.gone(socket.subject, node.to_owned(), data, NODE_LOST)
    }

    fn gone(&self, subject: String, node: String, mut data: Value, reason: &str) -> HookNote {
        data["reason"] = reason.into();
        HookNote {
            subject,
            state: GONE.to_owned(),
            version: None,
            node: Some(node),
            kind: (self.parts.rules.told.disconnected).then_some(kind::DISCONNECTED),
            data: data.to_string(),
        }
    }
}

/// The name of a socket's subject.
pub(super) fn subject(socket: &SocketId) -> String {
    format!("{SOCKET}{socket}")
}

/// The note about a user.
pub(super) fn user_note(
    user: &UserId,
    status: Status,
    last_seen: Option<Timestamp>,
    version: u64,
) -> HookNote {
    let mut data = json!({ "userId": user, "status": status });
    if let Some(last_seen) = last_seen {
        data["lastSeen"] = json!(last_seen);
    }
    HookNote {
        subject: format!("{USER}{user}"),
        state: match status {
            Status::Offline => GONE.to_owned(),
            status => status.as_str().to_owned(),
        },
        version: Some(version),
        node: None,
        kind: Some(kind::PRESENCE),
        data: data.to_string(),
    }
}
