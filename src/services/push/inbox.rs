//! Entries on their way from live delivery to the planner.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::IsOnline;
use crate::domain::{Entry, Pushed};

/// The most entries that wait here; what comes beyond is read from the store.
const MAX_WAITING: usize = 1_024;

/// Where live delivery leaves entries, without ever waiting.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

/// An entry that is for one user.
#[derive(Clone)]
pub(super) struct Offered {
    pub(super) entry: Arc<Entry>,
    /// Whether the user had no device online when it was committed.
    pub(super) away: bool,
}

/// What has come since it was last asked for.
#[derive(Default)]
pub(super) struct Waiting {
    /// Entries that are for one user, in the order of their positions.
    pub(super) entries: Vec<Offered>,
    /// Whether there were too many, so that some are missing.
    pub(super) overflowed: bool,
    /// The newest entry's position, whomever it is for; 0 when there was none.
    pub(super) position: u64,
}

impl Waiting {
    fn add(&mut self, offered: Offered) {
        if self.entries.len() < MAX_WAITING {
            self.entries.push(offered);
        } else {
            self.overflowed = true;
        }
    }

    /// Adds what has come since.
    pub(super) fn append(&mut self, more: Self) {
        self.overflowed |= more.overflowed;
        self.position = self.position.max(more.position);
        for offered in more.entries {
            self.add(offered);
        }
    }
}

impl Inbox {
    pub(super) fn offer(&self, entry: &Arc<Entry>, is_online: &IsOnline) {
        let pushed = Pushed::from_entry(entry.clone());
        let away = pushed
            .as_ref()
            .map(|pushed| !is_online(pushed.user(), &entry.feed));
        let mut waiting = self.waiting.lock();
        waiting.position = entry.position;
        let Some(away) = away else {
            return;
        };
        let entry = entry.clone();
        waiting.add(Offered { entry, away });
        drop(waiting);
        self.arrived.notify_one();
    }

    pub(super) fn take(&self) -> Waiting {
        std::mem::take(&mut self.waiting.lock())
    }

    /// Ends when an entry for one user has come since this last ended.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EntryId, FeedId, NewEntry, RoomId, Timestamp, UserId};

    fn entry(feed: FeedId, position: u64) -> Arc<Entry> {
        let new = NewEntry {
            id: EntryId::generate(),
            feed,
            event: "an-event".into(),
            author: UserId::backend(),
            author_name: "".into(),
            client_id: None,
            content: "{}".into(),
            subject: None,
            attachment: None,
            created_at: Timestamp::from_ms(0),
            origin: None,
        };
        Arc::new(new.stored(1, position))
    }

    #[tokio::test]
    async fn what_does_not_fit_is_not_missed_in_silence() {
        let inbox = Inbox::default();
        let nobody: IsOnline = Box::new(|_, _| false);
        let alice = FeedId::User(UserId::new("alice").unwrap());
        let lobby = FeedId::Room(RoomId::new("lobby").unwrap());
        let most = MAX_WAITING as u64;
        for position in 1..=most {
            inbox.offer(&entry(alice.clone(), position), &nobody);
        }
        inbox.offer(&entry(lobby, most + 1), &nobody);
        inbox.arrived().await;
        let waiting = inbox.take();
        assert_eq!((waiting.entries.len(), waiting.overflowed), (1_024, false));
        assert_eq!(waiting.position, most + 1);
        for position in most + 2..=2 * most + 2 {
            inbox.offer(&entry(alice.clone(), position), &nobody);
        }
        let waiting = inbox.take();
        assert_eq!((waiting.entries.len(), waiting.overflowed), (1_024, true));
        assert_eq!(waiting.position, 2 * most + 2);
        assert!(!inbox.take().overflowed);
    }
}
