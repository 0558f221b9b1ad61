//! Chat rooms: who is in them and what is said.

mod changes;
mod membership;
mod moves;

pub use membership::RoomOverview;

use std::sync::Arc;

use serde::Serialize;

use super::{Access, KeyedLocks, PresenceService, Typing, Webhooks, joined::check_joined};
use crate::{
    domain::{
        Attachment, ClientId, Cursor, EntryId, FeedId, Message, MessagePage, NewEntry, Room,
        RoomId, SocketId, Timestamp, User, UserId, check_content,
    },
    error::{Error, Result},
    ports::{Appended, Emitter, FeedStore, Joined, Left, MemberStore, Occupancy, Sockets, Unread},
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

/// The chat.
pub struct Chat {
    /// The messages.
    pub feeds: Arc<dyn FeedStore>,
    /// The way out.
    pub emitter: Arc<dyn Emitter>,
    /// Who is connected.
    pub sockets: Arc<dyn Sockets>,
    /// Who is in which room, by any node's sockets.
    pub occupancy: Arc<dyn Occupancy>,
    /// A user's comings and goings, one at a time.
    pub moves: KeyedLocks,
    /// Who may enter.
    pub access: Access,
    /// Who belongs to a room, connected or not.
    pub members: Arc<dyn MemberStore>,
    /// Who types.
    pub typing: Arc<Typing>,
    /// Who is there.
    pub presence: Arc<PresenceService>,
    /// The backend that is told, if one is.
    pub webhooks: Arc<Webhooks>,
    /// The most characters in a message.
    pub content_chars: usize,
    /// Edits and deletions in a room, and a user's read cursors, one at a time.
    pub changes: KeyedLocks,
}

impl Chat {
    /// Enters a room, and makes the user a member where the member list does not decide who may
    /// enter. The others hear `user:joined` when it is the user's first device there. The users in
    /// the room are listed only where somebody asks for them (`list`): there may be many.
    pub async fn join(
        &self,
        speaker: Speaker<'_>,
        room_id: &RoomId,
        list: bool,
    ) -> Result<Entered> {
        self.access.check(speaker.user, room_id).await?;
        let room = Room::chat(room_id);
        let joined = self.sockets.join(speaker.socket, &room)?;
        if joined == Joined::FirstDevice {
            self.entered(speaker.user, room_id).await;
        }
        let welcome = (speaker.user, room_id, &room, joined);
        let entered = self.welcome(welcome, list).await;
        if entered.is_err() && joined != Joined::Already {
            let left = self.sockets.leave(speaker.socket, &room);
            self.gone(speaker, room_id, left).await;
        }
        entered
    }

    /// What may fail once the socket is in the room.
    async fn welcome(
        &self,
        (user, room_id, room, joined): (&User, &RoomId, &Room, Joined),
        list: bool,
    ) -> Result<Entered> {
        // A membership that ended while the socket joined had nobody to evict.
        self.access.check_again(user, room_id).await?;
        if joined == Joined::FirstDevice {
            self.presence.entered(&user.id, room).await?;
        }
        self.note_member(user, room_id).await?;
        let feed = FeedId::Room(room_id.clone());
        let read = self.feeds.unread(&user.id, vec![feed]).await?;
        let Some(&Unread {
            last_seq, count, ..
        }) = read.first()
        else {
            return Err(Error::internal());
        };
        let members = if list {
            self.occupancy.users_in(room).await?
        } else {
            Vec::new()
        };
        Ok(Entered {
            last_seq,
            unread: count,
            members,
        })
    }

    /// Leaves a room. When it was the user's last device there, the others hear `user:left`, and
    /// the user is a member no longer, where the member list does not decide who may enter.
    pub async fn leave(&self, speaker: Speaker<'_>, room_id: &RoomId) -> Result<()> {
        let left = self.sockets.leave(speaker.socket, &Room::chat(room_id));
        self.gone(speaker, room_id, left).await;
        self.leave_for_good(speaker.user, room_id, left).await
    }

    /// The user's socket has come back to a room that it was in. The others hear `user:joined`, as
    /// they heard of its leaving.
    pub async fn returned(&self, speaker: Speaker<'_>, room_id: &RoomId) -> Result<()> {
        self.entered(speaker.user, room_id).await;
        // The user may have left on another device meanwhile.
        self.note_member(speaker.user, room_id).await?;
        let room = Room::chat(room_id);
        self.presence.entered(&speaker.user.id, &room).await
    }

    /// The user's socket has gone, and with it from a room. The others hear `user:left` when it was
    /// the user's last device there.
    pub async fn gone(&self, speaker: Speaker<'_>, room_id: &RoomId, left: Left) {
        self.typing.ended(speaker.socket, speaker.user, room_id);
        if left == Left::LastDevice {
            let User { id, name, .. } = speaker.user;
            self.left(id, name, room_id).await;
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
}
