//! The member lists' port.

use async_trait::async_trait;

use super::SqliteStore;
use crate::{
    domain::{RoomId, UserId},
    ports::{MemberStore, StoreResult},
};

#[async_trait]
impl MemberStore for SqliteStore {
    async fn add(&self, room: &RoomId, user: &UserId) -> StoreResult<()> {
        let (room, user) = (room.clone(), user.clone());
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO members (room, user) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                )?
                .execute([room.as_str(), user.as_str()])
                .map(drop)
        })
        .await
    }

    async fn remove(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        let (room, user) = (room.clone(), user.clone());
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM members WHERE room = ?1 AND user = ?2")?
                .execute([room.as_str(), user.as_str()])
                .map(|removed| removed > 0)
        })
        .await
    }

    async fn contains(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        let (room, user) = (room.clone(), user.clone());
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT 1 FROM members WHERE room = ?1 AND user = ?2")?
                .exists([room.as_str(), user.as_str()])
        })
        .await
    }
}
