//! The port of last-seen times.

use async_trait::async_trait;
use rusqlite::params;

use super::{SqliteStore, rows};
use crate::{
    domain::{Timestamp, UserId},
    ports::{SeenStore, SeenUser, StoreResult},
};

#[async_trait]
impl SeenStore for SqliteStore {
    async fn save(&self, seen: Vec<SeenUser>) -> StoreResult<()> {
        self.write(move |connection| {
            let mut insert = connection.prepare_cached(
                "INSERT INTO presence (user, last_seen, there) VALUES (?1, ?2, ?3)
                 ON CONFLICT (user) DO UPDATE
                 SET last_seen = excluded.last_seen, there = excluded.there",
            )?;
            for one in &seen {
                insert.execute(params![one.user.as_str(), one.last_seen.as_ms(), one.there])?;
            }
            Ok(())
        })
        .await
    }

    async fn load(&self, limit: usize) -> StoreResult<Vec<SeenUser>> {
        self.write(move |connection| {
            connection.execute(
                "DELETE FROM presence WHERE user IN
                 (SELECT user FROM presence ORDER BY last_seen DESC LIMIT -1 OFFSET ?1)",
                [limit as i64],
            )?;
            connection
                .prepare("SELECT user, last_seen, there FROM presence ORDER BY last_seen")?
                .query_map([], |row| {
                    Ok(SeenUser {
                        user: rows::text(row, 0, UserId::new)?,
                        last_seen: Timestamp::from_ms(row.get(1)?),
                        there: row.get(2)?,
                    })
                })?
                .collect()
        })
        .await
    }
}
