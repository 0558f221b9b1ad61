//! Sessions that their clients may want back after a restart, or from another node.

use std::{sync::Arc, time::Duration};

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
    /// Whether it is connected, as far as is known. One that is not does not replace what another run has stored: its
    /// client has gone there.
    pub is_connected: bool,
}

/// Stored sessions, by namespace and secret. A store that is opened begins a run; what it saves is
/// its own, and what it looks for is another run's: an earlier one's, or another node's.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Stores sessions as they are now, as this run's, and removes those of this run that are no
    /// more.
    async fn save(
        &self,
        namespace: &str,
        saved: Vec<SavedSession>,
        gone: Vec<Arc<str>>,
    ) -> StoreResult<()>;

    /// A session as another run has stored it.
    async fn load(&self, namespace: &str, pid: &str) -> StoreResult<Option<SavedSession>>;

    /// The user's session of another run, if there is exactly one.
    async fn only_one_of(
        &self,
        namespace: &str,
        user: &UserId,
    ) -> StoreResult<Option<SavedSession>>;

    /// Says that this run is alive, which has to be done every few seconds, and removes the sessions
    /// of earlier runs once they cannot be wanted any more: where one run follows another, when this
    /// one has run for longer than `window`; where there are several, those of runs that have not
    /// been alive for as long.
    async fn forget_older(&self, window: Duration) -> StoreResult<()>;
}
