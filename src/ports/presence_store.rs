//! Which devices of which users are there.

use async_trait::async_trait;

use super::StoreResult;
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

    /// The presence of each of these users, in their order.
    async fn get(&self, users: &[UserId]) -> StoreResult<Vec<Presence>>;
}
