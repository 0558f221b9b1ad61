//! The payments' port.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Params, Row, params, types::Type};

use super::{SqliteStore, rows};
use crate::{
    domain::{Amount, Outcome, Payment, PaymentId, SocketId, Timestamp, UserId},
    ports::{PaymentStore, StoreResult},
};

#[async_trait]
impl PaymentStore for SqliteStore {
    async fn create(&self, payment: Payment) -> StoreResult<()> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO payments (id, amount, socket, user, created_at, outcome)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    payment.id.as_str(),
                    payment.amount.get(),
                    payment.socket.as_str(),
                    payment.user.as_ref().map(UserId::as_str),
                    payment.created_at.as_ms(),
                    payment.outcome.map(Outcome::as_bool),
                ])
                .map(drop)
        })
        .await
    }

    async fn get(&self, id: &PaymentId) -> StoreResult<Option<Payment>> {
        let id = id.clone();
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT id, amount, socket, user, created_at, outcome FROM payments
                     WHERE id = ?1",
                )?
                .query_row([id.as_str()], payment)
                .optional()
        })
        .await
    }

    async fn settle(&self, id: &PaymentId, outcome: Outcome) -> StoreResult<Option<Payment>> {
        let id = id.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE payments SET outcome = ?2 WHERE id = ?1 AND outcome IS NULL
                     RETURNING id, amount, socket, user, created_at, outcome",
                )?
                .query_row(params![id.as_str(), outcome.as_bool()], payment)
                .optional()
        })
        .await
    }

    async fn mark_told(&self, id: &PaymentId, attempt: &str) -> StoreResult<bool> {
        let (id, attempt) = (id.clone(), attempt.to_owned());
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE payments SET told = 1, told_by = ?2
                     WHERE id = ?1 AND (told = 0 OR told_by = ?2)",
                )?
                .execute([id.as_str(), attempt.as_str()])
                .map(|changed| changed > 0)
        })
        .await
    }

    async fn untold(&self, user: &UserId) -> StoreResult<Vec<Payment>> {
        let user = user.clone();
        self.read(move |connection| {
            list(
                connection,
                "SELECT id, amount, socket, user, created_at, outcome FROM payments
                 WHERE user = ?1 AND outcome IS NOT NULL AND told = 0
                 ORDER BY created_at, id LIMIT 100",
                [user.as_str()],
            )
        })
        .await
    }

    async fn unsettled(&self) -> StoreResult<Vec<Payment>> {
        self.read(|connection| {
            list(
                connection,
                "SELECT id, amount, socket, user, created_at, outcome FROM payments
                 WHERE outcome IS NULL ORDER BY created_at, id",
                [],
            )
        })
        .await
    }
}

fn list(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Payment>> {
    connection
        .prepare_cached(sql)?
        .query_map(params, payment)?
        .collect()
}

fn payment(row: &Row<'_>) -> rusqlite::Result<Payment> {
    let outcome: Option<bool> = row.get(5)?;
    Ok(Payment {
        id: rows::text(row, 0, PaymentId::new)?,
        amount: Amount::new(row.get(1)?).ok_or_else(|| rows::invalid(1, Type::Real))?,
        socket: rows::text(row, 2, SocketId::new)?,
        user: rows::optional_text(row, 3, UserId::new)?,
        created_at: Timestamp::from_ms(row.get(4)?),
        outcome: outcome.map(|succeeded| match succeeded {
            true => Outcome::Succeeded,
            false => Outcome::Failed,
        }),
    })
}
