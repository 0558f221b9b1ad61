//! The stock's port.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, types::Type};

use super::{SqliteStore, rows};
use crate::{
    domain::ProductId,
    ports::{Stock, StockStore, StoreResult},
};

#[async_trait]
impl StockStore for SqliteStore {
    async fn put(
        &self,
        product: &ProductId,
        inventory: serde_json::Number,
    ) -> StoreResult<Option<u64>> {
        let product = product.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO stock (product, inventory) VALUES (?1, ?2)
                     ON CONFLICT (product) DO UPDATE SET inventory = excluded.inventory",
                )?
                // As text: JSON's numbers cover more than SQLite's integers do.
                .execute([product.as_str(), &inventory.to_string()])
                .map(|_| None)
        })
        .await
    }

    async fn get(&self, product: &ProductId) -> StoreResult<Option<Stock>> {
        let product = product.clone();
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT inventory FROM stock WHERE product = ?1")?
                .query_row([product.as_str()], |row| {
                    let text: String = row.get(0)?;
                    let inventory = serde_json::from_str(&text);
                    Ok(Stock {
                        inventory: inventory.map_err(|_| rows::invalid(0, Type::Text))?,
                        number: None,
                    })
                })
                .optional()
        })
        .await
    }
}
