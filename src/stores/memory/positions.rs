//! The last position of each driver.

use std::{
    collections::{HashMap, hash_map},
    sync::Arc,
};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    domain::{DriverId, Position},
    ports::{PositionStore, StoreResult},
};

/// Positions by driver; clones share them. Whoever removes what has lapsed bounds its size.
#[derive(Clone, Default)]
pub struct MemoryPositions(Arc<Mutex<HashMap<DriverId, Position>>>);

#[async_trait]
impl PositionStore for MemoryPositions {
    async fn put(&self, driver: &DriverId, position: Position) -> StoreResult<bool> {
        Ok(match self.0.lock().entry(driver.clone()) {
            hash_map::Entry::Occupied(known) if known.get().timestamp > position.timestamp => false,
            place => {
                place.insert_entry(position);
                true
            }
        })
    }

    async fn get(&self, driver: &DriverId) -> StoreResult<Option<Position>> {
        Ok(self.0.lock().get(driver).cloned())
    }

    async fn remove(&self, driver: &DriverId) -> StoreResult<Option<Position>> {
        Ok(self.0.lock().remove(driver))
    }
}
