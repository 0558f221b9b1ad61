//! Who belongs to a room, whether connected or not.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{RoomId, UserId};

/// A room of a user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The room.
    pub room: RoomId,
    /// The newest position when a backend ended the membership; none for a member.
    pub lost: Option<u64>,
}

/// The member list of each room.
#[async_trait]
pub trait MemberStore: Send + Sync + 'static {
    /// Makes the user a member; nothing changes if they are.
    async fn add(&self, room: &RoomId, user: &UserId) -> StoreResult<()>;

    /// Ends the membership as the user wants it; whether there was one.
    async fn leave(&self, room: &RoomId, user: &UserId) -> StoreResult<bool>;

    /// The user's rooms and those that were taken from them, by room, at most `limit` of them.
    async fn rooms_of(&self, user: &UserId, limit: usize) -> StoreResult<Vec<Membership>>;

    /// Those of `others` who share a room with the user.
    async fn roommates(&self, user: &UserId, others: Vec<UserId>) -> StoreResult<Vec<UserId>>;

    /// Takes the membership from the user; whether there was one.
    async fn remove(&self, room: &RoomId, user: &UserId) -> StoreResult<bool>;

    /// Whether the user is a member.
    async fn contains(&self, room: &RoomId, user: &UserId) -> StoreResult<bool>;
}
