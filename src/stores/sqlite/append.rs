//! Appending: the feed's next place and the entry in it, in one step.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};

use super::{
    group::{Job, KnownFeed, KnownFeeds},
    rows,
};
use crate::{
    domain::{Entry, NewEntry, SocketId},
    ports::{Appended, Commit, StoreError, StoreResult},
    stores::caller::Caller,
};

/// An append on its way through the writer.
pub(super) struct Append {
    entry: NewEntry,
    outcome: Option<Appended>,
    caller: Caller,
}

impl Append {
    pub(super) fn new(entry: NewEntry, done: oneshot::Sender<StoreResult<Appended>>) -> Self {
        Self {
            entry,
            outcome: None,
            caller: Caller::new(done),
        }
    }
}

impl Job for Append {
    fn run(&mut self, connection: &Connection, feeds: &mut KnownFeeds) -> rusqlite::Result<()> {
        let feed = feeds.open(connection, &self.entry.feed)?;
        let appended = match find_duplicate(connection, feed, &self.entry)? {
            Some(entry) => Appended {
                entry: Arc::new(entry),
                duplicate: true,
            },
            None => {
                let next = KnownFeed {
                    last_seq: feed.last_seq + 1,
                    ..feed
                };
                insert(connection, next, &self.entry)?;
                let position = rows::to_seq(connection.last_insert_rowid());
                feeds.note(&self.entry.feed, next);
                let seq = rows::to_seq(next.last_seq);
                Appended {
                    entry: Arc::new(self.entry.stored(seq, position)),
                    duplicate: false,
                }
            }
        };
        self.outcome = Some(appended);
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn answer(self: Box<Self>, fate: StoreResult<()>, commits: &mpsc::UnboundedSender<Commit>) {
        let outcome = fate.and(self.outcome.ok_or(StoreError));
        self.caller.answer(outcome, commits);
    }
}

fn find_duplicate(
    connection: &Connection,
    feed: KnownFeed,
    entry: &NewEntry,
) -> rusqlite::Result<Option<Entry>> {
    let Some(client_id) = &entry.client_id else {
        return Ok(None);
    };
    connection
        .prepare_cached(rows::select!(
            "WHERE feed = ?1 AND author = ?2 AND client_id = ?3"
        ))?
        .query_row(
            params![feed.row, entry.author.as_str(), client_id.as_str()],
            |row| rows::entry(row, &entry.feed),
        )
        .optional()
}

fn insert(connection: &Connection, place: KnownFeed, entry: &NewEntry) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO entries (feed, seq, id, event, author, author_name, client_id, content,
                 subject, created_at, attachment, origin)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            place.row,
            place.last_seq,
            entry.id.as_str(),
            &*entry.event,
            entry.author.as_str(),
            &*entry.author_name,
            entry.client_id.as_ref().map(|id| id.as_str()),
            entry.content,
            entry.subject,
            entry.created_at.as_ms(),
            entry
                .attachment
                .as_ref()
                .map(|attachment| attachment.to_bytes()),
            entry.kept_origin().map(SocketId::as_str),
        ])?;
    Ok(())
}
