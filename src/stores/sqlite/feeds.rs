//! The feeds' port: appending, paging, changing entries, read cursors.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::{
    SqliteStore,
    append::Append,
    changes,
    page::{self, Bounds},
    retention, rows,
};
use crate::{
    domain::{Cursor, Entry, EntryId, EntryPage, FeedId, FeedKind, NewEntry, Timestamp, UserId},
    ports::{
        After, Appended, Change, Changes, FeedFilter, FeedMark, FeedStore, Following, KeepRule,
        Overfull, ReadMark, Since, StoreResult, Trimmed, Unread,
    },
};

#[async_trait]
impl FeedStore for SqliteStore {
    async fn append(&self, entry: NewEntry) -> StoreResult<Appended> {
        let (done, answer) = oneshot::channel();
        let append = Append::new(entry, done);
        self.writer.submit(Box::new(append), answer).await
    }

    async fn page(&self, feed: &FeedId, from: Cursor, limit: usize) -> StoreResult<EntryPage> {
        let feed = feed.clone();
        self.read(move |connection| page::page(connection, &feed, &from, limit))
            .await
    }

    async fn edit(
        &self,
        feed: &FeedId,
        id: &EntryId,
        author: &UserId,
        content: String,
        at: Timestamp,
    ) -> StoreResult<Change> {
        let (feed, id, author) = (feed.clone(), id.clone(), author.clone());
        self.write(move |connection| {
            change(connection, &feed, &id, &author, |mut entry| {
                connection
                    .prepare_cached(
                        "UPDATE entries SET content = ?2, edited_at = ?3 WHERE id = ?1",
                    )?
                    .execute(params![id.as_str(), content, at.as_ms()])?;
                entry.content = content;
                entry.edited_at = Some(at);
                Ok(entry)
            })
        })
        .await
    }

    async fn delete(
        &self,
        feed: &FeedId,
        id: &EntryId,
        author: &UserId,
        at: Timestamp,
    ) -> StoreResult<Change> {
        let (feed, id, author) = (feed.clone(), id.clone(), author.clone());
        self.write(move |connection| {
            change(connection, &feed, &id, &author, |mut entry| {
                connection
                    .prepare_cached(
                        "UPDATE entries SET content = '', attachment = NULL, deleted_at = ?2
                         WHERE id = ?1",
                    )?
                    .execute(params![id.as_str(), at.as_ms()])?;
                entry.content = String::new();
                entry.attachment = None;
                entry.deleted_at = Some(at);
                Ok(entry)
            })
        })
        .await
    }

    async fn mark_read(
        &self,
        feed: &FeedId,
        user: &UserId,
        id: &EntryId,
    ) -> StoreResult<Option<ReadMark>> {
        let (feed, user, id) = (feed.clone(), user.clone(), id.clone());
        self.write(move |connection| mark_read(connection, &feed, &user, &id))
            .await
    }

    async fn since(
        &self,
        position: u64,
        limit: usize,
        of: FeedFilter,
    ) -> StoreResult<Option<Since>> {
        self.read(move |connection| page::since(connection, position, limit, &*of))
            .await
    }

    async fn log(&self, after: u64, limit: usize) -> StoreResult<Vec<Arc<Entry>>> {
        self.read(move |connection| page::log(connection, after, limit))
            .await
    }

    async fn changes(
        &self,
        following: Following,
        after: After,
        limit: usize,
    ) -> StoreResult<Changes> {
        self.read(move |connection| changes::changes(connection, &following, after, limit))
            .await
    }

    async fn unread(&self, user: &UserId, feeds: Vec<FeedId>) -> StoreResult<Vec<Unread>> {
        let user = user.clone();
        let count = move |connection: &Connection, feed: &FeedId| {
            let bounds = Bounds::of(connection, feed)?;
            Ok(Unread {
                last_seq: rows::to_seq(bounds.last_seq),
                read_seq: rows::to_seq(read_seq(connection, &bounds, user.as_str())?),
                count: unread(connection, &bounds, &user)?,
            })
        };
        self.read(move |connection| feeds.iter().map(|feed| count(connection, feed)).collect())
            .await
    }

