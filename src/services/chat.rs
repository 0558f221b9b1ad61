//! Chat rooms: who is in them and what is said.

mod changes;

use std::sync::Arc;

use serde::Serialize;

use super::{Access, KeyedLocks, MAX_ROOMS, PresenceService, Typing, joined::check_joined};
use crate::{
    domain::{
        Attachment, ClientId, Cursor, EntryId, FeedId, Message, MessagePage, NewEntry, Room,
        RoomId, SocketId, Timestamp, User, UserId, check_content,
    },
    error::{Error, Result},
    ports::{
        Appended, Class, Emit, Emitter, FeedStore, Joined, Left, MemberStore, Membership, Payload,
        Sockets, Unread,
    },
};

/// The most messages on one page.
pub const MAX_PAGE: usize = 100;

/// A signed-in user on one device.
#[derive(Clone, Copy)]
pub struct Speaker<'a> {
    /// The device.
    pub socket: &'a SocketId,
    /// The user.
    pub user: &'a User,
}

/// A message that is to be sent.
#[derive(Debug)]
pub struct Draft {
    /// The room.
    pub room_id: RoomId,
    /// The text.
    pub content: String,
    /// Makes sending idempotent.
    pub client_id: Option<ClientId>,
    /// Binary that goes with it.
    pub attachment: Option<Attachment>,
}

/// What a user finds on entering a room.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entered {
    /// The newest `seq`, 0 for an empty room.
    pub last_seq: u64,
    /// Messages of others after the user's read cursor.
    pub unread: u64,
    /// The ids of the users in the room, the one who entered among them.
    pub members: Vec<UserId>,
}

/// A room of a user's.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomOverview {
    /// The room.
    #[schema(value_type = String)]
    pub room_id: RoomId,
    /// The newest `seq`, 0 for an empty room.
    pub last_seq: u64,
    /// The user's read cursor, 0 for none.
    pub read_seq: u64,
    /// Messages of others after the cursor.
    pub unread: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserMoved<'a> {
    user_id: &'a UserId,
    username: &'a str,
    room_id: &'a RoomId,
}

/// The chat.
pub struct Chat {
    /// The messages.
    pub feeds: Arc<dyn FeedStore>,
    /// The way out.
    pub emitter: Arc<dyn Emitter>,
    /// Who is connected.
    pub sockets: Arc<dyn Sockets>,
    /// Who may enter.
    pub access: Access,
    /// Who belongs to a room, connected or not.
    pub members: Arc<dyn MemberStore>,
    /// Who types.
    pub typing: Arc<Typing>,
    /// Who is there.
    pub presence: Arc<PresenceService>,
    /// The most characters in a message.
    pub content_chars: usize,
    /// Edits and deletions in a room, and a user's read cursors, one at a time.
    pub changes: KeyedLocks,
}

impl Chat {
    /// Enters a room, and makes the user a member where the member list does not decide who may
    /// enter. The others hear `user:joined` when it is the user's first device there.
    pub async fn join(&self, speaker: Speaker<'_>, room_id: &RoomId) -> Result<Entered> {
        self.access.check(speaker.user, room_id).await?;
        let room = Room::chat(room_id);
        let joined = self.sockets.join(speaker.socket, &room)?;
        if joined == Joined::FirstDevice {
            self.tell_others(speaker.user, room_id, "user:joined");
        }
        let entered = self.welcome(speaker.user, room_id, &room, joined).await;
        if entered.is_err() && joined != Joined::Already {
            let left = self.sockets.leave(speaker.socket, &room);
            self.gone(speaker, room_id, left);
        }
        entered
    }

    /// What may fail once the socket is in the room.
    async fn welcome(
        &self,
        user: &User,
        room_id: &RoomId,
        room: &Room,
        joined: Joined,
    ) -> Result<Entered> {
        // A membership that ended while the socket joined had nobody to evict.
        self.access.check_again(user, room_id).await?;
        if joined == Joined::FirstDevice {
            self.presence.entered(&user.id, room).await?;
        }
        if self.access.joining_makes_members() && !self.members.contains(room_id, &user.id).await? {
            self.members.add(room_id, &user.id).await?;
        }
        let feed = FeedId::Room(room_id.clone());
        let read = self.feeds.unread(&user.id, vec![feed]).await?;
        let Some(&Unread {
            last_seq, count, ..
        }) = read.first()
        else {
            return Err(Error::internal());
        };
        Ok(Entered {
            last_seq,
            unread: count,
            members: self.sockets.users_in(room),
        })
    }

    /// Leaves a room. When it was the user's last device there, the others hear `user:left`, and
    /// the user is a member no longer, where the member list does not decide who may enter.
    pub async fn leave(&self, speaker: Speaker<'_>, room_id: &RoomId) -> Result<()> {
        let left = self.sockets.leave(speaker.socket, &Room::chat(room_id));
        self.gone(speaker, room_id, left);
        if self.access.joining_makes_members() && left != Left::AnotherDevice {
            self.members.leave(room_id, &speaker.user.id).await?;
        }
        Ok(())
    }

