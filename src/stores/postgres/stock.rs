//! The stock's port.

use async_trait::async_trait;
use sqlx::Row;

use super::{PostgresStore, rows};
use crate::{
    domain::ProductId,
    ports::{Stock, StockStore, StoreResult},
};

#[async_trait]
impl StockStore for PostgresStore {
    async fn put(
        &self,
        product: &ProductId,
        inventory: serde_json::Number,
    ) -> StoreResult<Option<u64>> {
        let statement = sqlx::query(
            "INSERT INTO stock (product, inventory) VALUES ($1, $2)
             ON CONFLICT (product) DO UPDATE
             SET inventory = excluded.inventory, number = stock.number + 1
             RETURNING number",
        )
        .bind(product.as_str())
        .bind(inventory.to_string());
        let number = self
            .pool
            .change(statement, |row| Ok(rows::to_number(row.try_get("number")?)));
        number.await
    }

    async fn get(&self, product: &ProductId) -> StoreResult<Option<Stock>> {
        let statement = sqlx::query("SELECT inventory, number FROM stock WHERE product = $1")
            .bind(product.as_str());
        let stock = self.pool.read_one(statement, |row| {
            let inventory = serde_json::from_str(row.try_get("inventory")?);
            Ok(Stock {
                inventory: inventory.map_err(|_| rows::invalid("inventory"))?,
                number: Some(rows::number(row, "number")?),
            })
        });
        stock.await
    }
}
