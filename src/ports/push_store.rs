//! What offline push keeps: how far the log was planned, what is to be sent, and to which browsers.

use async_trait::async_trait;

use super::{Since, StoreResult};
use crate::domain::{
    DeadLetter, Delivery, DeliveryId, EntryId, PushTarget, Subscription, SubscriptionId, Timestamp,
    UserId,
};

/// Where planning goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushStart {
    /// The position of the last entry that was planned.
    pub position: u64,
    /// How many deliveries were dropped, as nothing sends to their target any more.
    pub dropped: u64,
}

/// What retention has taken before it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplanned {
    /// From how many feeds.
    pub feeds: u64,
    /// The position of the newest entry that is gone, 0 when none is.
    pub newest: u64,
}

/// What is to be sent of one entry.
#[derive(Clone, Debug)]
pub struct PushPlan {
    /// The entry.
    pub entry: EntryId,
    /// The user it is for.
    pub user: UserId,
    /// The webhook's body, where there is a webhook.
    pub webhook: Option<String>,
    /// The message for each of the user's browsers, where there is Web Push.
    pub message: Option<String>,
}

/// What became of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    /// Its deliveries are stored, this many.
    Stored(usize),
    /// As many deliveries wait as may; nothing was changed.
    Full,
}

/// What can be sent now.
#[derive(Clone, Debug, PartialEq)]
pub struct DuePushes {
    /// The deliveries, the longest due first.
    pub deliveries: Vec<Delivery>,
    /// When the next one is due, if there is one and it is not due yet.
    pub next: Option<Timestamp>,
    /// How many wait in all, for either target.
    pub pending: u64,
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was taken.
    Delivered,
    /// The browser has no such subscription any more.
    Gone,
    /// To be tried again.
    Postponed {
        /// How often it has been tried.
        attempts: u32,
        /// When to try again.
        due_at: Timestamp,
    },
    /// Given up: it becomes a dead letter.
    Dead {
        /// How often it was tried.
        attempts: u32,
        /// What the last attempt failed with.
        error: String,
        /// The most dead letters that are kept; the oldest go.
        keep: usize,
    },
}

/// Planned pushes.
#[async_trait]
pub trait PushStore: Send + Sync + 'static {
    /// Called once before anything is planned or sent. The first time planning begins after the
    /// newest entry. Deliveries for other targets than these are dropped; where there are none, the
    /// next time is a first time again.
    async fn begin(&self, targets: &[PushTarget]) -> StoreResult<PushStart>;

    /// The entries that are for one user among the `limit` entries after a position, in the order
    /// of their commits. At the end of the log the position stays the same.
    async fn entries_after(&self, position: u64, limit: usize) -> StoreResult<Since>;

    /// What retention has taken after a position from feeds that are for one user.
    async fn unplanned(&self, position: u64) -> StoreResult<Unplanned>;

    /// Stores the deliveries of entries up to `position`, and that planning has come so far, as one.
    /// An entry that was planned before is left as it is.
    async fn plan(
        &self,
        plans: Vec<PushPlan>,
        position: u64,
        max_pending: u64,
    ) -> StoreResult<Planned>;

    /// Up to `limit` deliveries that are due at this time. They stay due until they are settled.
    async fn due(&self, target: PushTarget, at: Timestamp, limit: usize) -> StoreResult<DuePushes>;

    /// Notes what an attempt came to. Nothing happens when the delivery is there no more.
    async fn settle(&self, id: &DeliveryId, settled: Settled) -> StoreResult<()>;

    /// The newest dead letters, the newest first.
    async fn dead_letters(&self, limit: usize) -> StoreResult<Vec<DeadLetter>>;

    /// Makes a dead letter a delivery again, as if it had never been tried; whether there was one.
    async fn revive(&self, id: &DeliveryId) -> StoreResult<bool>;
}

/// Browsers that take pushes.
#[async_trait]
pub trait SubscriptionStore: Send + Sync + 'static {
    /// Stores a subscription; its id. The same user's subscription with the same endpoint keeps its
    /// id and its deliveries. That of another user goes, with its deliveries: the browser is theirs
    /// no more. Of one user at most `keep` stay; the oldest go.
    async fn subscribe(
        &self,
        subscription: Subscription,
        keep: usize,
    ) -> StoreResult<SubscriptionId>;

    /// Removes a user's subscription, if it is theirs.
    async fn unsubscribe(&self, user: &UserId, endpoint: &str) -> StoreResult<()>;
}
