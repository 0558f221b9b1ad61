//! Messages between two users.

use std::sync::Arc;

use super::Speaker;
use crate::{
    domain::{
        ClientId, DirectMessage, EntryId, FeedId, NewEntry, OrderId, Timestamp, UserId,
        check_content,
    },
    error::{Error, Result},
    ports::FeedStore,
};

/// The event by which a direct message is delivered.
const EVENT: &str = "message";

/// A direct message that is to be sent.
#[derive(Debug)]
pub struct DirectDraft {
    /// To whom.
    pub to: UserId,
    /// The text.
    pub content: String,
    /// An order it is about.
    pub order_id: Option<OrderId>,
    /// Makes sending idempotent.
    pub client_id: Option<ClientId>,
}

/// Direct messages.
pub struct Direct {
    /// The messages.
    pub feeds: Arc<dyn FeedStore>,
    /// The most characters in a message.
    pub content_chars: usize,
}

impl Direct {
    /// Stores a message and delivers it to every device of both users except the sending one. The
    /// message takes its place in the conversation on the first poll.
    pub async fn send(&self, speaker: Speaker<'_>, draft: DirectDraft) -> Result<DirectMessage> {
        check_content(&draft.content, self.content_chars)?;
        let sender = &speaker.user.id;
        let appended = self
            .feeds
            .append(NewEntry {
                id: EntryId::generate(),
                feed: FeedId::direct(sender, &draft.to),
                event: EVENT.into(),
                author: sender.clone(),
                author_name: speaker.user.name.clone(),
                client_id: draft.client_id,
                content: draft.content,
                subject: draft.order_id.map(|order| order.to_string()),
                attachment: None,
                created_at: Timestamp::now(),
                origin: Some(speaker.socket.clone()),
            })
            .await?;
        DirectMessage::from_entry(appended.entry).ok_or_else(Error::internal)
    }
}
