//! The operator's own word on who may enter a room.

use async_trait::async_trait;

use crate::domain::{RoomId, User};

/// Asks whether a user may enter a room. A failure to get an answer is a refusal.
#[async_trait]
pub trait RoomGate: Send + Sync + 'static {
    /// Whether the user may enter.
    async fn admits(&self, user: &User, room: &RoomId) -> bool;
}
