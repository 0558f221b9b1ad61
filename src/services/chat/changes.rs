//! What becomes of messages once they are sent: edits, deletions, read cursors.

use std::sync::Arc;

use serde::Serialize;

use super::Chat;
use crate::{
    domain::{EntryId, FeedId, Message, Room, RoomId, Timestamp, UserId, check_content},
    error::{Code, Error, Result},
    ports::{Change, Class, Emit},
    services::{Speaker, joined::check_joined},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadReceipt<'a> {
    user_id: &'a UserId,
    room_id: &'a RoomId,
    message_id: &'a EntryId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    message_id: &'a EntryId,
    #[serde(flatten)]
    message: &'a Message,
}

impl Chat {
    /// Replaces the text of one's own message; the room hears `message:edited`.
    pub async fn edit(
        &self,
        speaker: Speaker<'_>,
        room_id: &RoomId,
        id: &EntryId,
        content: String,
    ) -> Result<Message> {
        check_content(&content, self.content_chars)?;
        check_joined(&*self.sockets, speaker.socket, room_id)?;
        let feed = FeedId::Room(room_id.clone());
        let (author, now) = (&speaker.user.id, Timestamp::now());
        let _order = self.changes.lock(room_id).await;
        let change = self.feeds.edit(&feed, id, author, content, now).await?;
        self.tell_change(room_id, change, "message:edited")
    }

    /// Empties one's own message; the room hears `message:deleted`.
    pub async fn delete(
        &self,
        speaker: Speaker<'_>,
        room_id: &RoomId,
        id: &EntryId,
    ) -> Result<Message> {
        check_joined(&*self.sockets, speaker.socket, room_id)?;
        let feed = FeedId::Room(room_id.clone());
        let (author, now) = (&speaker.user.id, Timestamp::now());
        let _order = self.changes.lock(room_id).await;
        let change = self.feeds.delete(&feed, id, author, now).await?;
        self.tell_change(room_id, change, "message:deleted")
    }

    /// Moves the user's read cursor and returns how many messages of others lie after it. All other
    /// devices in the room, the user's own too, hear of a cursor that moved.
    pub async fn read(
        &self,
        speaker: Speaker<'_>,
        room_id: &RoomId,
        message_id: &EntryId,
    ) -> Result<u64> {
        check_joined(&*self.sockets, speaker.socket, room_id)?;
        let feed = FeedId::Room(room_id.clone());
        let user_id = &speaker.user.id;
        // Two devices that race are heard in the order in which the cursor moved.
        let _order = self.changes.lock(user_id).await;
        let mark = self.feeds.mark_read(&feed, user_id, message_id).await?;
        let mark = mark.ok_or_else(|| Error::not_found("No such message in this room"))?;
        if mark.moved {
            let receipt = ReadReceipt {
                user_id,
                room_id,
                message_id,
            };
            let to = [Room::chat(room_id)];
            let emit = Emit::new(Class::Passing, &to, "chat:read", &receipt);
            self.emitter.emit(emit.from_socket(Some(speaker.socket)));
        }
        Ok(mark.unread)
    }

    fn tell_change(&self, room_id: &RoomId, change: Change, event: &str) -> Result<Message> {
        let entry = match change {
            Change::Done(entry) => entry,
            Change::NotFound => return Err(Error::not_found("No such message in this room")),
            Change::NotAuthor => {
                return Err(Error::new(Code::NotAuthor, "Only the author may do this"));
            }
        };
        let message = Message::from_entry(Arc::new(*entry)).ok_or_else(Error::internal)?;
        let changed = Changed {
            message_id: &message.entry().id,
            message: &message,
        };
        let to = [Room::chat(room_id)];
        self.emitter
            .emit(Emit::new(Class::Durable, &to, event, &changed));
        Ok(message)
    }
}
