//! The port of webhooks.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{SqliteStore, rows};
use crate::{
    domain::{EntryId, Timestamp},
    ports::{DueHooks, Hook, HookNote, HookStore, HookSubject, StoreResult, VERSIONS_PER_MS},
};

#[async_trait]
impl HookStore for SqliteStore {
    async fn note(&self, notes: Vec<HookNote>, max_pending: u64) -> StoreResult<u64> {
        self.write(move |connection| note(connection, &notes, max_pending))
            .await
    }

    async fn due(&self, at: Timestamp, limit: usize) -> StoreResult<DueHooks> {
        self.read(move |connection| due(connection, at, limit))
            .await
    }

    async fn settle(&self, number: u64) -> StoreResult<()> {
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM hooks WHERE number = ?1")?
                .execute([rows::from_seq(number)])
                .map(drop)
        })
        .await
    }

    async fn postpone(&self, number: u64, attempts: u32, due_at: Timestamp) -> StoreResult<()> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    // What waits for it need not be looked at before.
                    "UPDATE hooks SET due_at = ?3,
                         attempts = CASE number WHEN ?1 THEN ?2 ELSE attempts END
                     WHERE subject = (SELECT subject FROM hooks WHERE number = ?1)
                         AND (number = ?1 OR due_at < ?3)",
                )?
                .execute(params![rows::from_seq(number), attempts, due_at.as_ms()])
                .map(drop)
        })
        .await
    }

    async fn there(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> StoreResult<Vec<HookSubject>> {
        let (prefix, after) = (prefix.to_owned(), after.to_owned());
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT subject, version, data FROM hook_subjects
                     WHERE subject >= ?1 AND subject < ?1 || char(1114111) AND subject > ?2
                         AND state <> '' ORDER BY subject LIMIT ?3",
                )?
                .query_map(params![prefix, after, limit as i64], subject)?
                .collect()
        })
        .await
    }

    async fn nodes(&self) -> StoreResult<Vec<String>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT DISTINCT node FROM hook_subjects
                     WHERE node IS NOT NULL AND state <> ''",
                )?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .await
    }

    async fn of_node(&self, node: &str, limit: usize) -> StoreResult<Vec<HookSubject>> {
        let node = node.to_owned();
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT subject, version, data FROM hook_subjects
                     WHERE node = ?1 AND node IS NOT NULL AND state <> ''
                     ORDER BY subject LIMIT ?2",
                )?
                .query_map(params![node, limit as i64], subject)?
                .collect()
        })
        .await
    }

    async fn forget(&self, before: Timestamp) -> StoreResult<()> {
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM hook_subjects WHERE state = '' AND noted_at < ?1")?
                .execute([before.as_ms()])
                .map(drop)
        })
        .await
    }
}

fn note(connection: &Connection, notes: &[HookNote], max_pending: u64) -> rusqlite::Result<u64> {
    let now = Timestamp::now().as_ms();
    let mut pending = pending(connection)?;
    let mut dropped = 0;
    for note in notes {
        let known: Option<(String, i64, Option<String>)> = connection
            .prepare_cached("SELECT state, version, node FROM hook_subjects WHERE subject = ?1")?
            .query_row([&note.subject], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let (state, known_version, node) = known.unwrap_or_default();
        let has_gone = note.state.is_empty();
        if has_gone && node.is_some() && note.node.is_some() && node != note.node {
            continue;
        }
        let given = note.version.map(rows::from_seq);
        if given.is_some_and(|given| given <= known_version) {
            continue;
        }
        let version = given.unwrap_or_else(|| match known_version {
            0 => now.saturating_mul(VERSIONS_PER_MS as i64),
            known => known + 1,
        });
        if let Some(kind) = note.kind.filter(|_| note.state != state) {
            if pending >= max_pending {
                dropped += 1;
                continue;
            }
            pending += 1;
            let id = EntryId::generate();
            connection
                .prepare_cached(
                    "INSERT INTO hooks (id, subject, kind, version, data, due_at, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                )?
                .execute(params![
                    id.as_str(),
                    note.subject,
                    kind,
                    version,
                    note.data,
                    now
                ])?;
        }
        connection
            .prepare_cached(
                "INSERT INTO hook_subjects (subject, state, version, node, data, noted_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (subject) DO UPDATE SET state = excluded.state,
                     version = excluded.version, node = excluded.node, data = excluded.data,
                     noted_at = excluded.noted_at",
            )?
            .execute(params![
                note.subject,
                note.state,
                version,
                note.node.as_ref().filter(|_| !has_gone),
                note.data,
                now
            ])?;
    }
    Ok(dropped)
}

fn pending(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT count(*) FROM hooks")?
        .query_row([], |row| row.get(0).map(rows::to_seq))
}

fn due(connection: &Connection, at: Timestamp, limit: usize) -> rusqlite::Result<DueHooks> {
    let hooks = connection
        .prepare_cached(
            "SELECT number, id, kind, version, data, attempts, created_at FROM hooks
             WHERE due_at <= ?1 AND NOT EXISTS (
                 SELECT 1 FROM hooks earlier
                 WHERE earlier.subject = hooks.subject AND earlier.number < hooks.number
             )
             ORDER BY due_at, number LIMIT ?2",
        )?
        .query_map(params![at.as_ms(), limit as i64], hook)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(DueHooks {
        hooks,
        pending: pending(connection)?,
    })
}

fn hook(row: &Row<'_>) -> rusqlite::Result<Hook> {
    Ok(Hook {
        number: row.get(0).map(rows::to_seq)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        version: row.get(3).map(rows::to_seq)?,
        data: row.get(4)?,
        attempts: row.get(5)?,
        created_at: Timestamp::from_ms(row.get(6)?),
    })
}

fn subject(row: &Row<'_>) -> rusqlite::Result<HookSubject> {
    Ok(HookSubject {
        subject: row.get(0)?,
        version: row.get(1).map(rows::to_seq)?,
        data: row.get(2)?,
    })
}
