//! The port of sessions that can be recovered. Each run owns what it has saved, until another one
//! saves it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{PostgresStore, rows};
use crate::{
    domain::{Room, SocketId, UserId},
    ports::{SavedSession, SessionStore, StoreResult},
};

/// Says that the owner `$1` is alive.
macro_rules! alive {
    () => {
        "INSERT INTO owners (id, alive_at) VALUES ($1, now())
         ON CONFLICT (id) DO UPDATE SET alive_at = excluded.alive_at"
    };
}

#[async_trait]
impl SessionStore for PostgresStore {
    async fn save(
        &self,
        namespace: &str,
        saved: Vec<SavedSession>,
        gone: Vec<Arc<str>>,
    ) -> StoreResult<()> {
        // Each session once, as it was last, and in one order for all nodes: so none waits for
        // another that waits for it.
        let saved: BTreeMap<_, _> = saved.iter().map(|one| (&*one.pid, one)).collect();
        let gone: BTreeSet<_> = gone.iter().map(|pid| pid.as_bytes()).collect();
        let saved = saved
            .values()
            .filter(|one| !gone.contains(one.pid.as_bytes()));
        let saved: Vec<_> = saved.collect();
        let rooms = |one: &&&SavedSession| {
            let names: Vec<_> = one.rooms.iter().map(Room::as_str).collect();
            serde_json::Value::from(names).to_string()
        };
        let user = |one: &&&SavedSession| one.user.as_ref().map(ToString::to_string);
        let statement = sqlx::query(concat!(
            "WITH alive AS (",
            alive!(),
            "), removed AS (
                 DELETE FROM sessions WHERE namespace = $2 AND pid = ANY ($3) AND owner = $1
             )
             INSERT INTO sessions (namespace, owner, pid, id, user_id, rooms)
             SELECT $2, $1, new.pid, new.id, new.user_id, new.rooms
             FROM unnest($4::bytea[], $5::text[], $6::text[], $7::text[], $8::boolean[])
                 AS new (pid, id, user_id, rooms, is_connected)
             WHERE is_connected OR NOT EXISTS (
                 SELECT FROM sessions other
                 WHERE other.namespace = $2 AND other.pid = new.pid AND other.owner <> $1
             )
             ON CONFLICT (namespace, pid) DO UPDATE SET
                 owner = excluded.owner, id = excluded.id, user_id = excluded.user_id,
                 rooms = excluded.rooms"
        ))
        .bind(&*self.owner)
        .bind(namespace.as_bytes())
        .bind(gone.iter().copied().collect::<Vec<_>>())
        .bind(
            saved
                .iter()
                .map(|one| one.pid.as_bytes())
                .collect::<Vec<_>>(),
        )
        .bind(saved.iter().map(|one| one.id.as_str()).collect::<Vec<_>>())
        .bind(saved.iter().map(user).collect::<Vec<_>>())
        .bind(saved.iter().map(rooms).collect::<Vec<_>>())
        .bind(saved.iter().map(|one| one.is_connected).collect::<Vec<_>>());
        self.pool.write(statement).await.map(drop)
    }

    async fn load(&self, namespace: &str, pid: &str) -> StoreResult<Option<SavedSession>> {
        let statement =
            sqlx::query("SELECT * FROM sessions WHERE namespace = $1 AND pid = $2 AND owner <> $3")
                .bind(namespace.as_bytes())
                .bind(pid.as_bytes())
                .bind(&*self.owner);
        self.pool.read_one(statement, session).await
    }

    async fn only_one_of(
        &self,
        namespace: &str,
        user: &UserId,
    ) -> StoreResult<Option<SavedSession>> {
        let statement = sqlx::query(
            "SELECT * FROM sessions WHERE namespace = $1 AND user_id = $2 AND owner <> $3 LIMIT 2",
        )
        .bind(namespace.as_bytes())
        .bind(user.as_str())
        .bind(&*self.owner);
        let mut its = self.pool.read(statement, session).await?;
        let last = its.pop();
        Ok(last.filter(|_| its.is_empty()))
    }

    async fn forget_older(&self, window: Duration) -> StoreResult<()> {
        // Its sessions go with an owner.
        let statement = sqlx::query(concat!(
            "WITH alive AS (",
            alive!(),
            ")
             DELETE FROM owners
             WHERE id <> $1 AND alive_at < now() - $2 * interval '1 second'"
        ))
        .bind(&*self.owner)
        .bind(window.as_secs_f64());
        self.pool.write(statement).await.map(drop)
    }
}

fn session(row: &PgRow) -> sqlx::Result<SavedSession> {
    let rooms: Vec<String> =
        serde_json::from_str(row.try_get("rooms")?).map_err(|_| rows::invalid("rooms"))?;
    Ok(SavedSession {
        pid: rows::text(row, "pid")?.into(),
        id: rows::id(row, "id", SocketId::new)?,
        user: rows::optional_id(row, "user_id", UserId::new)?,
        rooms: rooms.into_iter().map(Room::named).collect(),
        is_connected: true,
    })
}
