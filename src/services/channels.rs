//! Channels: named values that backends publish, for whoever follows them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::posts::{self, PostedPage};
use crate::{
    domain::{ChannelId, ClientId, Cursor, EntryId, FeedId, check_posted_name},
    error::{Error, Result},
    ports::FeedStore,
};

/// The event unless another is named.
const EVENT: &str = "update";

/// The channel of the server's own figures.
pub const DASHBOARD: &str = "dashboard:metrics";

/// What is to be published.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Publication {
    /// The event's name, 1 to 256 bytes; `update` unless given.
    pub event: Option<String>,
    /// The value, any JSON.
    pub data: Value,
}

/// Channels.
pub struct Channels {
    /// Where their values are kept.
    pub feeds: Arc<dyn FeedStore>,
}

impl Channels {
    /// Stores a value and delivers it to the channel's streams; its id. Fails with `forbidden` for
    /// the server's own channel.
    pub async fn publish(
        &self,
        channel: ChannelId,
        publication: Publication,
        key: Option<ClientId>,
    ) -> Result<EntryId> {
        if channel.as_str() == DASHBOARD {
            return Err(Error::forbidden());
        }
        let event = publication.event.as_deref().unwrap_or(EVENT);
        check_posted_name(event)?;
        let (feed, data) = (FeedId::Channel(channel), &publication.data);
        posts::post(&*self.feeds, feed, event.into(), data, key).await
    }

    /// A page of what was published.
    pub async fn page(
        &self,
        channel: &ChannelId,
        from: Cursor,
        limit: usize,
    ) -> Result<PostedPage> {
        let feed = FeedId::Channel(channel.clone());
        posts::page(&*self.feeds, &feed, from, limit).await
    }
}
