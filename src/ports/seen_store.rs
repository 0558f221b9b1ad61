//! When users were last seen, over restarts.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{Timestamp, UserId};

/// A user as they were last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenUser {
    /// Who.
    pub user: UserId,
    /// When.
    pub last_seen: Timestamp,
    /// Whether they were there still.
    pub there: bool,
}

/// Last-seen times by user.
#[async_trait]
pub trait SeenStore: Send + Sync + 'static {
    /// Keeps what is new, replacing what was known of these users.
    async fn save(&self, seen: Vec<SeenUser>) -> StoreResult<()>;

    /// The `limit` users who were seen last, the latest at the end; the others are forgotten.
    async fn load(&self, limit: usize) -> StoreResult<Vec<SeenUser>>;
}
