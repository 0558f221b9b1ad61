//! Which users are in which chat rooms, where one node is all there is.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    domain::{Room, UserId},
    ports::{Occupancy, Sockets, StoreResult},
};

/// What the node's own sockets say.
#[derive(Clone)]
pub struct MemoryOccupancy(Arc<dyn Sockets>);

impl MemoryOccupancy {
    /// Asks these sockets.
    pub fn new(sockets: Arc<dyn Sockets>) -> Self {
        Self(sockets)
    }
}

#[async_trait]
impl Occupancy for MemoryOccupancy {
    async fn entered(&self, _: &Room, _: &UserId, _: &str) -> StoreResult<bool> {
        Ok(true)
    }

    async fn left(&self, _: &Room, _: &UserId) -> StoreResult<bool> {
        Ok(true)
    }

    async fn users_in(&self, room: &Room) -> StoreResult<Vec<UserId>> {
        Ok(self.0.users_in(room))
    }

    async fn rooms_of(&self, user: &UserId) -> StoreResult<Vec<Room>> {
        Ok(self.0.chat_rooms_of(user))
    }
}
