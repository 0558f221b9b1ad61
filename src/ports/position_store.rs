//! The last position of each driver, for as long as it is fresh.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{DriverId, Position};

/// Positions by driver.
#[async_trait]
pub trait PositionStore: Send + Sync + 'static {
    /// Keeps a position unless a newer one (by its `timestamp`) is known; whether it was kept.
    async fn put(&self, driver: &DriverId, position: Position) -> StoreResult<bool>;

    /// The last position that has not been removed.
    async fn get(&self, driver: &DriverId) -> StoreResult<Option<Position>>;

    /// Removes and returns the driver's position.
    async fn remove(&self, driver: &DriverId) -> StoreResult<Option<Position>>;
}
