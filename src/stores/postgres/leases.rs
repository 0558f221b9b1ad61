//! The leases' port.

use std::time::Duration;

use async_trait::async_trait;

use super::PostgresStore;
use crate::ports::{Leases, StoreResult};

#[async_trait]
impl Leases for PostgresStore {
    async fn hold(&self, name: &str, holder: &str, ttl: Duration) -> StoreResult<bool> {
        // The time goes on while another holder's statement is waited for.
        let statement = sqlx::query(
            "INSERT INTO leases (name, holder, lapses_at)
             VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
             ON CONFLICT (name) DO UPDATE SET
                 holder = excluded.holder, lapses_at = excluded.lapses_at
             WHERE leases.holder = excluded.holder OR leases.lapses_at <= clock_timestamp()",
        )
        .bind(name)
        .bind(holder)
        .bind(ttl.as_secs_f64());
        Ok(self.pool.write(statement).await? > 0)
    }

    async fn release(&self, name: &str, holder: &str) -> StoreResult<()> {
        let statement = sqlx::query("DELETE FROM leases WHERE name = $1 AND holder = $2")
            .bind(name)
            .bind(holder);
        self.pool.write(statement).await.map(drop)
    }
}
