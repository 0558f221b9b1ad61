//! What a user missed, in all that is theirs, in pages.

use std::sync::Arc;

use serde::Serialize;

use super::{Access, PresenceService, posts::Listed, presence::PresenceChange};
use crate::{
    domain::{
        DirectMessage, Entry, FeedId, KnownUpTo, Message, Posted, Role, SyncCursor, Timestamp,
        User, VendorId, Verdict,
    },
    error::{Error, Result},
    ports::{After, Changes, FeedStore, Following, MemberStore, Membership},
};

/// The most entries on one page.
const PAGE: usize = 100;

/// The most changes of presence on one page.
const PRESENCE_PAGE: usize = 200;

/// The most rooms of one user that are looked at.
pub const MAX_ROOMS: usize = 10_000;

/// Catching up.
pub struct Sync {
    /// The entries.
    pub feeds: Arc<dyn FeedStore>,
    /// Whose rooms they are.
    pub members: Arc<dyn MemberStore>,
    /// Who may read them now.
    pub access: Access,
    /// Who is there.
    pub presence: Arc<PresenceService>,
}

/// A page of what a user missed, each list in the order in which it came about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    /// Messages of the user's rooms.
    pub messages: Vec<Message>,
    /// Messages between the user and another.
    pub direct_messages: Vec<DirectMessage>,
    /// Notifications, and outcomes of payments.
    pub notifications: Vec<Listed>,
    /// Orders, where the user is a vendor.
    pub orders: Vec<Listed>,
    /// The newest status of users that has changed.
    pub presence_updates: Vec<PresenceChange>,
    /// From where to go on.
    pub cursor: String,
    /// Whether there is another page.
    pub has_more: bool,
    /// Whether this joins what the client knows: `gap` when some were past retention or of a room
    /// that the user has lost, `reset` when the cursor is not known or another user's, and the page
    /// begins with the first ones kept.
    pub verdict: Verdict,
}

impl Sync {
    /// What a client says that it knows. Fails with `invalid_payload` when that is neither a
    /// cursor nor a time.
    pub fn known(since: &str) -> Result<KnownUpTo> {
        since.parse().map_err(|()| {
            Error::invalid_payload(
                "since must be the cursor of an earlier answer or an ISO 8601 time",
            )
        })
    }

    /// A page of what came after what the client knows.
    pub async fn since(&self, user: &User, known: KnownUpTo) -> Result<Synced> {
        let (after, presence_after, is_foreign) = match known {
            KnownUpTo::Nothing => (After::Position(0), 0, false),
            KnownUpTo::Time(time) => {
                let seen = PresenceService::version_at(time.min(Timestamp::now()));
                (After::Time(time), seen, false)
            }
            KnownUpTo::Cursor(cursor) if cursor.is_of(&user.id) => {
                (After::Position(cursor.position), cursor.presence, false)
            }
            KnownUpTo::Cursor(_) => (After::Position(0), 0, true),
        };
        let following = self.following(user).await?;
        let mut changes = self.feeds.changes(following, after, PAGE).await?;
        if is_foreign {
            changes.verdict = Verdict::Reset;
        }
        let presence_after = match changes.verdict {
            Verdict::Reset => 0,
            Verdict::Complete | Verdict::Gap => presence_after,
        };
        let presence = self
            .presence
            .changed_since(&user.id, presence_after, PRESENCE_PAGE, &*self.members)
            .await?;
        let mut synced = Synced {
            messages: Vec::new(),
            direct_messages: Vec::new(),
            notifications: Vec::new(),
            orders: Vec::new(),
            presence_updates: presence.changes,
            cursor: SyncCursor::new(&user.id, changes.position, presence.version).to_string(),
            has_more: changes.has_more || presence.has_more,
            verdict: changes.verdict,
        };
        let Changes { entries, .. } = changes;
        entries.into_iter().for_each(|entry| synced.add(entry));
        Ok(synced)
    }

    /// All that is the user's, and the rooms that are not any more.
    async fn following(&self, user: &User) -> Result<Following> {
        let mut feeds = vec![FeedId::User(user.id.clone())];
        let mut lost = Vec::new();
        if user.has(Role::Vendor) {
            feeds.extend(VendorId::new(user.id.as_str()).map(FeedId::Vendor));
        }
        // One more than is looked at tells whether there are more.
        let mut memberships = self.members.rooms_of(&user.id, MAX_ROOMS + 1).await?;
        let is_partial = memberships.len() > MAX_ROOMS;
        memberships.truncate(MAX_ROOMS);
        let mut rooms = Vec::new();
        for Membership { room, lost: at } in memberships {
            match at {
                None => rooms.push(room),
                Some(at) => lost.push((FeedId::Room(room), at)),
            }
        }
        let readable = self.access.readable(user, &rooms).await?;
        for (room, may_read) in rooms.into_iter().zip(readable) {
            let feed = FeedId::Room(room);
            if may_read {
                feeds.push(feed);
            } else {
                lost.push((feed, u64::MAX));
            }
        }
        Ok(Following {
            reader: user.id.clone(),
            feeds,
            lost,
            is_partial,
        })
    }
}

impl Synced {
    fn add(&mut self, entry: Arc<Entry>) {
        match entry.feed {
            FeedId::Room(_) => self.messages.extend(Message::from_entry(entry)),
            FeedId::Direct(..) => {
                self.direct_messages
                    .extend(DirectMessage::from_entry(entry));
            }
            FeedId::User(_) => {
                self.notifications
                    .extend(Posted::from_entry(entry).map(Listed));
            }
            FeedId::Vendor(_) => self.orders.extend(Posted::from_entry(entry).map(Listed)),
            FeedId::Channel(_) => {}
        }
    }
}
