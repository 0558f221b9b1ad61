//! What is in stock, told to those who look at that product.

use std::sync::Arc;

use serde_json::Number;

use crate::{
    domain::{ProductId, Room},
    error::Result,
    ports::{Class, Emit, Emitter, StockStore},
};

/// The event that carries a product's stock.
pub const INVENTORY_UPDATE: &str = "inventory-update";

/// Stock.
pub struct Inventory {
    /// What is known.
    pub stock: Arc<dyn StockStore>,
    /// The way out.
    pub emitter: Arc<dyn Emitter>,
}

impl Inventory {
    /// Sets a product's stock; its watchers hear `inventory-update` with the number.
    pub async fn set(&self, product: &ProductId, inventory: Number) -> Result<()> {
        self.stock.put(product, inventory.clone()).await?;
        let to = [Room::product(product)];
        self.emitter
            .emit(Emit::new(Class::Latest, &to, INVENTORY_UPDATE, &inventory));
        Ok(())
    }

    /// The last known stock.
    pub async fn get(&self, product: &ProductId) -> Result<Option<Number>> {
        Ok(self.stock.get(product).await?)
    }
}
