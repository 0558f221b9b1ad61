//! Doing what others want, for this node's own sockets.

use std::sync::Arc;

use metrics::counter;
use tokio::sync::mpsc;

use super::message::Event;
use crate::{
    domain::{Identity, Room},
    ports::{Class, Emit, Emitter, Joined, Left, SocketsMove, Whom},
    realtime::{
        Session,
        namespace::{Hub, NamespaceHandle, OwnSockets},
    },
    services::{Services, Speaker},
    telemetry::metric,
};

/// The most moves of which others are still to be told.
const MAX_MOVES: usize = 10_000;

/// This node's sockets.
#[derive(Clone)]
pub(super) struct Local {
    hub: Arc<Hub>,
    moves: mpsc::Sender<Move>,
}

/// A socket has come into a chat room, or gone from it.
pub(super) struct Move {
    session: Arc<Session>,
    room: Room,
    what: Moved,
}

enum Moved {
    Entered,
    Left(Left),
}

impl Local {
    /// And the moves, for [`tell_moves`].
    pub fn new(hub: Arc<Hub>) -> (Self, mpsc::Receiver<Move>) {
        let (moves, to_tell) = mpsc::channel(MAX_MOVES);
        (Self { hub, moves }, to_tell)
    }

    pub fn namespace(&self, path: &'static str) -> NamespaceHandle {
        self.hub.namespace(path)
    }

    pub fn emit(&self, path: &'static str, event: &Event, to: &Whom, volatile: bool) {
        let emit = Emit::new(Class::Passing, &to.rooms, &event.name, &event.args);
        let emit = emit.except(&to.except).in_namespace(path);
        let own = OwnSockets(self.hub.clone());
        own.emit(if volatile { emit.volatile() } else { emit });
    }

    /// Does with this node's sockets what is to be done with all.
    pub fn perform(&self, path: &'static str, whom: &Whom, what: &SocketsMove) {
        match what {
            SocketsMove::Join { rooms } => self.join(path, whom, rooms),
            SocketsMove::Leave { rooms } => self.leave(path, whom, rooms),
            SocketsMove::Disconnect { close } => self.disconnect(path, whom, *close),
        }
    }

    pub fn join(&self, path: &'static str, to: &Whom, rooms: &[Room]) {
        let namespace = self.namespace(path);
        let nobody = Room::nobody();
        for session in namespace.select(&to.rooms, &to.except) {
            for room in rooms.iter().filter(|room| **room != nobody) {
                match namespace.join(session.id(), room) {
                    Ok(Joined::FirstDevice) => {
                        self.moved(&namespace, &session, room, Moved::Entered);
                    }
                    Ok(_) => {}
                    // It has gone, or is in as many as it may.
                    Err(error) => {
                        tracing::debug!(%error, "a socket could not join");
                        break;
                    }
                }
            }
        }
    }

    pub fn leave(&self, path: &'static str, to: &Whom, rooms: &[Room]) {
        let namespace = self.namespace(path);
        for session in namespace.select(&to.rooms, &to.except) {
            for room in rooms {
                let left = namespace.leave(session.id(), room);
                if left != Left::NotThere {
                    self.moved(&namespace, &session, room, Moved::Left(left));
                }
            }
        }
    }

    pub fn disconnect(&self, path: &'static str, to: &Whom, close: bool) {
        let namespace = self.namespace(path);
        for session in namespace.select(&to.rooms, &to.except) {
            namespace.expel(&session, close);
        }
    }

    /// Notes a move in a chat room of which its members are to hear.
    fn moved(&self, namespace: &NamespaceHandle, session: &Arc<Session>, room: &Room, what: Moved) {
        if !namespace.is_root() || room.chat_id().is_none() {
            return;
        }
        let (session, room) = (session.clone(), room.clone());
        let moved = Move {
            session,
            room,
            what,
        };
        if self.moves.try_send(moved).is_err() {
            counter!(metric::CLUSTER_LOST, "reason" => "moves").increment(1);
        }
    }
}

/// Tells the members of chat rooms who has come and gone, for ever.
pub(super) async fn tell_moves(services: &Services, mut moves: mpsc::Receiver<Move>) {
    while let Some(moved) = moves.recv().await {
        tell_move(services, moved).await;
    }
}

/// Tells the members of a chat room who has come or gone.
pub(super) async fn tell_move(services: &Services, moved: Move) {
    let Move {
        session,
        room,
        what,
    } = moved;
    let (Identity::User(user), Some(room)) = (session.identity(), room.chat_id()) else {
        return;
    };
    let speaker = Speaker {
        socket: session.id(),
        user: &user,
    };
    match what {
        Moved::Entered => {
            if let Err(error) = services.chat.returned(speaker, &room).await {
                tracing::warn!(%error, "that a user has come into a room could not be told");
            }
        }
        Moved::Left(left) => services.chat.gone(speaker, &room, left).await,
    }
}