    /// The user's rooms, and how far the user has read each.
    pub async fn rooms_of(&self, user: &User) -> Result<Vec<RoomOverview>> {
        let mut rooms = Vec::new();
        for Membership { room, lost } in self.members.rooms_of(&user.id, MAX_ROOMS).await? {
            if lost.is_none() && self.access.check(user, &room).await.is_ok() {
                rooms.push(room);
            }
        }
        let feeds = rooms.iter().cloned().map(FeedId::Room).collect();
        let read = self.feeds.unread(&user.id, feeds).await?;
        let overview = |(room_id, read): (RoomId, Unread)| RoomOverview {
            room_id,
            last_seq: read.last_seq,
            read_seq: read.read_seq,
            unread: read.count,
        };
        Ok(rooms.into_iter().zip(read).map(overview).collect())
    }

    /// The user's socket has come back to a room that it was in. The others hear `user:joined`, as
    /// they heard of its leaving.
    pub async fn returned(&self, speaker: Speaker<'_>, room_id: &RoomId) -> Result<()> {
        self.tell_others(speaker.user, room_id, "user:joined");
        let room = Room::chat(room_id);
        self.presence.entered(&speaker.user.id, &room).await
    }

    /// The user's socket has gone, and with it from a room. The others hear `user:left` when it was
    /// the user's last device there.
    pub fn gone(&self, speaker: Speaker<'_>, room_id: &RoomId, left: Left) {
        self.typing.ended(speaker.socket, speaker.user, room_id);
        if left == Left::LastDevice {
            self.tell_others(speaker.user, room_id, "user:left");
        }
    }

    /// Stores a message and delivers it to the room under the event's name. The message takes its
    /// place in the room on the first poll, before anything is awaited.
    pub async fn post(
        &self,
        speaker: Speaker<'_>,
        draft: Draft,
        event: &'static str,
    ) -> Result<Message> {
        check_content(&draft.content, self.content_chars)?;
        check_joined(&*self.sockets, speaker.socket, &draft.room_id)?;
        self.typing
            .ended(speaker.socket, speaker.user, &draft.room_id);
        let Appended { entry, .. } = self
            .feeds
            .append(NewEntry {
                id: EntryId::generate(),
                feed: FeedId::Room(draft.room_id),
                event: event.into(),
                author: speaker.user.id.clone(),
                author_name: speaker.user.name.clone(),
                client_id: draft.client_id,
                content: draft.content,
                subject: None,
                attachment: draft.attachment,
                created_at: Timestamp::now(),
                origin: Some(speaker.socket.clone()),
            })
            .await?;
        Message::from_entry(entry).ok_or_else(Error::internal)
    }

    /// Reads a page of a room that the user may enter; `limit` is cut to [`MAX_PAGE`].
    pub async fn page(
        &self,
        user: &User,
        room_id: RoomId,
        from: Cursor,
        limit: usize,
    ) -> Result<MessagePage> {
        self.access.check(user, &room_id).await?;
        self.page_for_service(room_id, from, limit).await
    }

    /// Reads a page for a backend, which may read every room.
    pub async fn page_for_service(
        &self,
        room_id: RoomId,
        from: Cursor,
        limit: usize,
    ) -> Result<MessagePage> {
        let feed = FeedId::Room(room_id);
        let page = self
            .feeds
            .page(&feed, from, limit.clamp(1, MAX_PAGE))
            .await?;
        let messages = page.entries.into_iter().map(Arc::new);
        Ok(MessagePage {
            messages: messages.filter_map(Message::from_entry).collect(),
            has_more: page.has_more,
            verdict: page.verdict,
        })
    }

    /// Takes all devices of a user out of a room; the others hear `user:left`.
    pub fn evict(&self, user_id: &UserId, room_id: &RoomId) {
        let room = Room::chat(room_id);
        let name = self.sockets.name_of(user_id);
        if self.sockets.evict(user_id, &room) {
            let username = name.as_deref().unwrap_or(user_id.as_str());
            let moved = UserMoved {
                user_id,
                username,
                room_id,
            };
            self.emit_to_others(room_id, user_id, "user:left", &moved);
        }
    }

    fn tell_others(&self, user: &User, room_id: &RoomId, event: &str) {
        let moved = UserMoved {
            user_id: &user.id,
            username: &user.name,
            room_id,
        };
        self.emit_to_others(room_id, &user.id, event, &moved);
    }

    fn emit_to_others(&self, room: &RoomId, user: &UserId, event: &str, payload: Payload<'_>) {
        let (to, own) = ([Room::chat(room)], [Room::user(user)]);
        self.emitter
            .emit(Emit::new(Class::Passing, &to, event, payload).except(&own));
    }
}
