//! The port of last-seen times.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::Row;

use super::{PostgresStore, rows};
use crate::{
    domain::UserId,
    ports::{SeenStore, SeenUser, StoreResult},
};

#[async_trait]
impl SeenStore for PostgresStore {
    async fn save(&self, seen: Vec<SeenUser>) -> StoreResult<()> {
        // Each user once, as they were seen last, and in one order for all nodes: so none waits for
        // another that waits for it.
        let seen: BTreeMap<_, _> = seen.iter().map(|one| (one.user.as_str(), one)).collect();
        let users: Vec<_> = seen.keys().copied().collect();
        let times: Vec<_> = seen.values().map(|one| one.last_seen.as_ms()).collect();
        let there: Vec<_> = seen.values().map(|one| one.there).collect();
        let statement = sqlx::query(
            "INSERT INTO presence (user_id, last_seen, there) SELECT * FROM unnest($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE
             SET last_seen = excluded.last_seen, there = excluded.there",
        )
        .bind(users)
        .bind(times)
        .bind(there);
        self.pool.write(statement).await.map(drop)
    }

    async fn load(&self, limit: usize) -> StoreResult<Vec<SeenUser>> {
        let others = sqlx::query(
            "DELETE FROM presence WHERE user_id IN
             (SELECT user_id FROM presence ORDER BY last_seen DESC OFFSET $1)",
        )
        .bind(rows::limit(limit));
        self.pool.write(others).await?;
        let all = sqlx::query("SELECT * FROM presence ORDER BY last_seen");
        let seen = self.pool.read(all, |row| {
            Ok(SeenUser {
                user: rows::id(row, "user_id", UserId::new)?,
                last_seen: rows::time(row, "last_seen")?,
                there: row.try_get("there")?,
            })
        });
        seen.await
    }
}
