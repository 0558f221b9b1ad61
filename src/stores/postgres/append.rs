//! A group of appends as one statement.

use std::sync::Arc;

use sqlx::{PgConnection, postgres::PgRow};

use super::{
    pool::Statement,
    rows::{self, to_number},
};
use crate::{
    domain::{FeedId, NewEntry, SocketId},
    ports::Appended,
    stores::caller::Caller,
};

/// About how many bytes one statement takes: the database is sent it in one piece, and all nodes
/// wait for it.
const MAX_BYTES: usize = 8_000_000;

/// An append on its way through the writer.
pub(super) struct Append {
    pub(super) entry: NewEntry,
    pub(super) caller: Caller,
}

impl Append {
    fn size(&self) -> usize {
        let attachment = self.entry.attachment.as_ref();
        self.entry.content.len() + attachment.map_or(0, |attachment| attachment.size())
    }
}

/// Parts of a group that are not too large for a statement each, the first one last.
pub(super) fn parts(group: impl IntoIterator<Item = Append>) -> Vec<Vec<Append>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for append in group {
        let size = append.size();
        if bytes + size > MAX_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += size;
        part.push(append);
    }
    parts.push(part);
    parts.reverse();
    parts
}

/// Appends the entries in their order, all or none; what came of each.
pub(super) async fn append(
    connection: &mut PgConnection,
    appends: &[Append],
) -> sqlx::Result<Vec<Appended>> {
    let entries: Vec<_> = appends.iter().map(|append| &append.entry).collect();
    let mut outcomes = vec![None; entries.len()];
    for row in statement(&entries).fetch_all(connection).await? {
        let place = rows::number(&row, "ordinal")?;
        let place = usize::try_from(place)
            .ok()
            .and_then(|place| place.checked_sub(1));
        let place = place.filter(|place| *place < entries.len());
        let place = place.ok_or_else(|| rows::invalid("ordinal"))?;
        outcomes[place] = Some(appended(&row, entries[place])?);
    }
    let outcomes: Option<Vec<_>> = outcomes.into_iter().collect();
    outcomes.ok_or(sqlx::Error::RowNotFound)
}

fn appended(row: &PgRow, entry: &NewEntry) -> sqlx::Result<Appended> {
    use sqlx::Row as _;
    let earlier: Option<i64> = row.try_get("position")?;
    let stored = match earlier {
        Some(_) => rows::entry(row, entry.feed.clone())?,
        None => {
            let (seq, position) = (row.try_get("new_seq")?, row.try_get("new_position")?);
            entry.stored(to_number(seq), to_number(position))
        }
    };
    Ok(Appended {
        entry: Arc::new(stored),
        duplicate: earlier.is_some(),
    })
}

fn statement(entries: &[&NewEntry]) -> Statement<'static> {
    let keys: Vec<_> = entries.iter().map(|entry| entry.feed.key()).collect();
    let users = |entry: &NewEntry| match &entry.feed {
        FeedId::Direct(low, high) => (Some(low.to_string()), Some(high.to_string())),
        FeedId::Room(_) | FeedId::User(_) | FeedId::Vendor(_) | FeedId::Channel(_) => (None, None),
    };
    let (lows, highs): (Vec<_>, Vec<_>) = entries.iter().map(|entry| users(entry)).unzip();
    let attachments: Vec<_> = of(entries, |entry| {
        let attachment = entry.attachment.as_ref();
        attachment.map(|attachment| attachment.to_bytes())
    });
    sqlx::query(
        "SELECT ordinal, new_seq, new_position, (earlier).*
         FROM append_entries($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(keys)
    .bind(lows)
    .bind(highs)
    .bind(of(entries, |entry| entry.id.as_str()))
    .bind(of(entries, |entry| entry.event.as_bytes()))
    .bind(of(entries, |entry| entry.author.as_str()))
    .bind(of(entries, |entry| entry.author_name.as_bytes()))
    .bind(of(entries, |entry| {
        entry.client_id.as_ref().map(|id| id.as_str())
    }))
    .bind(of(entries, |entry| entry.content.as_bytes()))
    .bind(of(entries, |entry| {
        entry.subject.as_ref().map(|subject| subject.as_bytes())
    }))
    .bind(of(entries, |entry| entry.created_at.as_ms()))
    .bind(of(entries, |entry| {
        entry.kept_origin().map(SocketId::as_str)
    }))
    .bind(attachments)
}

/// One column of all entries.
fn of<'e, T>(entries: &[&'e NewEntry], column: impl Fn(&'e NewEntry) -> T) -> Vec<T> {
    entries.iter().map(|entry| column(entry)).collect()
}
