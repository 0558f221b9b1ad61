//! The member lists' port.

use async_trait::async_trait;
use rusqlite::params;

use super::{SqliteStore, rows};
use crate::{
    domain::{RoomId, UserId},
    ports::{MemberStore, Membership, StoreResult},
};

#[async_trait]
impl MemberStore for SqliteStore {
    async fn add(&self, room: &RoomId, user: &UserId) -> StoreResult<()> {
        let (room, user) = (room.clone(), user.clone());
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO members (room, user) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET lost = NULL WHERE lost IS NOT NULL",
                )?
                .execute([room.as_str(), user.as_str()])
                .map(drop)
        })
        .await
    }

    async fn leave(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        let (room, user) = (room.clone(), user.clone());
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM members WHERE room = ?1 AND user = ?2")?
                .execute([room.as_str(), user.as_str()])
                .map(|left| left > 0)
        })
        .await
    }

    async fn rooms_of(&self, user: &UserId, limit: usize) -> StoreResult<Vec<Membership>> {
        let user = user.clone();
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT room, lost FROM members WHERE user = ?1 ORDER BY room LIMIT ?2",
                )?
                .query_map(params![user.as_str(), limit as i64], |row| {
                    let lost: Option<i64> = row.get(1)?;
                    Ok(Membership {
                        room: rows::text(row, 0, RoomId::new)?,
                        lost: lost.map(rows::to_seq),
                    })
                })?
                .collect()
        })
        .await
    }

    async fn roommates(&self, user: &UserId, others: Vec<UserId>) -> StoreResult<Vec<UserId>> {
        let user = user.clone();
        self.read(move |connection| {
            let mut shared = connection.prepare_cached(
                "SELECT 1 FROM members mine JOIN members theirs USING (room)
                 WHERE mine.user = ?1 AND theirs.user = ?2
                     AND mine.lost IS NULL AND theirs.lost IS NULL",
            )?;
            let mut found = Vec::new();
            for other in others {
                if shared.exists([user.as_str(), other.as_str()])? {
                    found.push(other);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn remove(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        let (room, user) = (room.clone(), user.clone());
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE members SET lost = (SELECT coalesce(max(key), 0) FROM entries)
                     WHERE room = ?1 AND user = ?2 AND lost IS NULL",
                )?
                .execute([room.as_str(), user.as_str()])
                .map(|removed| removed > 0)
        })
        .await
    }

    async fn contains(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        let (room, user) = (room.clone(), user.clone());
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT 1 FROM members WHERE room = ?1 AND user = ?2 AND lost IS NULL",
                )?
                .exists([room.as_str(), user.as_str()])
        })
        .await
    }
}
