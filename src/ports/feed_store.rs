//! The log behind everything durable.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::StoreResult;
use crate::domain::{Cursor, Entry, EntryId, EntryPage, FeedId, NewEntry, Timestamp, UserId};

/// The outcome of an append.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The stored entry.
    pub entry: Arc<Entry>,
    /// Whether it had been stored before, under the same client id.
    pub duplicate: bool,
}

/// A newly committed entry on its way to its live readers. A store hands commits to the channel it
/// was opened with, in `seq` order per feed, and does not answer the append itself: whoever
/// delivers the entry answers `done` after it has.
#[derive(Debug)]
pub struct Commit {
    /// The entry.
    pub entry: Arc<Entry>,
    /// Ends the append's wait.
    pub done: oneshot::Sender<StoreResult<Appended>>,
}

/// The outcome of changing an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It was changed; this is how it is now.
    Done(Box<Entry>),
    /// There is no such entry in the feed, or it was deleted.
    NotFound,
    /// Somebody else wrote it.
    NotAuthor,
}

/// The outcome of moving a read cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// Whether the cursor moved; it never moves back.
    pub moved: bool,
    /// Entries of others after the cursor.
    pub unread: u64,
}

/// Which feeds are meant.
pub type FeedFilter = Box<dyn Fn(&FeedId) -> bool + Send>;

/// Entries of several feeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Since {
    /// The entries.
    pub entries: Vec<Arc<Entry>>,
    /// The position of the last entry that was looked at, whatever its feed.
    pub position: u64,
}

/// Feeds of entries.
#[async_trait]
pub trait FeedStore: Send + Sync + 'static {
    /// Appends an entry under the feed's next `seq` (1, 2, 3, … with no gap). Returns once the
    /// entry is durable and was handed to its live readers; a duplicate returns the first entry
    /// and is not delivered again.
    ///
    /// The order of calls is the order of `seq`: the place in the feed is taken on the first poll
    /// of the returned future.
    async fn append(&self, entry: NewEntry) -> StoreResult<Appended>;

    /// Reads up to `limit` entries, ascending.
    async fn page(&self, feed: &FeedId, from: Cursor, limit: usize) -> StoreResult<EntryPage>;

    /// Replaces the text of an entry that `author` wrote.
    async fn edit(
        &self,
        feed: &FeedId,
        id: &EntryId,
        author: &UserId,
        content: String,
        at: Timestamp,
    ) -> StoreResult<Change>;

    /// Empties an entry that `author` wrote; its place in the feed stays.
    async fn delete(
        &self,
        feed: &FeedId,
        id: &EntryId,
        author: &UserId,
        at: Timestamp,
    ) -> StoreResult<Change>;

    /// Moves the user's read cursor to the entry, never back. Absent when there is no such entry.
    async fn mark_read(
        &self,
        feed: &FeedId,
        user: &UserId,
        id: &EntryId,
    ) -> StoreResult<Option<ReadMark>>;

    /// The entries after a position of those feeds of which `of` is true, in the order of their
    /// commits. Absent when there are more than `limit` entries of all feeds, or the position lies
    /// beyond the newest one.
    async fn since(
        &self,
        position: u64,
        limit: usize,
        of: FeedFilter,
    ) -> StoreResult<Option<Since>>;

    /// The position of the newest entry, 0 when there is none.
    async fn last_position(&self) -> StoreResult<u64>;

    /// The newest `seq`, 0 for an empty feed.
    async fn last_seq(&self, feed: &FeedId) -> StoreResult<u64>;
}
