//! Which users are in which chat rooms, in the whole cluster.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{Room, UserId};

/// How a room is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomState {
    /// Whether anybody is in it.
    pub is_occupied: bool,
    /// Greater than that of any state that was read before, by any node.
    pub version: u64,
}

/// The users in chat rooms. Each node says which of its own users are in a room, where a user is
/// as long as one of the node's devices is. What is said twice changes nothing.
#[async_trait]
pub trait Occupancy: Send + Sync + 'static {
    /// A user is in a room by a device of this node; whether the others are to be told: no other
    /// node has the user in the room. `name`: what the user is called when they leave with the
    /// node.
    async fn entered(&self, room: &Room, user: &UserId, name: &str) -> StoreResult<bool>;

    /// A user is in a room by no device of this node any more; whether the others are to be told:
    /// no other node has the user in the room.
    async fn left(&self, room: &Room, user: &UserId) -> StoreResult<bool>;

    /// Whether anybody is in the room. Fails while other nodes cannot be asked.
    async fn state_of(&self, room: &Room) -> StoreResult<RoomState>;

    /// The users in the room, each once, sorted by id.
    async fn users_in(&self, room: &Room) -> StoreResult<Vec<UserId>>;

    /// The chat rooms in which the user is, each once, sorted.
    async fn rooms_of(&self, user: &UserId) -> StoreResult<Vec<Room>>;
}
