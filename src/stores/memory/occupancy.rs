//! Which users are in which chat rooms, where one node is all there is.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    domain::{Room, Timestamp, UserId},
    ports::{Occupancy, RoomState, Sockets, StoreResult, VERSIONS_PER_MS},
};

/// What the node's own sockets say.
#[derive(Clone)]
pub struct MemoryOccupancy {
    sockets: Arc<dyn Sockets>,
    /// Of the last state that was read.
    version: Arc<Mutex<u64>>,
}

impl MemoryOccupancy {
    /// Asks these sockets.
    pub fn new(sockets: Arc<dyn Sockets>) -> Self {
        Self {
            sockets,
            version: Arc::default(),
        }
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

    async fn state_of(&self, room: &Room) -> StoreResult<RoomState> {
        let mut version = self.version.lock();
        let by_time = u64::try_from(Timestamp::now().as_ms()).unwrap_or(0) * VERSIONS_PER_MS;
        *version = by_time.max(*version + 1);
        Ok(RoomState {
            is_occupied: self.sockets.is_anyone_in(room),
            version: *version,
        })
    }

    async fn users_in(&self, room: &Room) -> StoreResult<Vec<UserId>> {
        Ok(self.sockets.users_in(room))
    }

    async fn rooms_of(&self, user: &UserId) -> StoreResult<Vec<Room>> {
        Ok(self.sockets.chat_rooms_of(user))
    }
}
