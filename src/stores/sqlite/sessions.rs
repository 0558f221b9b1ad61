//! The port of sessions that can be recovered.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params, types::Type};

use super::{SqliteStore, rows};
use crate::{
    domain::{Room, SocketId, Timestamp, UserId},
    ports::{SavedSession, SessionStore, StoreResult},
};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn save(
        &self,
        namespace: &str,
        saved: Vec<SavedSession>,
        gone: Vec<Arc<str>>,
    ) -> StoreResult<()> {
        let namespace = namespace.to_owned();
        self.write(move |connection| {
            let now = Timestamp::now().as_ms();
            let mut save = connection.prepare_cached(
                "INSERT INTO sessions (namespace, pid, id, user, rooms, saved_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (namespace, pid) DO UPDATE SET
                     id = excluded.id, user = excluded.user, rooms = excluded.rooms,
                     saved_at = excluded.saved_at",
            )?;
            for session in saved {
                let rooms: Vec<_> = session.rooms.iter().map(Room::as_str).collect();
                save.execute(params![
                    namespace,
                    &*session.pid,
                    session.id.as_str(),
                    session.user.as_ref().map(UserId::as_str),
                    serde_json::Value::from(rooms).to_string(),
                    now,
                ])?;
            }
            let mut remove = connection
                .prepare_cached("DELETE FROM sessions WHERE namespace = ?1 AND pid = ?2")?;
            for pid in gone {
                remove.execute([&*namespace, &*pid])?;
            }
            Ok(())
        })
        .await
    }

    async fn load(&self, namespace: &str, pid: &str) -> StoreResult<Option<SavedSession>> {
        let (namespace, pid) = (namespace.to_owned(), pid.to_owned());
        let opened = self.opened.as_ms();
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT pid, id, user, rooms FROM sessions
                     WHERE namespace = ?1 AND pid = ?2 AND saved_at < ?3",
                )?
                .query_row(params![namespace, pid, opened], session)
                .optional()
        })
        .await
    }

    async fn only_one_of(
        &self,
        namespace: &str,
        user: &UserId,
    ) -> StoreResult<Option<SavedSession>> {
        let (namespace, user, opened) = (namespace.to_owned(), user.clone(), self.opened.as_ms());
        self.read(move |connection| {
            let mut its: Vec<SavedSession> = connection
                .prepare_cached(
                    "SELECT pid, id, user, rooms FROM sessions
                     WHERE namespace = ?1 AND user = ?2 AND saved_at < ?3 LIMIT 2",
                )?
                .query_map(params![namespace, user.as_str(), opened], session)?
                .collect::<rusqlite::Result<_>>()?;
            let last = its.pop();
            Ok(last.filter(|_| its.is_empty()))
        })
        .await
    }

    async fn forget_older(&self, window: Duration) -> StoreResult<()> {
        let is_done = self.forgot_older.load(Ordering::Relaxed);
        if is_done || self.opened.age(Timestamp::now()) < window {
            return Ok(());
        }
        let opened = self.opened.as_ms();
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM sessions WHERE saved_at < ?1")?
                .execute([opened])
                .map(drop)
        })
        .await?;
        self.forgot_older.store(true, Ordering::Relaxed);
        Ok(())
    }
}

fn session(row: &Row<'_>) -> rusqlite::Result<SavedSession> {
    let rooms: String = row.get(3)?;
    let rooms: Vec<String> =
        serde_json::from_str(&rooms).map_err(|_| rows::invalid(3, Type::Text))?;
    Ok(SavedSession {
        pid: row.get(0)?,
        id: rows::text(row, 1, SocketId::new)?,
        user: rows::optional_text(row, 2, UserId::new)?,
        rooms: rooms.into_iter().map(Room::named).collect(),
        is_connected: true,
    })
}
