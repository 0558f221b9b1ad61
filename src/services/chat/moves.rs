//! Who comes into a room and goes, and who hears of it: once for a user, however many devices and
//! nodes there are.

use futures::{StreamExt, stream};
use serde::Serialize;
use tokio::sync::mpsc;

use super::Chat;
use crate::{
    domain::{Room, RoomId, User, UserId},
    ports::{Class, Emit, PresenceNews, StoreResult},
};

/// How many pieces of news are told at a time.
const AT_ONCE: usize = 32;

const JOINED: &str = "user:joined";
const LEFT: &str = "user:left";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserMoved<'a> {
    user_id: &'a UserId,
    username: &'a str,
    room_id: &'a RoomId,
}

impl Chat {
    /// Tells what a store finds out about users, until the store has gone.
    pub async fn tell_news(&self, mut news: mpsc::UnboundedReceiver<PresenceNews>) {
        let news = stream::poll_fn(|cx| news.poll_recv(cx));
        news.for_each_concurrent(AT_ONCE, |one| self.hear(one))
            .await;
    }

    async fn hear(&self, news: PresenceNews) {
        match news {
            PresenceNews::CameOnline(user) => self.presence.is_there_after_all(&user, false).await,
            PresenceNews::Changed(user) => self.presence.is_there_after_all(&user, true).await,
            PresenceNews::WentOffline {
                user,
                last_seen,
                rooms,
            } => self.presence.has_gone(&user, last_seen, &rooms).await,
            PresenceNews::EnteredRoom { room, user, name } => {
                self.moved(&user, &name, &room, true).await;
            }
            PresenceNews::LeftRoom { room, user, name } => {
                self.moved(&user, &name, &room, false).await;
            }
        }
    }

    /// Takes all devices that a user has on this node out of a room; the others hear `user:left`
    /// when there are none on other nodes.
    pub async fn evict(&self, user: &UserId, room_id: &RoomId) {
        let name = self.sockets.name_of(user);
        if self.sockets.evict(user, &Room::chat(room_id)) {
            let name = name.as_deref().unwrap_or(user.as_str());
            self.left(user, name, room_id).await;
        }
    }

    /// The first of the user's devices on this node has entered a room. What is noted and told is
    /// how it is by now: what changes meanwhile waits for its turn.
    pub(super) async fn entered(&self, user: &User, room_id: &RoomId) {
        let room = Room::chat(room_id);
        let _order = self.moves.lock(&user.id).await;
        if !self.sockets.is_user_in(&user.id, &room) {
            return;
        }
        let entered = self.occupancy.entered(&room, &user.id, &user.name).await;
        if is_news(entered) {
            self.tell_moved(&user.id, &user.name, room_id, JOINED);
        }
        self.webhooks.room(room_id).await;
    }

    /// The last of the user's devices on this node has left a room.
    pub(super) async fn left(&self, user: &UserId, name: &str, room_id: &RoomId) {
        let room = Room::chat(room_id);
        let _order = self.moves.lock(user).await;
        if self.sockets.is_user_in(user, &room) {
            return;
        }
        if is_news(self.occupancy.left(&room, user).await) {
            self.tell_moved(user, name, room_id, LEFT);
        }
        self.webhooks.room(room_id).await;
    }

    /// A user was found in a room, or gone from it, by what came of a node.
    async fn moved(&self, user: &UserId, name: &str, room: &Room, is_in: bool) {
        let Some(room_id) = room.chat_id() else {
            return;
        };
        let _order = self.moves.lock(user).await;
        // They may be back, or gone, by now.
        let users = self.occupancy.rooms_of(user).await;
        if users.is_ok_and(|rooms| rooms.contains(room) == is_in) {
            let event = if is_in { JOINED } else { LEFT };
            self.tell_moved(user, name, &room_id, event);
        }
        self.webhooks.room_of_another(&room_id).await;
    }

    fn tell_moved(&self, user_id: &UserId, username: &str, room_id: &RoomId, event: &str) {
        let moved = UserMoved {
            user_id,
            username,
            room_id,
        };
        let (to, own) = ([Room::chat(room_id)], [Room::user(user_id)]);
        self.emitter
            .emit(Emit::new(Class::Passing, &to, event, &moved).except(&own));
    }
}

/// Where the other nodes cannot be asked, what happened on this one is told.
fn is_news(moved: StoreResult<bool>) -> bool {
    moved.unwrap_or_else(|error| {
        tracing::warn!(%error, "who is in a room could not be noted");
        true
    })
}
