//! Chat and direct messages as clients see them.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Attachment, ClientId, Entry, EntryId, FeedId, RoomId, Timestamp, UserId, Verdict};
use crate::error::{Code, Error, Result};

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

/// A chat message: an entry of a room's feed, serialized as `message:new` carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message(Arc<Entry>);

impl Message {
    /// The message behind a stored entry, if the entry belongs to a room.
    pub fn from_entry(entry: Arc<Entry>) -> Option<Self> {
        matches!(entry.feed, FeedId::Room(_)).then_some(Self(entry))
    }

    /// The stored entry.
    pub fn entry(&self) -> &Entry {
        &self.0
    }
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct WireMessage<'a> {
    #[schema(value_type = String)]
    id: &'a EntryId,
    seq: u64,
    #[schema(value_type = String)]
    room_id: &'a RoomId,
    #[schema(value_type = String)]
    user_id: &'a UserId,
    username: &'a str,
    content: &'a str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    client_id: Option<&'a ClientId>,
    // Written without the `Some` around it, below which packets lose their binary.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "bare")]
    #[schema(value_type = Option<serde_json::Value>)]
    attachment: Option<&'a Attachment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    edited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
}

fn bare<S: Serializer>(
    attachment: &Option<&Attachment>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    match attachment {
        Some(attachment) => attachment.serialize(to),
        None => to.serialize_none(),
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let entry = &self.0;
        let FeedId::Room(room_id) = &entry.feed else {
            return Err(serde::ser::Error::custom("not a room's entry"));
        };
        let wire = WireMessage {
            id: &entry.id,
            seq: entry.seq,
            room_id,
            user_id: &entry.author,
            username: &entry.author_name,
            content: &entry.content,
            created_at: entry.created_at,
            client_id: entry.client_id.as_ref(),
            attachment: entry.attachment.as_ref(),
            edited_at: entry.edited_at,
            deleted_at: entry.deleted_at,
        };
        wire.serialize(to)
    }
}

impl utoipa::PartialSchema for Message {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        WireMessage::schema()
    }
}

impl utoipa::ToSchema for Message {}

/// A page of a room's messages, in ascending `seq`.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether more lie in the direction of reading.
    pub has_more: bool,
    /// How the page joins the cursor.
    pub verdict: Verdict,
}

/// A message between two users: an entry of their conversation, serialized as `message` carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectMessage(Arc<Entry>);

impl DirectMessage {
    /// The message behind a stored entry, if the entry belongs to a conversation.
    pub fn from_entry(entry: Arc<Entry>) -> Option<Self> {
        matches!(entry.feed, FeedId::Direct(..)).then_some(Self(entry))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireDirectMessage<'a> {
    id: &'a EntryId,
    seq: u64,
    sender_id: &'a UserId,
    receiver_id: &'a UserId,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a ClientId>,
}

impl Serialize for DirectMessage {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let entry = &self.0;
        let FeedId::Direct(low, high) = &entry.feed else {
            return Err(serde::ser::Error::custom("not a conversation's entry"));
        };
        let wire = WireDirectMessage {
            id: &entry.id,
            seq: entry.seq,
            sender_id: &entry.author,
            receiver_id: if entry.author == *low { high } else { low },
            content: &entry.content,
            order_id: entry.subject.as_deref(),
            created_at: entry.created_at,
            client_id: entry.client_id.as_ref(),
        };
        wire.serialize(to)
    }
}
