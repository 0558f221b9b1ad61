//! Which devices of which users are there.

use std::sync::Arc;

use async_trait::async_trait;

use super::{SeenUser, StoreResult};
use crate::domain::{Presence, Room, SocketId, Status, Timestamp, UserId};

/// What a device's arrival changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The user was offline.
    CameOnline {
        /// The change's version.
        version: u64,
    },
    /// The user was there already.
    WasThere,
}

/// What a device's departure changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It was the user's last device.
    WentOffline(Known),
    /// Other devices remain, or the device was not known.
    StillThere,
}

/// How a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// How.
    pub presence: Presence,
    /// The version of the change since which it is so: later ones are greater. 0 where that is not
    /// known.
    pub version: u64,
}

/// How many versions of changes there are in a millisecond.
pub const VERSIONS_PER_MS: u64 = 1_024;

/// A user whose status has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedUser {
    /// Who.
    pub user: UserId,
    /// How they are now.
    pub presence: Presence,
    /// The change's version: later ones are greater.
    pub version: u64,
}

/// What happened without a device of this node having caused it, or while it could not be told.
/// Each is for one node only, which tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresenceNews {
    /// The user is there after all.
    CameOnline(UserId),
    /// The user has chosen another status.
    Changed(UserId),
    /// The user has gone with a node.
    WentOffline {
        /// Who.
        user: UserId,
        /// When they were last seen.
        last_seen: Timestamp,
        /// The chat rooms they were in.
        rooms: Vec<Room>,
    },
    /// The user is in a room after all.
    EnteredRoom {
        /// The room.
        room: Room,
        /// Who.
        user: UserId,
        /// What they are called.
        name: Arc<str>,
    },
    /// The user has gone from a room with a node.
    LeftRoom {
        /// The room.
        room: Room,
        /// Who.
        user: UserId,
        /// What they were called.
        name: Arc<str>,
    },
}

/// Devices and statuses by user.
#[async_trait]
pub trait PresenceStore: Send + Sync + 'static {
    /// Adds a device. The first one makes the user `online`.
    async fn arrive(&self, user: &UserId, device: &SocketId, at: Timestamp)
    -> StoreResult<Arrival>;

    /// Removes a device. The last one makes the user `offline`.
    async fn depart(
        &self,
        user: &UserId,
        device: &SocketId,
        at: Timestamp,
    ) -> StoreResult<Departure>;

    /// Notes that a device's transport has ended: it counts, but where the node is not sure of its
    /// place any more it is not brought back. Most stores need not know.
    fn waver(&self, device: &SocketId) {
        let _ = device;
    }

    /// Sets the status of a user who is there; absent when the user is offline.
    async fn set(&self, user: &UserId, status: Status, at: Timestamp)
    -> StoreResult<Option<Known>>;

    /// Whether what an earlier run knew is missing, and it is for the caller to restore it. Asked
    /// again and again: a store that others share may lose all it has at any time.
    async fn is_vacant(&self) -> StoreResult<bool>;

    /// Takes over what an earlier run knew, in the order in which users were seen. Who was there
    /// then and does not come back has gone with it: they are offline, where no other node can have
    /// them since `now`.
    async fn restore(&self, seen: Vec<SeenUser>, now: Timestamp) -> StoreResult<()>;

    /// Users whose status has changed after a version, each with the newest change only, at most
    /// `limit` of them in the order of their changes. Versions rise with time, over restarts too:
    /// those from this time on are greater than `Timestamp::as_ms` times [`VERSIONS_PER_MS`].
    async fn changed_since(&self, version: u64, limit: usize) -> StoreResult<Vec<ChangedUser>>;

    /// The presence of each of these users, in their order.
    async fn get(&self, users: &[UserId]) -> StoreResult<Vec<Presence>>;

    /// How a user is, and since which change.
    async fn known(&self, user: &UserId) -> StoreResult<Known>;

    /// The user of a device.
    async fn owner(&self, device: &SocketId) -> StoreResult<Option<UserId>>;

    /// The changes that are not noted as saved, at most `limit` of them in their order. Where nodes
    /// share the store, one of them at a time gets them.
    async fn unsaved(&self, limit: usize) -> StoreResult<Vec<ChangedUser>>;

    /// Notes that the changes up to this version are saved.
    async fn saved(&self, version: u64) -> StoreResult<()>;
}
