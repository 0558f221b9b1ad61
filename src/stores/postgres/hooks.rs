//! The port of webhooks.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{
    PostgresStore,
    rows::{self, from_number, to_number},
};
use crate::{
    domain::{EntryId, Timestamp},
    ports::{DueHooks, Hook, HookNote, HookStore, HookSubject, StoreResult, VERSIONS_PER_MS},
};

#[async_trait]
impl HookStore for PostgresStore {
    async fn note(&self, notes: Vec<HookNote>, max_pending: u64) -> StoreResult<u64> {
        let now = Timestamp::now().as_ms();
        let texts = |of: fn(&HookNote) -> &str| notes.iter().map(of).collect::<Vec<_>>();
        let versions = notes.iter().map(|note| note.version.map(from_number));
        let nodes = notes.iter().map(|note| note.node.as_deref());
        let kinds = notes.iter().map(|note| note.kind);
        let ids = notes.iter().map(|_| EntryId::generate().to_string());
        let statement =
            sqlx::query("SELECT note_hooks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS dropped")
                .bind(texts(|note| &note.subject))
                .bind(texts(|note| &note.state))
                .bind(versions.collect::<Vec<_>>())
                .bind(nodes.collect::<Vec<_>>())
                .bind(kinds.collect::<Vec<_>>())
                .bind(texts(|note| &note.data))
                .bind(ids.collect::<Vec<_>>())
                .bind(now)
                .bind(now.saturating_mul(VERSIONS_PER_MS as i64))
                .bind(from_number(max_pending));
        let dropped = self.pool.change(statement, |row| row.try_get("dropped"));
        Ok(to_number(dropped.await?.unwrap_or(0)))
    }

    async fn due(&self, at: Timestamp, limit: usize) -> StoreResult<DueHooks> {
        let hooks = sqlx::query(
            "SELECT * FROM hooks WHERE due_at <= $1 AND NOT EXISTS (
                 SELECT FROM hooks AS earlier
                 WHERE earlier.subject = hooks.subject AND earlier.number < hooks.number
             )
             ORDER BY due_at, number LIMIT $2",
        )
        .bind(at.as_ms())
        .bind(rows::limit(limit));
        let hooks = self.pool.read(hooks, hook).await?;
        let pending = sqlx::query("SELECT count(*) AS pending FROM hooks");
        let pending = self
            .pool
            .read_one(pending, |row| rows::number(row, "pending"));
        Ok(DueHooks {
            hooks,
            pending: pending.await?.unwrap_or(0),
        })
    }

    async fn settle(&self, number: u64) -> StoreResult<()> {
        let statement =
            sqlx::query("DELETE FROM hooks WHERE number = $1").bind(from_number(number));
        self.pool.write(statement).await.map(drop)
    }

    async fn postpone(&self, number: u64, attempts: u32, due_at: Timestamp) -> StoreResult<()> {
        // What waits for it need not be looked at before.
        let statement = sqlx::query(
            "UPDATE hooks SET due_at = $3,
                 attempts = CASE number WHEN $1 THEN $2 ELSE attempts END
             WHERE subject = (SELECT subject FROM hooks WHERE number = $1)
                 AND (number = $1 OR due_at < $3)",
        )
        .bind(from_number(number))
        .bind(i64::from(attempts))
        .bind(due_at.as_ms());
        self.pool.write(statement).await.map(drop)
    }

    async fn there(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> StoreResult<Vec<HookSubject>> {
        let statement = sqlx::query(
            "SELECT subject, version, data FROM hook_subjects
             WHERE subject >= $1 AND starts_with(subject, $1) AND subject > $2 AND state <> ''
             ORDER BY subject LIMIT $3",
        )
        .bind(prefix)
        .bind(after)
        .bind(rows::limit(limit));
        self.pool.read(statement, subject).await
    }

    async fn nodes(&self) -> StoreResult<Vec<String>> {
        let statement = sqlx::query(
            "SELECT DISTINCT node FROM hook_subjects WHERE node IS NOT NULL AND state <> ''",
        );
        self.pool.read(statement, |row| row.try_get("node")).await
    }

    async fn of_node(&self, node: &str, limit: usize) -> StoreResult<Vec<HookSubject>> {
        let statement = sqlx::query(
            "SELECT subject, version, data FROM hook_subjects WHERE node = $1 AND state <> ''
             ORDER BY subject LIMIT $2",
        )
        .bind(node)
        .bind(rows::limit(limit));
        self.pool.read(statement, subject).await
    }

    async fn forget(&self, before: Timestamp) -> StoreResult<()> {
        let statement = sqlx::query("DELETE FROM hook_subjects WHERE state = '' AND noted_at < $1")
            .bind(before.as_ms());
        self.pool.write(statement).await.map(drop)
    }
}

fn hook(row: &PgRow) -> sqlx::Result<Hook> {
    let attempts: i64 = row.try_get("attempts")?;
    Ok(Hook {
        number: rows::number(row, "number")?,
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        version: rows::number(row, "version")?,
        data: row.try_get("data")?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        created_at: rows::time(row, "created_at")?,
    })
}

fn subject(row: &PgRow) -> sqlx::Result<HookSubject> {
    Ok(HookSubject {
        subject: row.try_get("subject")?,
        version: rows::number(row, "version")?,
        data: row.try_get("data")?,
    })
}
