//! Who belongs to a room, whether connected or not.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{RoomId, UserId};

/// The member list of each room.
#[async_trait]
pub trait MemberStore: Send + Sync + 'static {
    /// Makes the user a member; nothing changes if they are.
    async fn add(&self, room: &RoomId, user: &UserId) -> StoreResult<()>;

    /// Ends the membership; whether there was one.
    async fn remove(&self, room: &RoomId, user: &UserId) -> StoreResult<bool>;

    /// Whether the user is a member.
    async fn contains(&self, room: &RoomId, user: &UserId) -> StoreResult<bool>;
}
