//! A group of appends as one statement.

use std::{collections::HashMap, sync::Arc};

use sqlx::{PgConnection, Row};

use super::{
    page,
    pool::Statement,
    rows::{self, from_number, to_number},
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

/// Appends the entries in their order, all or none; what came of each. None for a duplicate whose
/// first entry retention has taken meanwhile.
pub(super) async fn append(
    connection: &mut PgConnection,
    appends: &[Append],
) -> sqlx::Result<Vec<Option<Appended>>> {
    let entries: Vec<_> = appends.iter().map(|append| &append.entry).collect();
    let row = statement(&entries).fetch_one(&mut *connection).await?;
    let newest: i64 = row.try_get("newest")?;
    let seqs: Vec<i64> = row.try_get("seqs")?;
    let positions: Vec<i64> = row.try_get("positions")?;
    if positions.len() != entries.len() || seqs.len() != entries.len() {
        return Err(rows::invalid("positions"));
    }
    let mut next = newest + 1;
    let mut outcomes = Vec::with_capacity(entries.len());
    for ((entry, seq), position) in entries.iter().zip(seqs).zip(&positions) {
        // New entries have the next positions, each in its turn.
        let is_new = *position == next;
        outcomes.push(is_new.then(|| Appended {
            entry: Arc::new(entry.stored(to_number(seq), to_number(*position))),
            duplicate: false,
        }));
        next += i64::from(is_new);
    }
    if outcomes.iter().any(Option::is_none) {
        find_first(connection, &positions, &mut outcomes).await?;
    }
    Ok(outcomes)
}

/// Fills in the first entries of duplicates, as they are now.
async fn find_first(
    connection: &mut PgConnection,
    positions: &[i64],
    outcomes: &mut [Option<Appended>],
) -> sqlx::Result<()> {
    let missing = || {
        outcomes
            .iter()
            .zip(positions)
            .filter(|(outcome, _)| outcome.is_none())
    };
    let missing: Vec<_> = missing().map(|(_, position)| *position).collect();
    let mut found = HashMap::new();
    for row in page::at(&missing).fetch_all(connection).await? {
        let entry = rows::keyed_entry(&row)?;
        found.insert(from_number(entry.position), Arc::new(entry));
    }
    for (outcome, position) in outcomes.iter_mut().zip(positions) {
        if outcome.is_none() {
            *outcome = found.get(position).map(|entry| Appended {
                entry: Arc::clone(entry),
                duplicate: true,
            });
        }
    }
    Ok(())
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
        "SELECT newest, seqs, positions
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
