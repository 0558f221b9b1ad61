//! Which devices of which users are there.

use async_trait::async_trait;

use super::{SeenUser, StoreResult};
use crate::domain::{Presence, SocketId, Status, Timestamp, UserId};

/// What a device's arrival changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The user was offline.
    CameOnline,
    /// The user was there already.
    WasThere,
}

/// What a device's departure changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It was the user's last device.
    WentOffline(Presence),
    /// Other devices remain, or the device was not known.
    StillThere,
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

    /// Sets the status of a user who is there; absent when the user is offline.
    async fn set(
        &self,
        user: &UserId,
        status: Status,
        at: Timestamp,
    ) -> StoreResult<Option<Presence>>;

    /// Takes over what an earlier run knew, in the order in which users were seen. Who was there
    /// then has gone with it: they are offline since `now`.
    async fn restore(&self, seen: Vec<SeenUser>, now: Timestamp) -> StoreResult<()>;

    /// Users whose status has changed after a version, each with the newest change only, at most
    /// `limit` of them in the order of their changes. Versions rise with time, over restarts too:
    /// those from this time on are greater than `Timestamp::as_ms` times [`VERSIONS_PER_MS`].
    async fn changed_since(&self, version: u64, limit: usize) -> StoreResult<Vec<ChangedUser>>;

    /// The presence of each of these users, in their order.
    async fn get(&self, users: &[UserId]) -> StoreResult<Vec<Presence>>;
}
