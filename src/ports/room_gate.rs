//! The operator's own word on who may enter a room.

use async_trait::async_trait;

use crate::domain::{RoomId, User};

/// There was no answer in time, or none that can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateSilent;

/// Asks whether a user may enter a room.
#[async_trait]
pub trait RoomGate: Send + Sync + 'static {
    /// Whether the user may enter.
    async fn admits(&self, user: &User, room: &RoomId) -> Result<bool, GateSilent>;
}
