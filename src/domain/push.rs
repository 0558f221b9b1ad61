//! Offline push: which entries are for whom, what is sent of them, and what becomes of that.

mod subscription;

use std::sync::Arc;

use serde::Serialize;

use super::{DeliveryId, DirectMessage, Entry, EntryId, FeedId, Posted, Timestamp, UserId};

pub use subscription::{BrowserSubscription, EndpointHosts, Subscription, SubscriptionKeys};

/// The most bytes of a Web Push message before it is encrypted. Push services take 4,096 bytes
/// after that (RFC 8030, section 7.2), of which the encryption needs 103.
const MAX_MESSAGE_BYTES: usize = 3_900;

/// The ways by which a push leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PushTarget {
    /// The operator's backend, by a signed webhook.
    Webhook,
    /// A browser that has subscribed, by Web Push.
    Subscription,
}

impl PushTarget {
    /// The name in the store, in metrics and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Subscription => "subscription",
        }
    }
}

/// An entry that is for one user, as it is pushed to them.
#[derive(Clone, Debug)]
pub struct Pushed {
    user: UserId,
    entry: Arc<Entry>,
    data: Data,
}

/// What its readers get.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Data {
    Posted(Posted),
    Direct(DirectMessage),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookBody<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    user_id: &'a UserId,
    feed: &'static str,
    id: &'a EntryId,
    created_at: Timestamp,
    data: &'a Data,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebPushMessage<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    id: &'a EntryId,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Data>,
}

impl Pushed {
    /// The entry, if it is for one user and was not deleted since.
    pub fn from_entry(entry: Arc<Entry>) -> Option<Self> {
        if entry.deleted_at.is_some() {
            return None;
        }
        let user = addressee(&entry)?;
        let posted = || Posted::from_entry(entry.clone()).map(Data::Posted);
        let direct = || DirectMessage::from_entry(entry.clone()).map(Data::Direct);
        let data = posted().or_else(direct)?;
        Some(Self { user, entry, data })
    }

    /// For whom it is.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The entry's id.
    pub fn entry_id(&self) -> &EntryId {
        &self.entry.id
    }

    /// The webhook's body: `{type, userId, feed, id, createdAt, data}`. Absent when the entry's
    /// content is not JSON, with which nobody could do anything.
    pub fn webhook_body(&self) -> Option<String> {
        let body = WebhookBody {
            event: &self.entry.event,
            user_id: &self.user,
            feed: match self.entry.feed {
                FeedId::Direct(..) => "messages",
                FeedId::Vendor(_) => "orders",
                FeedId::User(_) | FeedId::Room(_) | FeedId::Channel(_) => "notifications",
            },
            id: &self.entry.id,
            created_at: self.entry.created_at,
            data: &self.data,
        };
        serde_json::to_string(&body).ok()
    }

    /// The Web Push message: `{type, id, createdAt, data}`, without `data` where that would make it
    /// larger than push services take. Absent when the entry's content is not JSON.
    pub fn web_push_message(&self) -> Option<String> {
        let message = |data| WebPushMessage {
            event: &self.entry.event,
            id: &self.entry.id,
            created_at: self.entry.created_at,
            data,
        };
        let whole = serde_json::to_string(&message(Some(&self.data))).ok()?;
        if whole.len() <= MAX_MESSAGE_BYTES {
            return Some(whole);
        }
        serde_json::to_string(&message(None)).ok()
    }
}

/// The one user an entry is for: of a direct message the receiver, of an order its vendor. What is
/// for rooms and channels is for nobody in particular, and a message to oneself is no news.
fn addressee(entry: &Entry) -> Option<UserId> {
    match &entry.feed {
        FeedId::User(user) => Some(user.clone()),
        FeedId::Direct(low, high) if low == high => None,
        FeedId::Direct(low, high) if entry.author == *low => Some(high.clone()),
        FeedId::Direct(low, high) if entry.author == *high => Some(low.clone()),
        FeedId::Vendor(vendor) => UserId::new(vendor.as_str()).ok(),
        FeedId::Direct(..) | FeedId::Room(_) | FeedId::Channel(_) => None,
    }
}

/// Whether entries of the feed are for one user.
pub fn is_pushed(feed: &FeedId) -> bool {
    match feed {
        FeedId::User(_) | FeedId::Direct(..) | FeedId::Vendor(_) => true,
        FeedId::Room(_) | FeedId::Channel(_) => false,
    }
}

/// A push that is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its id, the same at every attempt.
    pub id: DeliveryId,
    /// The user it is for.
    pub user: UserId,
    /// The body, before it is signed or encrypted.
    pub body: String,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it was planned.
    pub created_at: Timestamp,
    /// The browser it goes to; none for the webhook.
    pub subscription: Option<Subscription>,
}

impl Delivery {
    /// By which way it leaves.
    pub fn target(&self) -> PushTarget {
        match self.subscription {
            None => PushTarget::Webhook,
            Some(_) => PushTarget::Subscription,
        }
    }
}

/// A push that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Its id, by which it can be put back.
    #[schema(value_type = String)]
    pub id: DeliveryId,
    /// The user it was for.
    #[schema(value_type = String)]
    pub user_id: UserId,
    /// The entry it told of.
    #[schema(value_type = String)]
    pub entry_id: EntryId,
    /// By which way it should have left.
    pub target: PushTarget,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last attempt failed with.
    pub last_error: String,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was given up.
    #[schema(value_type = String, format = DateTime)]
    pub failed_at: Timestamp,
}

#[cfg(test)]
mod tests;
