//! The feeds' port: appending, paging, changing entries, read cursors.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{
    PostgresStore, changes, page,
    pool::Statement,
    retention,
    rows::{self, to_number},
};
use crate::{
    domain::{Cursor, Entry, EntryId, EntryPage, FeedId, FeedKind, NewEntry, Timestamp, UserId},
    ports::{
        After, Appended, Change, Changes, FeedFilter, FeedMark, FeedStore, Following, KeepRule,
        Overfull, ReadMark, Since, StoreResult, Trimmed, Unread,
    },
};

#[async_trait]
impl FeedStore for PostgresStore {
    async fn append(&self, entry: NewEntry) -> StoreResult<Appended> {
        self.writer.append(entry).await
    }

    async fn page(&self, feed: &FeedId, from: Cursor, limit: usize) -> StoreResult<EntryPage> {
        page::page(&self.pool, feed, &from, limit).await
    }

    async fn edit(
        &self,
        feed: &FeedId,
        id: &EntryId,
        author: &UserId,
        content: String,
        at: Timestamp,
    ) -> StoreResult<Change> {
        let statement = sqlx::query(
            "UPDATE entries SET content = $5, edited_at = $4
             WHERE id = $2 AND author = $3 AND deleted_at IS NULL
                 AND feed = (SELECT feeds.id FROM feeds WHERE key = $1)
             RETURNING *",
        );
        let statement = changing(statement, feed, id, author, at).bind(content.as_bytes());
        self.change(statement, feed, id).await
    }

    async fn delete(
        &self,
        feed: &FeedId,
        id: &EntryId,
        author: &UserId,
        at: Timestamp,
    ) -> StoreResult<Change> {
        let statement = sqlx::query(
            "UPDATE entries SET content = '', attachment = NULL, deleted_at = $4
             WHERE id = $2 AND author = $3 AND deleted_at IS NULL
                 AND feed = (SELECT feeds.id FROM feeds WHERE key = $1)
             RETURNING *",
        );
        let statement = changing(statement, feed, id, author, at);
        self.change(statement, feed, id).await
    }

    async fn mark_read(
        &self,
        feed: &FeedId,
        user: &UserId,
        id: &EntryId,
    ) -> StoreResult<Option<ReadMark>> {
        let statement = sqlx::query(
            "WITH place AS (
                 SELECT feed, seq FROM entries JOIN feeds ON feeds.id = feed
                 WHERE entries.id = $3 AND key = $1
             ), moved AS (
                 INSERT INTO read_cursors (feed, user_id, seq) SELECT feed, $2, seq FROM place
                 ON CONFLICT (feed, user_id) DO UPDATE SET seq = excluded.seq
                 WHERE excluded.seq > read_cursors.seq
                 RETURNING seq
             )
             SELECT EXISTS (SELECT FROM moved) AS moved FROM place",
        )
        .bind(feed.key())
        .bind(user.as_str())
        .bind(id.as_str());
        let moved = self.pool.change(statement, |row| row.try_get("moved"));
        let Some(moved) = moved.await? else {
            return Ok(None);
        };
        let unread = self.unread(user, vec![feed.clone()]).await?;
        let unread = unread.first().map_or(0, |unread| unread.count);
        Ok(Some(ReadMark { moved, unread }))
    }

    async fn since(
        &self,
        position: u64,
        limit: usize,
        of: FeedFilter,
    ) -> StoreResult<Option<Since>> {
        page::since(&self.pool, position, limit, of).await
    }

    async fn log(&self, after: u64, limit: usize) -> StoreResult<Vec<Arc<Entry>>> {
        page::log(&self.pool, after, limit).await
    }

    async fn changes(
        &self,
        following: Following,
        after: After,
        limit: usize,
    ) -> StoreResult<Changes> {
        changes::changes(&self.pool, &following, after, limit).await
    }

    async fn unread(&self, user: &UserId, feeds: Vec<FeedId>) -> StoreResult<Vec<Unread>> {
        let keys: Vec<_> = feeds.iter().map(FeedId::key).collect();
        let statement = sqlx::query(UNREAD).bind(user.as_str()).bind(keys);
        self.pool.read(statement, unread).await
    }

    async fn overfull(
        &self,
        kind: FeedKind,
        keep: KeepRule,
        from: Option<FeedMark>,
        most: usize,
    ) -> StoreResult<Overfull> {
        retention::overfull(&self.pool, kind, keep, from, most).await
    }

    async fn trim(&self, feed: &FeedId, keep: KeepRule, most: usize) -> StoreResult<Trimmed> {
        retention::trim(&self.pool, feed, keep, most).await
    }

    async fn last_position(&self) -> StoreResult<u64> {
        page::last_position(&self.pool).await
    }
}

impl PostgresStore {
    /// Runs a change of an entry; one that changes nothing is asked why.
    async fn change(
        &self,
        statement: Statement<'_>,
        feed: &FeedId,
        id: &EntryId,
    ) -> StoreResult<Change> {
        let changed = self
            .pool
            .change(statement, |row| rows::entry(row, feed.clone()));
        if let Some(entry) = changed.await? {
            return Ok(Change::Done(Box::new(entry)));
        }
        let is_there = sqlx::query(
            "SELECT FROM entries JOIN feeds ON feeds.id = feed
             WHERE key = $1 AND entries.id = $2 AND deleted_at IS NULL",
        )
        .bind(feed.key())
        .bind(id.as_str());
        let is_there = self.pool.read_one(is_there, |_| Ok(())).await?;
        Ok(match is_there {
            Some(()) => Change::NotAuthor,
            None => Change::NotFound,
        })
    }
}

fn changing<'q>(
    statement: Statement<'q>,
    feed: &FeedId,
    id: &EntryId,
    author: &UserId,
    at: Timestamp,
) -> Statement<'q> {
    statement
        .bind(feed.key())
        .bind(id.as_str())
        .bind(author.as_str())
        .bind(at.as_ms())
}

/// Counts what lies after a user's cursors. Since `seq` has no gap, only what does not count is
/// looked at: deleted entries and the user's own.
const UNREAD: &str = "
    SELECT coalesce(feed.last_seq, 0) AS last_seq, coalesce(feed.read_seq, 0) AS read_seq,
        coalesce(feed.last_seq - feed.seen, 0)
            - (SELECT count(*) FROM entries
               WHERE entries.feed = feed.id AND seq > feed.seen AND deleted_at IS NOT NULL)
            - (SELECT count(*) FROM entries
               WHERE entries.feed = feed.id AND author = $1 AND seq > feed.seen
                   AND deleted_at IS NULL) AS unread
    FROM unnest($2::text[]) WITH ORDINALITY AS asked (key, place)
    LEFT JOIN LATERAL (
        SELECT feeds.id, last_seq, read_cursors.seq AS read_seq,
            greatest(read_cursors.seq, first_seq - 1) AS seen
        FROM feeds LEFT JOIN read_cursors ON feed = feeds.id AND user_id = $1
        WHERE feeds.key = asked.key
    ) AS feed ON true
    ORDER BY place";

fn unread(row: &PgRow) -> sqlx::Result<Unread> {
    Ok(Unread {
        last_seq: row.try_get("last_seq").map(to_number)?,
        read_seq: row.try_get("read_seq").map(to_number)?,
        count: row.try_get("unread").map(to_number)?,
    })
}
