//! What is in stock, told to those who look at that product.

use std::sync::Arc;

use serde_json::Number;
use tokio::sync::MutexGuard;

use super::locks::KeyedLocks;
use crate::{
    domain::{ProductId, Room},
    error::Result,
    ports::{Emit, Emitter, Stock, StockStore, ValueOf},
};

/// The event that carries a product's stock.
const INVENTORY_UPDATE: &str = "inventory-update";

/// Stock.
pub struct Inventory {
    stock: Arc<dyn StockStore>,
    emitter: Arc<dyn Emitter>,
    changes: KeyedLocks,
}

impl Inventory {
    /// On what is stored.
    pub fn new(stock: Arc<dyn StockStore>, emitter: Arc<dyn Emitter>) -> Self {
        Self {
            stock,
            emitter,
            changes: KeyedLocks::default(),
        }
    }

    /// Holds the product's stock as it is, so that what is read meanwhile is not overtaken by what
    /// is emitted.
    pub async fn hold(&self, product: &ProductId) -> MutexGuard<'_, ()> {
        self.changes.lock(product).await
    }

    /// Sets a product's stock; its watchers hear `inventory-update` with the number.
    pub async fn set(&self, product: &ProductId, inventory: Number) -> Result<()> {
        let _order = self.hold(product).await;
        let number = self.stock.put(product, inventory.clone()).await?;
        let stock = Stock { inventory, number };
        show(&*self.emitter, &Room::product(product), product, &stock);
        Ok(())
    }

    /// The last known stock.
    pub async fn get(&self, product: &ProductId) -> Result<Option<Stock>> {
        Ok(self.stock.get(product).await?)
    }
}

/// Tells the stock to a room, unless a newer one was told.
pub(super) fn show(by: &dyn Emitter, to: &Room, product: &ProductId, stock: &Stock) {
    let to = std::slice::from_ref(to);
    by.emit(Emit::latest(of(product), to, &stock.inventory).numbered(stock.number));
}

/// What its watchers are told the latest value of.
pub(super) fn of(product: &ProductId) -> ValueOf<'_> {
    ValueOf {
        event: INVENTORY_UPDATE,
        key: product.as_str(),
    }
}
