//! The last position of each driver.

use std::{
    collections::{HashMap, hash_map},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    domain::{DriverId, Position},
    ports::{PositionStore, StoreResult},
    services::Deadlines,
    sparse,
};

/// Positions by driver; clones share them.
#[derive(Clone)]
pub struct MemoryPositions(Arc<State>);

struct State {
    positions: Mutex<HashMap<DriverId, Position>>,
    fresh: Deadlines<DriverId, ()>,
}

impl Default for MemoryPositions {
    fn default() -> Self {
        Self(Arc::new(State {
            positions: Mutex::default(),
            fresh: Deadlines::new(),
        }))
    }
}

#[async_trait]
impl PositionStore for MemoryPositions {
    async fn put(
        &self,
        driver: &DriverId,
        position: Position,
        fresh_for: Duration,
    ) -> StoreResult<bool> {
        let mut positions = self.0.positions.lock();
        Ok(match positions.entry(driver.clone()) {
            hash_map::Entry::Occupied(known) if known.get().timestamp > position.timestamp => false,
            place => {
                place.insert_entry(position);
                self.0.fresh.set(driver.clone(), (), fresh_for);
                true
            }
        })
    }

    async fn get(&self, driver: &DriverId) -> StoreResult<Option<Position>> {
        Ok(self.0.positions.lock().get(driver).cloned())
    }

    async fn lapsed(&self) -> StoreResult<Vec<(DriverId, Position)>> {
        loop {
            let (driver, ()) = self.0.fresh.next().await;
            let mut positions = self.0.positions.lock();
            // A report may have come just then; its own deadline stands.
            if self.0.fresh.is_live(&driver) {
                continue;
            }
            if let Some(position) = positions.remove(&driver) {
                sparse::shrink(&mut positions);
                return Ok(vec![(driver, position)]);
            }
        }
    }
}
