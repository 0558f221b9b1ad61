//! What webhooks are told: the last that is known of each subject, and an outbox of what is news.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::Timestamp;

/// How a subject (a socket, a room, a user) is by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookNote {
    /// What it is about, as `room:{roomId}`.
    pub subject: String,
    /// How it is; "" when it has gone: a subject of which nothing is known has.
    pub state: String,
    /// What orders the notes about a subject: one that is not newer than the last is ignored.
    /// Absent: just newer than what is known.
    pub version: Option<u64>,
    /// The node by which it is there, where it goes with that node. A note that it has gone from a
    /// node is ignored where it is there by another by now.
    pub node: Option<String>,
    /// What is told, by its name, where the state is another than the one before; nothing is, where
    /// this is absent.
    pub kind: Option<&'static str>,
    /// The details, as JSON.
    pub data: String,
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its place in the outbox.
    pub number: u64,
    /// An id of its own, by which receivers know repeats.
    pub id: String,
    /// What happened, by its name.
    pub kind: String,
    /// Orders what is told about one subject.
    pub version: u64,
    /// The details, as JSON.
    pub data: String,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it was noted.
    pub created_at: Timestamp,
}

/// What can be told now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueHooks {
    /// The first of each subject, the longest due first.
    pub hooks: Vec<Hook>,
    /// How many wait in all.
    pub pending: u64,
}

/// A subject that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookSubject {
    /// What it is.
    pub subject: String,
    /// The version of the last note.
    pub version: u64,
    /// The details that were noted last, as JSON.
    pub data: String,
}

/// Subjects and the outbox, which nodes share.
#[async_trait]
pub trait HookStore: Send + Sync + 'static {
    /// Takes note, in this order, and puts what is news into the outbox, as one; how many of these
    /// found no place, as `max_pending` wait. What is known of their subjects stays as it was.
    async fn note(&self, notes: Vec<HookNote>, max_pending: u64) -> StoreResult<u64>;

    /// Up to `limit` that are due at this time. They stay due until they are settled.
    async fn due(&self, at: Timestamp, limit: usize) -> StoreResult<DueHooks>;

    /// It was told, or given up.
    async fn settle(&self, number: u64) -> StoreResult<()>;

    /// It is to be tried again, having been tried so often.
    async fn postpone(&self, number: u64, attempts: u32, due_at: Timestamp) -> StoreResult<()>;

    /// Up to `limit` subjects that are there and whose names begin so, in order, after this one.
    async fn there(&self, prefix: &str, after: &str, limit: usize)
    -> StoreResult<Vec<HookSubject>>;

    /// The nodes by which subjects are there.
    async fn nodes(&self) -> StoreResult<Vec<String>>;

    /// Up to `limit` subjects that are there by a node.
    async fn of_node(&self, node: &str, limit: usize) -> StoreResult<Vec<HookSubject>>;

    /// Forgets subjects that have gone before this time.
    async fn forget(&self, before: Timestamp) -> StoreResult<()>;
}
