//! Rows and columns as values of the domain.

use rusqlite::{Row, types::Type};

use crate::domain::{Attachment, ClientId, Entry, EntryId, FeedId, SocketId, Timestamp, UserId};

/// A query for whole entries, as [`entry`] reads them.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, seq, event, author, author_name, client_id, content, subject, created_at,
                 edited_at, deleted_at, attachment, key, origin, feed
             FROM entries ",
            $tail
        )
    };
}
pub(super) use select;

/// A stored value that is not what it has to be; the value itself stays out of logs.
#[derive(Debug, thiserror::Error)]
#[error("the stored value is not valid")]
struct Invalid;

/// Reads an entry of `feed` from a row of a [`select!`] query.
pub(super) fn entry(row: &Row<'_>, feed: &FeedId) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: text(row, 0, EntryId::new)?,
        feed: feed.clone(),
        seq: to_seq(row.get(1)?),
        event: row.get(2)?,
        author: text(row, 3, UserId::new)?,
        author_name: row.get(4)?,
        client_id: optional_text(row, 5, ClientId::new)?,
        content: row.get(6)?,
        subject: row.get(7)?,
        created_at: Timestamp::from_ms(row.get(8)?),
        edited_at: time(row, 9)?,
        deleted_at: time(row, 10)?,
        attachment: attachment(row, 11)?,
        position: position(row)?,
        origin: optional_text(row, 13, SocketId::new)?,
    })
}

/// The entry's position in a row of a [`select!`] query.
pub(super) fn position(row: &Row<'_>) -> rusqlite::Result<u64> {
    row.get(12).map(to_seq)
}

/// The feed's row in a row of a [`select!`] query.
pub(super) fn feed(row: &Row<'_>) -> rusqlite::Result<i64> {
    row.get(14)
}

/// A column whose text must pass `make`.
pub(super) fn text<T, E>(
    row: &Row<'_>,
    column: usize,
    make: impl FnOnce(String) -> Result<T, E>,
) -> rusqlite::Result<T> {
    make(row.get(column)?).map_err(|_| invalid(column, Type::Text))
}

/// A column whose text, where there is one, must pass `make`.
pub(super) fn optional_text<T, E>(
    row: &Row<'_>,
    column: usize,
    make: impl FnOnce(String) -> Result<T, E>,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(make)
        .transpose()
        .map_err(|_| invalid(column, Type::Text))
}

/// What a column of the wrong value fails with.
pub(super) fn invalid(column: usize, kind: Type) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(Invalid))
}

/// A `seq` as the domain counts; stored ones are never negative.
pub(super) fn to_seq(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A `seq` as it is stored; what is larger than any stored one stays so.
pub(super) fn from_seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let ms: Option<i64> = row.get(column)?;
    Ok(ms.map(Timestamp::from_ms))
}

fn attachment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Attachment>> {
    let bytes = row.get_ref(column)?.as_blob_or_null()?;
    bytes
        .map(|bytes| Attachment::from_bytes(bytes).ok_or_else(|| invalid(column, Type::Blob)))
        .transpose()
}
