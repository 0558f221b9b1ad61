//! Rows and columns as values of the domain.

use sqlx::{Row, postgres::PgRow};

use crate::domain::{
    Attachment, ClientId, Entry, EntryId, FeedId, PageBudget, SocketId, Timestamp, UserId,
};

/// A query for the first rows of another one, up to the one that is more than fits a page, and for
/// how many rows that one has. Neither reads large values for it.
macro_rules! budgeted {
    ($query:literal, by $order:literal, up to $bytes:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT *, count(*) OVER () AS found, sum(size) OVER (ORDER BY ",
            $order,
            ") - size AS before
                 FROM (
                     SELECT *, octet_length(content) + coalesce(octet_length(attachment), 0) AS size
                     FROM (",
            $query,
            ") AS wanted
                 ) AS sized
             ) AS summed WHERE before <= ",
            $bytes
        )
    };
}
pub(super) use budgeted;

/// Takes what fits a page from the rows of a [`budgeted!`] query; whether there is more.
pub(super) fn fitting(
    rows: impl IntoIterator<Item = (Entry, i64)>,
    limit: usize,
) -> (Vec<Entry>, bool) {
    let (mut entries, mut found, mut budget) = (Vec::new(), 0, PageBudget::new(limit));
    for (entry, of_all) in rows {
        found = of_all;
        if !budget.take(&entry) {
            break;
        }
        entries.push(entry);
    }
    let has_more = from_number(entries.len() as u64) < found;
    (entries, has_more)
}

/// A stored value that is not what it has to be; the value itself stays out of logs.
#[derive(Debug, thiserror::Error)]
#[error("the stored value is not valid")]
struct Invalid;

/// Reads an entry of `feed` from a row with all its columns.
pub(super) fn entry(row: &PgRow, feed: FeedId) -> sqlx::Result<Entry> {
    let attachment: Option<&[u8]> = row.try_get("attachment")?;
    Ok(Entry {
        id: id(row, "id", EntryId::new)?,
        feed,
        seq: number(row, "seq")?,
        position: number(row, "position")?,
        event: text(row, "event")?.into(),
        author: id(row, "author", UserId::new)?,
        author_name: text(row, "author_name")?.into(),
        client_id: optional_id(row, "client_id", ClientId::new)?,
        content: text(row, "content")?,
        subject: optional_text(row, "subject")?,
        attachment: attachment
            .map(|bytes| Attachment::from_bytes(bytes).ok_or_else(|| invalid("attachment")))
            .transpose()?,
        created_at: time(row, "created_at")?,
        edited_at: optional_time(row, "edited_at")?,
        deleted_at: optional_time(row, "deleted_at")?,
        origin: optional_id(row, "origin", SocketId::new)?,
    })
}

/// Reads an entry from a row that has its feed's `key` as well.
pub(super) fn keyed_entry(row: &PgRow) -> sqlx::Result<Entry> {
    entry(row, feed(row)?)
}

/// Reads the same from a row of a [`budgeted!`] query.
pub(super) fn found_entry(row: &PgRow) -> sqlx::Result<(Entry, i64)> {
    Ok((keyed_entry(row)?, row.try_get("found")?))
}

/// The feed whose `key` is in the row.
pub(super) fn feed(row: &PgRow) -> sqlx::Result<FeedId> {
    FeedId::from_key(row.try_get("key")?).ok_or_else(|| invalid("key"))
}

/// A column whose text must pass `make`.
pub(super) fn id<T, E>(
    row: &PgRow,
    column: &'static str,
    make: impl FnOnce(String) -> Result<T, E>,
) -> sqlx::Result<T> {
    make(row.try_get(column)?).map_err(|_| invalid(column))
}

/// A column whose text, where there is one, must pass `make`.
pub(super) fn optional_id<T, E>(
    row: &PgRow,
    column: &'static str,
    make: impl FnOnce(String) -> Result<T, E>,
) -> sqlx::Result<Option<T>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(make).transpose().map_err(|_| invalid(column))
}

/// A column of bytes that are text.
pub(super) fn text(row: &PgRow, column: &'static str) -> sqlx::Result<String> {
    String::from_utf8(row.try_get(column)?).map_err(|_| invalid(column))
}

fn optional_text(row: &PgRow, column: &'static str) -> sqlx::Result<Option<String>> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    bytes
        .map(|bytes| String::from_utf8(bytes).map_err(|_| invalid(column)))
        .transpose()
}

/// A column that counts; stored numbers are never negative.
pub(super) fn number(row: &PgRow, column: &'static str) -> sqlx::Result<u64> {
    row.try_get(column).map(to_number)
}

/// A time in milliseconds.
pub(super) fn time(row: &PgRow, column: &'static str) -> sqlx::Result<Timestamp> {
    row.try_get(column).map(Timestamp::from_ms)
}

/// A time in milliseconds, where there is one.
pub(super) fn optional_time(row: &PgRow, column: &'static str) -> sqlx::Result<Option<Timestamp>> {
    let ms: Option<i64> = row.try_get(column)?;
    Ok(ms.map(Timestamp::from_ms))
}

/// What a column of the wrong value fails with.
pub(super) fn invalid(column: &'static str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.into(),
        source: Box::new(Invalid),
    }
}

/// A number as the domain counts.
pub(super) fn to_number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A number as it is stored; what is larger than any stored one stays so.
pub(super) fn from_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// So many rows at most.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
