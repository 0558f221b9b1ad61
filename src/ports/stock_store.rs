//! The last known stock of each product.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::ProductId;

/// Stock by product.
#[async_trait]
pub trait StockStore: Send + Sync + 'static {
    /// Keeps a product's stock, replacing the one before. Where several nodes may do so: the stock's
    /// number; later ones have greater ones.
    async fn put(
        &self,
        product: &ProductId,
        inventory: serde_json::Number,
    ) -> StoreResult<Option<u64>>;

    /// The last known stock.
    async fn get(&self, product: &ProductId) -> StoreResult<Option<serde_json::Number>>;
}
