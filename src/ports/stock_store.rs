//! The last known stock of each product.

use async_trait::async_trait;

use serde_json::Number;

use super::StoreResult;
use crate::domain::ProductId;

/// A product's stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// How much there is.
    pub inventory: Number,
    /// Where several nodes may set it: which one this is; later ones have greater numbers.
    pub number: Option<u64>,
}

/// Stock by product.
#[async_trait]
pub trait StockStore: Send + Sync + 'static {
    /// Keeps a product's stock, replacing the one before. Where several nodes may do so: the stock's
    /// number; later ones have greater ones.
    async fn put(&self, product: &ProductId, inventory: Number) -> StoreResult<Option<u64>>;

    /// The last known stock.
    async fn get(&self, product: &ProductId) -> StoreResult<Option<Stock>>;
}
