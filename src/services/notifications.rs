//! What backends tell one user.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::posts::{self, PostedPage};
use crate::{
    domain::{ClientId, Cursor, EntryId, FeedId, UserId, check_posted_name},
    error::{Error, Result},
    ports::FeedStore,
};

/// The event unless another is named.
const EVENT: &str = "notification";

/// Notifications.
pub struct Notifications {
    /// Where they are kept.
    pub feeds: Arc<dyn FeedStore>,
}

impl Notifications {
    /// Stores what a user is notified of, whatever it is: an object as [`Notifications::post`] does.
    pub async fn post_for(
        &self,
        user: &UserId,
        value: Value,
        key: Option<ClientId>,
    ) -> Result<EntryId> {
        match value {
            Value::Object(mut body) => {
                body.insert("userId".into(), user.as_str().into());
                self.post(body, key).await
            }
            value => {
                let feed = FeedId::User(user.clone());
                posts::post(&*self.feeds, feed, EVENT.into(), &value, key).await
            }
        }
    }

    /// Stores a notification, an object with `userId` and perhaps the name of its `event`, and
    /// delivers it to the user's sockets and streams; its id.
    pub async fn post(&self, body: Map<String, Value>, key: Option<ClientId>) -> Result<EntryId> {
        let user = posts::id_in(&body, "userId", UserId::new)?;
        let event = match body.get("event") {
            None | Some(Value::Null) => EVENT,
            Some(Value::String(name)) => name,
            Some(_) => return Err(Error::invalid_payload("event must be text")),
        };
        check_posted_name(event)?;
        let (feed, event) = (FeedId::User(user), event.into());
        posts::post(&*self.feeds, feed, event, &body.into(), key).await
    }

    /// A page of the user's notifications.
    pub async fn page(&self, user: &UserId, from: Cursor, limit: usize) -> Result<PostedPage> {
        posts::page(&*self.feeds, &FeedId::User(user.clone()), from, limit).await
    }
}
