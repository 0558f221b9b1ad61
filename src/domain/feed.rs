//! A feed: an append-only log of what is durable, with one id and one sequence for all its readers.

use std::sync::Arc;

use serde::Serialize;

use super::{
    Attachment, ChannelId, ClientId, EntryId, FeedKind, RoomId, SocketId, Timestamp, UserId,
    VendorId,
};

/// Which log an entry belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FeedId {
    /// The messages of a chat room.
    Room(RoomId),
    /// The messages between two users, the smaller id first (see [`FeedId::direct`]).
    Direct(UserId, UserId),
    /// What is for one user.
    User(UserId),
    /// The orders of a vendor.
    Vendor(VendorId),
    /// What backends publish under a name.
    Channel(ChannelId),
}

impl FeedId {
    /// The conversation of two users, the same whichever of them asks.
    pub fn direct(one: &UserId, other: &UserId) -> Self {
        let (low, high) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        Self::Direct(low.clone(), high.clone())
    }

    /// The feed that stores know by this key.
    pub fn from_key(key: &str) -> Option<Self> {
        let kind = FeedKind::ALL
            .into_iter()
            .find(|kind| key.starts_with(kind.prefix()))?;
        let rest = &key[kind.prefix().len()..];
        match kind {
            FeedKind::Room => RoomId::new(rest).ok().map(Self::Room),
            FeedKind::Direct => {
                let (length, users) = rest.split_once(':')?;
                let (low, high) = users.split_at_checked(length.parse().ok()?)?;
                let low = UserId::new(low).ok()?;
                let high = UserId::new(high.strip_prefix(':')?).ok()?;
                Some(Self::Direct(low, high))
            }
            FeedKind::User => UserId::new(rest).ok().map(Self::User),
            FeedKind::Vendor => VendorId::new(rest).ok().map(Self::Vendor),
            FeedKind::Channel => ChannelId::new(rest).ok().map(Self::Channel),
        }
    }

    /// The key that stores know the feed by. No two feeds share one: the length of the first id
    /// tells where it ends.
    pub fn key(&self) -> String {
        let prefix = self.kind().prefix();
        match self {
            Self::Room(room) => format!("{prefix}{room}"),
            Self::Direct(low, high) => format!("{prefix}{}:{low}:{high}", low.as_str().len()),
            Self::User(user) => format!("{prefix}{user}"),
            Self::Vendor(vendor) => format!("{prefix}{vendor}"),
            Self::Channel(channel) => format!("{prefix}{channel}"),
        }
    }

    /// What it is about.
    pub const fn kind(&self) -> FeedKind {
        match self {
            Self::Room(_) => FeedKind::Room,
            Self::Direct(..) => FeedKind::Direct,
            Self::User(_) => FeedKind::User,
            Self::Vendor(_) => FeedKind::Vendor,
            Self::Channel(_) => FeedKind::Channel,
        }
    }
}

/// An entry that is to be appended.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Its id, made by the caller.
    pub id: EntryId,
    /// The feed.
    pub feed: FeedId,
    /// The event name under which it goes out live.
    pub event: Arc<str>,
    /// Who wrote it.
    pub author: UserId,
    /// The writer's name at that time.
    pub author_name: Arc<str>,
    /// Makes the append idempotent: one author, feed and client id give one entry.
    pub client_id: Option<ClientId>,
    /// The text; what backends post, as JSON.
    pub content: String,
    /// What it is about: of a direct message an order, of an outcome its payment.
    pub subject: Option<String>,
    /// Binary that belongs to it.
    pub attachment: Option<Attachment>,
    /// When it was written.
    pub created_at: Timestamp,
    /// The socket that sent it.
    pub origin: Option<SocketId>,
}

impl NewEntry {
    /// The socket that is not sent the entry: of a direct message the one that sent it.
    pub fn kept_origin(&self) -> Option<&SocketId> {
        match self.feed {
            FeedId::Direct(..) => self.origin.as_ref(),
            FeedId::Room(_) | FeedId::User(_) | FeedId::Vendor(_) | FeedId::Channel(_) => None,
        }
    }

