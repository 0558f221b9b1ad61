//! The member lists' port.

use async_trait::async_trait;
use sqlx::Row;

use super::{PostgresStore, pool::Statement, rows};
use crate::{
    domain::{RoomId, UserId},
    ports::{MemberStore, Membership, StoreResult},
};

#[async_trait]
impl MemberStore for PostgresStore {
    async fn add(&self, room: &RoomId, user: &UserId) -> StoreResult<()> {
        let statement = of(
            "INSERT INTO members (room, user_id) VALUES ($1, $2)
             ON CONFLICT (room, user_id) DO UPDATE SET lost = NULL WHERE members.lost IS NOT NULL",
            room,
            user,
        );
        self.pool.write(statement).await.map(drop)
    }

    async fn leave(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        let statement = of(
            "DELETE FROM members WHERE room = $1 AND user_id = $2",
            room,
            user,
        );
        Ok(self.pool.write(statement).await? > 0)
    }

    async fn rooms_of(&self, user: &UserId, limit: usize) -> StoreResult<Vec<Membership>> {
        let statement =
            sqlx::query("SELECT room, lost FROM members WHERE user_id = $1 ORDER BY room LIMIT $2")
                .bind(user.as_str())
                .bind(rows::limit(limit));
        let membership = self.pool.read(statement, |row| {
            let lost: Option<i64> = row.try_get("lost")?;
            Ok(Membership {
                room: rows::id(row, "room", RoomId::new)?,
                lost: lost.map(rows::to_number),
            })
        });
        membership.await
    }

    async fn roommates(&self, user: &UserId, others: Vec<UserId>) -> StoreResult<Vec<UserId>> {
        let others: Vec<_> = others.iter().map(|other| other.to_string()).collect();
        let statement = sqlx::query(
            "SELECT other.id FROM unnest($2::text[]) WITH ORDINALITY AS other (id, place)
             WHERE EXISTS (
                 SELECT FROM members AS mine JOIN members AS theirs USING (room)
                 WHERE mine.user_id = $1 AND theirs.user_id = other.id
                     AND mine.lost IS NULL AND theirs.lost IS NULL
             ) ORDER BY place",
        )
        .bind(user.as_str())
        .bind(others);
        let other = |row: &_| rows::id(row, "id", UserId::new);
        self.pool.read(statement, other).await
    }

    async fn remove(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        // No append is on its way meanwhile: what has a greater position came after the removal.
        let statement = of(
            "WITH newest AS (SELECT position FROM log WHERE one FOR SHARE)
             UPDATE members SET lost = newest.position FROM newest
             WHERE room = $1 AND user_id = $2 AND lost IS NULL",
            room,
            user,
        );
        Ok(self.pool.write(statement).await? > 0)
    }

    async fn contains(&self, room: &RoomId, user: &UserId) -> StoreResult<bool> {
        let statement = of(
            "SELECT FROM members WHERE room = $1 AND user_id = $2 AND lost IS NULL",
            room,
            user,
        );
        let found = self.pool.read_one(statement, |_| Ok(())).await?;
        Ok(found.is_some())
    }
}

fn of<'q>(sql: &'static str, room: &RoomId, user: &UserId) -> Statement<'q> {
    sqlx::query(sql)
        .bind(room.as_str().to_owned())
        .bind(user.as_str().to_owned())
}
