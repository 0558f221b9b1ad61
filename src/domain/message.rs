//! Chat and direct messages as clients see them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    ClientId, Entry, EntryId, FeedId, OrderId, RoomId, Timestamp, UserId, Verdict,
};
use crate::error::{Code, Error, Result};

/// What a message carries besides its text: binary, or an object or list with binary in it.
/// It is delivered in the shape in which it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attachment(rmpv::Value);

impl Attachment {
    /// The MessagePack bytes by which it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a `Vec` cannot fail.
        let _ = rmpv::encode::write_value(&mut bytes, &self.0);
        bytes
    }

    /// From stored bytes; absent when they are not MessagePack.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        rmpv::decode::read_value(&mut bytes).ok().map(Self)
    }
}

/// Checks a message's text: 1 to `max_chars` characters, not only white space.
/// Fails with `content_empty` or `content_too_long`.
pub fn check_content(content: &str, max_chars: usize) -> Result<()> {
    if content.trim().is_empty() {
        return Err(Error::new(Code::ContentEmpty, "content must not be empty"));
    }
    // Text of so few bytes cannot have more characters; only longer text is counted.
    if content.len() > max_chars && content.chars().count() > max_chars {
        return Err(Error::new(
            Code::ContentTooLong,
            format!("content must have at most {max_chars} characters"),
        ));
    }
    Ok(())
}

/// A chat message, as `message:new` carries it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id.
    pub id: EntryId,
    /// Its place in the room: 1, 2, 3, … with no gap.
    pub seq: u64,
    /// The room.
    pub room_id: RoomId,
    /// Who wrote it.
    pub user_id: UserId,
    /// The writer's name at that time.
    pub username: Arc<str>,
    /// The text; empty once deleted.
    pub content: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// What the writer's client called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What it carries besides its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// When its text was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl Message {
    /// The message behind a stored entry, if the entry belongs to a room.
    pub fn from_entry(entry: Entry) -> Option<Self> {
        let FeedId::Room(room_id) = entry.feed else {
            return None;
        };
        Some(Self {
            id: entry.id,
            seq: entry.seq,
            room_id,
            user_id: entry.author,
            username: entry.author_name,
            content: entry.content,
            created_at: entry.created_at,
            client_id: entry.client_id,
            attachment: entry.attachment,
            edited_at: entry.edited_at,
            deleted_at: entry.deleted_at,
        })
    }
}

/// A page of a room's messages, in ascending `seq`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether more lie in the direction of reading.
    pub has_more: bool,
    /// How the page joins the cursor.
    pub verdict: Verdict,
}

/// A message between two users, as `message` carries it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectMessage {
    /// Its id.
    pub id: EntryId,
    /// Its place in the conversation.
    pub seq: u64,
    /// Who wrote it.
    pub sender_id: UserId,
    /// To whom.
    pub receiver_id: UserId,
    /// The text.
    pub content: String,
    /// An order it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// When it was written.
    pub created_at: Timestamp,
    /// What the writer's client called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
}

impl DirectMessage {
    /// The message behind a stored entry, if the entry belongs to a conversation.
    pub fn from_entry(entry: Entry) -> Option<Self> {
        let FeedId::Direct(low, high) = entry.feed else {
            return None;
        };
        let receiver_id = if entry.author == low { high } else { low };
        Some(Self {
            id: entry.id,
            seq: entry.seq,
            sender_id: entry.author,
            receiver_id,
            content: entry.content,
            order_id: entry.subject.and_then(|subject| OrderId::new(subject).ok()),
            created_at: entry.created_at,
            client_id: entry.client_id,
        })
    }
}