    /// The entry as it is once it has its places.
    pub fn stored(&self, seq: u64, position: u64) -> Entry {
        Entry {
            id: self.id.clone(),
            feed: self.feed.clone(),
            seq,
            position,
            event: Arc::clone(&self.event),
            author: self.author.clone(),
            author_name: Arc::clone(&self.author_name),
            client_id: self.client_id.clone(),
            content: self.content.clone(),
            subject: self.subject.clone(),
            attachment: self.attachment.clone(),
            created_at: self.created_at,
            edited_at: None,
            deleted_at: None,
            origin: self.kept_origin().cloned(),
        }
    }
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// The feed.
    pub feed: FeedId,
    /// Its place in the feed: 1, 2, 3, … with no gap.
    pub seq: u64,
    /// Its place among the entries of all feeds, in the order of their commits; later ones have a
    /// greater one.
    pub position: u64,
    /// The event name under which it went out live.
    pub event: Arc<str>,
    /// Who wrote it.
    pub author: UserId,
    /// The writer's name at that time.
    pub author_name: Arc<str>,
    /// What the writer called it.
    pub client_id: Option<ClientId>,
    /// The text, empty once deleted; what backends post, as JSON.
    pub content: String,
    /// What it is about: of a direct message an order, of an outcome its payment.
    pub subject: Option<String>,
    /// Binary that belongs to it; gone once deleted.
    pub attachment: Option<Attachment>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its text was last changed.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted; its place in the feed stays.
    pub deleted_at: Option<Timestamp>,
    /// Of a direct message: the socket that sent it, and is not sent it.
    pub origin: Option<SocketId>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The newest entries.
    Latest,
    /// Entries with a greater `seq`, the oldest of them first.
    AfterSeq(u64),
    /// Entries after this one.
    AfterId(EntryId),
    /// Entries with a smaller `seq`, the newest of them.
    BeforeSeq(u64),
    /// Entries before this one.
    BeforeId(EntryId),
}

impl Cursor {
    /// After the entry with this id; an id of digits only is a `seq`.
    pub fn after(id: EntryId) -> Self {
        id.as_str()
            .parse()
            .map_or(Self::AfterId(id), Self::AfterSeq)
    }
}

/// Whether a page can be relied on as a continuation; the later, the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing between the cursor and the page is missing.
    Complete,
    /// Entries after the cursor are past retention, and the page begins with the first one kept; or,
    /// reading back, those before the page are.
    Gap,
    /// The cursor is unknown; the page begins with the first entry kept.
    Reset,
}

/// Consecutive entries of a feed, in ascending `seq`.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The `seq` before the first one; of an empty page, that of the entry before it.
    pub after: u64,
    /// Whether more lie in the direction of reading.
    pub has_more: bool,
    /// How the page joins the cursor.
    pub verdict: Verdict,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_has_one_key_whoever_asks_and_shares_it_with_no_other() {
        let user = |id: &str| UserId::new(id).unwrap();
        let key = |one: &str, other: &str| FeedId::direct(&user(one), &user(other)).key();
        assert_eq!(key("alice", "bob"), key("bob", "alice"));
        assert_ne!(key("a:b", "c"), key("a", "b:c"));
    }

    #[test]
    fn a_feed_is_known_by_its_key() {
        let user = |id: &str| UserId::new(id).unwrap();
        for feed in [
            FeedId::Room(RoomId::new("a:b").unwrap()),
            FeedId::direct(&user("zoë:x"), &user("a:")),
            FeedId::User(user("a:b")),
            FeedId::Vendor(VendorId::new("v1").unwrap()),
            FeedId::Channel(ChannelId::new("stocks:x").unwrap()),
        ] {
            assert_eq!(FeedId::from_key(&feed.key()), Some(feed));
        }
        for other in ["", "room:", "direct:9:a:b", "direct:1:a", "direct:x:a:b"] {
            assert_eq!(FeedId::from_key(other), None, "{other}");
        }
    }
}
