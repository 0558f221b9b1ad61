//! The payments' port.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{PostgresStore, rows};
use crate::{
    domain::{Amount, Outcome, Payment, PaymentId, SocketId, UserId},
    ports::{PaymentStore, StoreResult},
};

#[async_trait]
impl PaymentStore for PostgresStore {
    async fn create(&self, payment: Payment) -> StoreResult<()> {
        let statement = sqlx::query(
            "INSERT INTO payments (id, amount, socket, user_id, created_at, outcome)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(payment.id.as_str())
        .bind(payment.amount.get())
        .bind(payment.socket.as_str())
        .bind(payment.user.as_ref().map(UserId::as_str))
        .bind(payment.created_at.as_ms())
        .bind(payment.outcome.map(Outcome::as_bool));
        self.pool.write(statement).await.map(drop)
    }

    async fn get(&self, id: &PaymentId) -> StoreResult<Option<Payment>> {
        let statement = sqlx::query("SELECT * FROM payments WHERE id = $1").bind(id.as_str());
        self.pool.read_one(statement, payment).await
    }

    async fn settle(&self, id: &PaymentId, outcome: Outcome) -> StoreResult<Option<Payment>> {
        let statement = sqlx::query(
            "UPDATE payments SET outcome = $2 WHERE id = $1 AND outcome IS NULL RETURNING *",
        )
        .bind(id.as_str())
        .bind(outcome.as_bool());
        self.pool.change(statement, payment).await
    }

    async fn mark_told(&self, id: &PaymentId, attempt: &str) -> StoreResult<bool> {
        let statement = sqlx::query(
            "UPDATE payments SET told = true, told_by = $2
             WHERE id = $1 AND (NOT told OR told_by = $2)",
        )
        .bind(id.as_str())
        .bind(attempt);
        Ok(self.pool.write(statement).await? > 0)
    }

    async fn untold(&self, user: &UserId) -> StoreResult<Vec<Payment>> {
        let statement = sqlx::query(
            "SELECT * FROM payments WHERE user_id = $1 AND outcome IS NOT NULL AND NOT told
             ORDER BY created_at, id LIMIT 100",
        )
        .bind(user.as_str());
        self.pool.read(statement, payment).await
    }

    async fn unsettled(&self) -> StoreResult<Vec<Payment>> {
        let statement =
            sqlx::query("SELECT * FROM payments WHERE outcome IS NULL ORDER BY created_at, id");
        self.pool.read(statement, payment).await
    }
}

fn payment(row: &PgRow) -> sqlx::Result<Payment> {
    let outcome: Option<bool> = row.try_get("outcome")?;
    let amount = Amount::new(row.try_get("amount")?);
    Ok(Payment {
        id: rows::id(row, "id", PaymentId::new)?,
        amount: amount.ok_or_else(|| rows::invalid("amount"))?,
        socket: rows::id(row, "socket", SocketId::new)?,
        user: rows::optional_id(row, "user_id", UserId::new)?,
        created_at: rows::time(row, "created_at")?,
        outcome: outcome.map(|succeeded| match succeeded {
            true => Outcome::Succeeded,
            false => Outcome::Failed,
        }),
    })
}
