//! The log behind everything durable.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::StoreResult;
use crate::domain::{
    Cursor, Entry, EntryId, EntryPage, FeedId, FeedKind, NewEntry, Timestamp, UserId, Verdict,
};

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

/// From when on entries are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Those with a greater position.
    Position(u64),
    /// Those written at this time or later.
    Time(Timestamp),
}

/// What one reader follows, beside the conversations that the store knows of.
#[derive(Clone, Debug)]
pub struct Following {
    /// The reader.
    pub reader: UserId,
    /// The feeds.
    pub feeds: Vec<FeedId>,
    /// Feeds that the reader may no longer read, and the last position that was meant for them.
    pub lost: Vec<(FeedId, u64)>,
    /// Whether the reader follows more than this.
    pub is_partial: bool,
}

/// A page of what came in the feeds of one reader.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// The entries, in the order of their commits.
    pub entries: Vec<Arc<Entry>>,
    /// Whether more came.
    pub has_more: bool,
    /// From where to go on.
    pub position: u64,
    /// `gap` when retention, or the loss of a feed, has taken some, or not all feeds were looked at; `reset` when the position lies
    /// beyond the newest entry, and the page begins with the first ones kept.
    pub verdict: Verdict,
}

/// How far a reader has read a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The newest `seq`, 0 for an empty feed.
    pub last_seq: u64,
    /// The reader's cursor, 0 for none.
    pub read_seq: u64,
    /// Entries of others after the cursor.
    pub count: u64,
}

/// What is kept of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// The newest so many; 0 for any number.
    pub entries: u64,
    /// What was written since.
    pub since: Option<Timestamp>,
}

/// A feed's place in the order in which retention looks at feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedMark(pub String);

/// Feeds that have more than is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overfull {
    /// The feeds.
    pub feeds: Vec<FeedId>,
    /// Where to look on, when not all were looked at.
    pub next: Option<FeedMark>,
}

/// What was taken from a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// So many entries.
    pub count: usize,
    /// Whether there may be more to take.
    pub has_more: bool,
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

    /// Reads up to `limit` entries, ascending; fewer where more would not fit a [`crate::domain::PageBudget`].
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
    /// commits. Absent when there are more than `limit` entries of all feeds, when retention has
    /// taken some of those that are meant, or when the position lies beyond the newest one.
    async fn since(
        &self,
        position: u64,
        limit: usize,
        of: FeedFilter,
    ) -> StoreResult<Option<Since>>;

    /// The entries of all feeds after a position, in the order of their commits, up to `limit` and
    /// as many as fit a [`crate::domain::PageBudget`]. Those that retention has taken are missing.
    async fn log(&self, after: u64, limit: usize) -> StoreResult<Vec<Arc<Entry>>>;

    /// A page of up to `limit` entries of the feeds that one reader follows; fewer where more would
    /// not fit a [`crate::domain::PageBudget`].
    async fn changes(
        &self,
        following: Following,
        after: After,
        limit: usize,
    ) -> StoreResult<Changes>;

    /// How far a user has read each of these feeds, in their order.
    async fn unread(&self, user: &UserId, feeds: Vec<FeedId>) -> StoreResult<Vec<Unread>>;

    /// Looks at up to `most` feeds of a kind for those that have more than is kept.
    async fn overfull(
        &self,
        kind: FeedKind,
        keep: KeepRule,
        from: Option<FeedMark>,
        most: usize,
    ) -> StoreResult<Overfull>;

    /// Removes up to `most` of the oldest entries that need not be kept. The newest entry of all
    /// feeds always stays.
    async fn trim(&self, feed: &FeedId, keep: KeepRule, most: usize) -> StoreResult<Trimmed>;

    /// The position of the newest entry, 0 when there is none.
    async fn last_position(&self) -> StoreResult<u64>;
}