    async fn overfull(
        &self,
        kind: FeedKind,
        keep: KeepRule,
        from: Option<FeedMark>,
        most: usize,
    ) -> StoreResult<Overfull> {
        self.read(move |connection| {
            retention::overfull(connection, kind, &keep, from.as_ref(), most)
        })
        .await
    }

    async fn trim(&self, feed: &FeedId, keep: KeepRule, most: usize) -> StoreResult<Trimmed> {
        let feed = feed.clone();
        self.write(move |connection| retention::trim(connection, &feed, &keep, most))
            .await
    }

    async fn last_position(&self) -> StoreResult<u64> {
        self.read(page::last_position).await
    }
}

/// Applies `apply` to the entry if `author` wrote it and it has not been deleted.
fn change(
    connection: &Connection,
    feed: &FeedId,
    id: &EntryId,
    author: &UserId,
    apply: impl FnOnce(Entry) -> rusqlite::Result<Entry>,
) -> rusqlite::Result<Change> {
    let bounds = Bounds::of(connection, feed)?;
    let entry = connection
        .prepare_cached(rows::select!("WHERE id = ?1 AND feed = ?2"))?
        .query_row(params![id.as_str(), bounds.row], |row| {
            rows::entry(row, feed)
        })
        .optional()?;
    match entry {
        None => Ok(Change::NotFound),
        Some(entry) if entry.deleted_at.is_some() => Ok(Change::NotFound),
        Some(entry) if entry.author != *author => Ok(Change::NotAuthor),
        Some(entry) => apply(entry).map(|entry| Change::Done(Box::new(entry))),
    }
}

fn mark_read(
    connection: &Connection,
    feed: &FeedId,
    user: &UserId,
    id: &EntryId,
) -> rusqlite::Result<Option<ReadMark>> {
    let bounds = Bounds::of(connection, feed)?;
    let Some(seq) = bounds.seq_of(connection, id)? else {
        return Ok(None);
    };
    let moved = connection
        .prepare_cached(
            "INSERT INTO read_cursors (feed, user, seq) VALUES (?1, ?2, ?3)
             ON CONFLICT (feed, user) DO UPDATE SET seq = excluded.seq
             WHERE excluded.seq > read_cursors.seq",
        )?
        .execute(params![bounds.row, user.as_str(), seq])?;
    Ok(Some(ReadMark {
        moved: moved > 0,
        unread: unread(connection, &bounds, user)?,
    }))
}

/// Counts what lies after the user's cursor. Since `seq` has no gap, only what does not count is
/// looked at: deleted entries and the user's own.
fn unread(connection: &Connection, bounds: &Bounds, user: &UserId) -> rusqlite::Result<u64> {
    let cursor = read_seq(connection, bounds, user.as_str())?;
    let cursor = cursor.max(bounds.first_seq - 1);
    let left_out: i64 = connection
        .prepare_cached(
            "SELECT
                 (SELECT count(*) FROM entries
                  WHERE feed = ?1 AND seq > ?2 AND deleted_at IS NOT NULL)
               + (SELECT count(*) FROM entries
                  WHERE feed = ?1 AND author = ?3 AND seq > ?2 AND deleted_at IS NULL)",
        )?
        .query_row(params![bounds.row, cursor, user.as_str()], |row| row.get(0))?;
    Ok(rows::to_seq(bounds.last_seq - cursor - left_out))
}

/// How far a reader has read a feed, 0 for not at all.
fn read_seq(connection: &Connection, bounds: &Bounds, user: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT seq FROM read_cursors WHERE feed = ?1 AND user = ?2")?
        .query_row(params![bounds.row, user], |row| row.get(0))
        .optional()
        .map(|found| found.unwrap_or(0))
}
