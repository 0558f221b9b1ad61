//! The last position of each driver, for as long as it is fresh.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{DriverId, Position};

/// Positions by driver.
#[async_trait]
pub trait PositionStore: Send + Sync + 'static {
    /// Keeps a position for as long as it is fresh, unless a newer one (by its `timestamp`) is
    /// known; whether it was kept.
    async fn put(
        &self,
        driver: &DriverId,
        position: Position,
        fresh_for: Duration,
    ) -> StoreResult<bool>;

    /// The last position that has not lapsed.
    async fn get(&self, driver: &DriverId) -> StoreResult<Option<Position>>;

    /// Waits until positions lapse that nothing newer has replaced, and forgets them. Each is
    /// returned once, to one node of those that share the store; one task of a node waits.
    async fn lapsed(&self) -> StoreResult<Vec<(DriverId, Position)>>;
}
