//! One namespace: the way out to its sockets, their rooms, and their end.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use metrics::counter;

use super::{
    asks::Asks,
    codec::{Draft, Encoded, Encoder},
    hub::{ROOT, Root},
    observe::{Observed, Sight},
};
use crate::{
    domain::{Room, SocketId},
    error::Result,
    ports::{DisconnectReason, Emit, Joined, Left, ValueOf},
    realtime::{
        Context, Session,
        expiry::Expiry,
        outbox::Treatment,
        rooms::{Rooms, Tally},
        wire::Packet,
    },
    telemetry::{metric, series},
};

/// One namespace's sockets. Clones share it.
#[derive(Clone)]
pub struct NamespaceHandle(pub(super) Arc<Parts>);

/// What a namespace is made of.
pub struct Parts {
    pub(super) path: &'static str,
    pub(super) encoder: Encoder,
    pub(super) rooms: Rooms,
    pub(super) max_rooms: usize,
    pub(super) expiry: Arc<Expiry>,
    pub(super) recovers: bool,
    pub(super) root: Root,
    pub(super) relay: Arc<OnceLock<Arc<dyn Relay>>>,
    pub(super) servers: Arc<OnceLock<Arc<dyn Relay>>>,
    pub(super) asks: Arc<Asks>,
    pub(super) observed: Arc<Observed>,
}

impl Deref for NamespaceHandle {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The way to the sockets of other nodes, or of other servers.
pub trait Relay: Send + Sync + 'static {
    /// Tells other nodes an event, once. Never blocks.
    fn relay(&self, emit: &Emit<'_>, encoded: Encoded);
}

impl NamespaceHandle {
    /// Its path.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Whether its sockets can be recovered.
    pub(super) fn recovers(&self) -> bool {
        self.recovers
    }

    /// Watches the end of a socket's token.
    pub(super) fn watch_token(&self, session: &Session) {
        let identity = session.identity();
        let end = identity.user().ok().and_then(|user| user.token.expires_at);
        self.expiry.watch(self.path, session.id(), end);
    }

    /// Forgets the token of a socket that has gone.
    pub(super) fn forget_token(&self, socket: &SocketId) {
        self.expiry.forget(self.path, socket);
    }

    /// Ends a connection.
    pub fn end(&self, socket: &SocketId, reason: DisconnectReason) {
        if let Some(session) = self.rooms.get(socket) {
            self.disconnect(&session, reason);
        }
    }

    /// Whether this is `/`, where users chat.
    pub fn is_root(&self) -> bool {
        self.path == ROOT && self.root == Root::Roomcast
    }

    /// Whether there may be other nodes.
    pub(super) fn has_peers(&self) -> bool {
        self.relay.get().is_some()
    }

    /// The index of its sockets.
    pub(super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Puts a socket into a room. Fails with `too_many_rooms` or `not_found`.
    pub fn join(&self, socket: &SocketId, room: &Room) -> Result<Joined> {
        let joined = self.rooms.join(socket, room, self.max_rooms)?;
        self.show_joined(socket, room, joined);
        Ok(joined)
    }

    /// The same for a socket that will be sent the latest of these values by itself.
    pub fn watch(&self, socket: &SocketId, room: &Room, of: ValueOf<'_>) -> Result<Joined> {
        let joined = self.rooms.watch(socket, room, self.max_rooms, of)?;
        self.show_joined(socket, room, joined);
        Ok(joined)
    }

    fn show_joined(&self, socket: &SocketId, room: &Room, joined: Joined) {
        if joined != Joined::Already {
            self.show(|| Sight::Joined(socket.clone(), room.clone()));
        }
    }

    /// Takes a socket out of a room.
    pub fn leave(&self, socket: &SocketId, room: &Room) -> Left {
        let left = self.rooms.leave(socket, room);
        if left != Left::NotThere {
            self.show(|| Sight::Left(socket.clone(), room.clone()));
        }
        left
    }

    /// The rooms that a socket is in.
    pub fn rooms_of(&self, socket: &SocketId) -> Vec<Room> {
        self.rooms.rooms_of(socket)
    }

    /// Encodes an event once, for whomever it is. What cannot be encoded is counted.
    pub(super) fn draft(&self, emit: &Emit<'_>) -> Option<Draft<'_>> {
        let draft = self.encoder.event(self.path, emit.event, emit.payload);
        let draft = draft.inspect_err(|error| {
            tracing::error!(%error, event = emit.event, "an event could not be encoded");
            let class = emit.class.as_str();
            counter!(metric::DROPS, "class" => class, "reason" => "encoding").increment(1);
        });
        draft.ok()
    }

    /// Sends an event to sockets of this namespace, whatever namespace the emit names, on all nodes.
    pub fn emit(&self, emit: Emit<'_>) {
        let emit = emit.in_namespace(self.path);
        let Some(draft) = self.draft(&emit) else {
            return;
        };
        // What is for a socket of this node alone is nobody else's.
        let is_ours = matches!(emit.to, [room] if self.rooms.has(room.as_str()));
        let told = |relay: &OnceLock<Arc<dyn Relay>>| relay.get().filter(|_| !is_ours).cloned();
        if let Some(relay) = told(&self.relay) {
            relay.relay(&emit, draft.encoded());
        }
        let to_servers = told(&self.servers).map(|servers| (servers, draft.encoded()));
        let is_news = self.send(&emit, draft);
        if let Some((servers, encoded)) = to_servers.filter(|_| is_news) {
            servers.relay(&emit, encoded);
        }
    }

    /// Sends this node's sockets an event that is encoded already; whether it was news.
    pub(super) fn send(&self, emit: &Emit<'_>, draft: Draft<'_>) -> bool {
        let shown = self.shows_events().then(|| draft.encoded());
        let mut sent_to = shown.is_some().then(Vec::new);
        let seal = |offset: Option<&str>| draft.seal(offset);
        let Some(tally) = self.rooms.emit(emit, seal, sent_to.as_mut()) else {
            return false;
        };
        if let (Some(shown), Some(sockets)) = (shown, sent_to) {
            self.show_event(|| Sight::Sent(sockets, shown));
        }
        let Tally { delivered, dropped } = tally;
        series::delivered(emit.class, delivered);
        if dropped > 0 {
            let class = emit.class.as_str();
            counter!(metric::DROPS, "class" => class, "reason" => "slow_reader").increment(dropped);
        }
        true
    }

    /// An event's packet, for one socket alone.
    pub(super) fn encode(&self, emit: &Emit<'_>, offset: Option<&str>) -> Option<Packet> {
        Some(self.draft(emit)?.seal(offset))
    }

    /// Sends a socket that reads again what was kept back.
    pub(super) fn relieve(&self, context: &Context) {
        if self.recovers {
            self.rooms.relieve(&context.session);
        } else if self.is_root() {
            super::catch_up::begin(context);
        }
    }

    /// Ends a socket: it is told, and with a client's last one the connection ends.
    pub(super) fn disconnect(&self, session: &Session, reason: DisconnectReason) {
        session.expel();
        let packet = self.encoder.disconnect(self.path);
        session.connection().push(&packet, Treatment::Must);
        session.client().expel(self.path, reason);
    }
}
