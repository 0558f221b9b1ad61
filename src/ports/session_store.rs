//! Sessions that their clients may want back after a restart.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{Room, SocketId, UserId};

/// A socket as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSession {
    /// The secret by which its client knows it.
    pub pid: Arc<str>,
    /// Its id.
    pub id: SocketId,
    /// Whose it is; none for a guest's.
    pub user: Option<UserId>,
    /// Its rooms.
    pub rooms: Vec<Room>,
}

/// Stored sessions, by namespace and secret.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Stores sessions as they are now, and removes those that are no more.
    async fn save(
        &self,
        namespace: &str,
        saved: Vec<SavedSession>,
        gone: Vec<Arc<str>>,
    ) -> StoreResult<()>;

    /// A session as it was stored before this store was opened.
    async fn load(&self, namespace: &str, pid: &str) -> StoreResult<Option<SavedSession>>;

    /// The user's session of that time, if there is exactly one.
    async fn only_one_of(
        &self,
        namespace: &str,
        user: &UserId,
    ) -> StoreResult<Option<SavedSession>>;

    /// Removes the sessions that were stored before this store was opened.
    async fn forget_older(&self) -> StoreResult<()>;
}
