//! The backends behind the store ports: SQLite or PostgreSQL for what must last, memory or Redis for
//! what may be forgotten.

use async_trait::async_trait;

use crate::ports::{
    FeedStore, HookStore, Leases, MemberStore, PaymentStore, PushStore, RevocationStore, SeenStore,
    SessionStore, StockStore, SubscriptionStore,
};

mod caller;
mod line;
pub mod memory;
mod metrics;
pub mod postgres;
pub mod redis;
pub mod sqlite;

/// A database: every port of what must last.
#[async_trait]
pub trait Durable:
    FeedStore
    + MemberStore
    + PaymentStore
    + StockStore
    + RevocationStore
    + SeenStore
    + SessionStore
    + PushStore
    + SubscriptionStore
    + HookStore
    + Leases
{
    /// Whether it can be written, as far as the last attempt tells.
    fn is_healthy(&self) -> bool;

    /// Commits nothing, to learn whether commits succeed again.
    async fn probe(&self);

    /// Refuses what is new, and finishes what is queued.
    async fn close(&self);
}

#[async_trait]
impl Durable for sqlite::SqliteStore {
    fn is_healthy(&self) -> bool {
        self.is_healthy()
    }

    async fn probe(&self) {
        self.probe().await;
    }

    async fn close(&self) {
        self.close().await;
    }
}

#[async_trait]
impl Durable for postgres::PostgresStore {
    fn is_healthy(&self) -> bool {
        self.is_healthy()
    }

    async fn probe(&self) {
        self.probe().await;
    }

    async fn close(&self) {
        self.close().await;
    }
}
