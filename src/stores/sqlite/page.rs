//! Reading a feed in pages, by indexes only: a page costs by its own size, not by the feed's.

use std::{
    collections::{
        HashMap,
        hash_map::Entry::{Occupied, Vacant},
    },
    sync::Arc,
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{changes, rows};
use crate::{
    domain::{Cursor, Entry, EntryId, EntryPage, FeedId, PageBudget, Timestamp, Verdict},
    ports::Since,
};

/// The most entries in one page, whatever is asked for.
const MAX_PAGE: usize = 1_000;

/// A feed's row and the ends of what it keeps.
pub(super) struct Bounds {
    pub(super) row: i64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
    /// The greatest position of an entry that retention has taken.
    pub(super) trimmed: i64,
    /// When that was written.
    pub(super) trimmed_at: i64,
}

impl Bounds {
    /// A feed that nobody has written to reads like an empty one; no entry belongs to row 0.
    const EMPTY: Self = Self {
        row: 0,
        first_seq: 1,
        last_seq: 0,
        trimmed: 0,
        trimmed_at: 0,
    };

    pub(super) fn of(connection: &Connection, feed: &FeedId) -> rusqlite::Result<Self> {
        connection
            .prepare_cached(
                "SELECT id, first_seq, last_seq, trimmed, trimmed_at FROM feeds WHERE key = ?1",
            )?
            .query_row([feed.key()], |row| {
                Ok(Self {
                    row: row.get(0)?,
                    first_seq: row.get(1)?,
                    last_seq: row.get(2)?,
                    trimmed: row.get(3)?,
                    trimmed_at: row.get(4)?,
                })
            })
            .optional()
            .map(|found| found.unwrap_or(Self::EMPTY))
    }

    /// The place of an entry, if this feed has it.
    pub(super) fn seq_of(
        &self,
        connection: &Connection,
        id: &EntryId,
    ) -> rusqlite::Result<Option<i64>> {
        connection
            .prepare_cached("SELECT seq FROM entries WHERE id = ?1 AND feed = ?2")?
            .query_row(params![id.as_str(), self.row], |row| row.get(0))
            .optional()
    }
}

/// Which way to read, and from where; the end itself is left out.
enum Span {
    After(i64),
    Before(i64),
}

/// Reads up to `limit` entries, at most [`MAX_PAGE`].
pub(super) fn page(
    connection: &Connection,
    feed: &FeedId,
    from: &Cursor,
    limit: usize,
) -> rusqlite::Result<EntryPage> {
    let bounds = Bounds::of(connection, feed)?;
    let (span, verdict) = locate(connection, &bounds, from)?;
    let limit = limit.min(MAX_PAGE);
    let (mut entries, has_more) = read(connection, feed, bounds.row, &span, limit)?;
    let verdict = match from {
        // Reading back ends where retention has taken what was before.
        Cursor::BeforeSeq(_) | Cursor::BeforeId(_) if bounds.trimmed > 0 && !has_more => {
            verdict.max(Verdict::Gap)
        }
        _ => verdict,
    };
    if let Span::Before(_) = span {
        entries.reverse();
    }
    let after = match (entries.first(), span) {
        (Some(first), _) => first.seq - 1,
        (None, Span::After(seq)) => rows::to_seq(seq),
        (None, Span::Before(_)) => rows::to_seq(bounds.first_seq - 1),
    };
    Ok(EntryPage {
        entries,
        after,
        has_more,
        verdict,
    })
}

/// The newest entry's position.
pub(super) fn last_position(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(key), 0) FROM entries")?
        .query_row([], |row| row.get(0).map(rows::to_seq))
}

/// Reads the entries after a position of the feeds of which `of` is true. No column of another
/// feed's entry is read but its feed.
pub(super) fn since(
    connection: &Connection,
    position: u64,
    limit: usize,
    of: &dyn Fn(&FeedId) -> bool,
) -> rusqlite::Result<Option<Since>> {
    if position > last_position(connection)? || changes::is_cut(connection, position, of)? {
        return Ok(None);
    }
    let mut query =
        connection.prepare_cached(rows::select!("WHERE key > ?1 ORDER BY key LIMIT ?2"))?;
    let mut found = query.query(params![rows::from_seq(position), limit as i64 + 1])?;
    let mut feeds = HashMap::new();
    let mut since = Since {
        entries: Vec::new(),
        position,
    };
    let mut count = 0;
    while let Some(row) = found.next()? {
        count += 1;
        if count > limit {
            return Ok(None);
        }
        let feed = match feeds.entry(rows::feed(row)?) {
            Occupied(known) => known.into_mut(),
            Vacant(unknown) => {
                let feed = feed_of(connection, *unknown.key())?;
                let wanted = of(&feed);
                unknown.insert((feed, wanted))
            }
        };
        since.position = rows::position(row)?;
        if let (feed, true) = feed {
            since.entries.push(Arc::new(rows::entry(row, feed)?));
        }
    }
    Ok(Some(since))
}

/// Reads the entries of all feeds after a position.
pub(super) fn log(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Arc<Entry>>> {
    let mut query =
        connection.prepare_cached(rows::select!("WHERE key > ?1 ORDER BY key LIMIT ?2"))?;
    let limit = limit.min(MAX_PAGE);
    let mut found = query.query(params![rows::from_seq(after), limit as i64])?;
    let (mut entries, mut budget) = (Vec::new(), PageBudget::new(limit));
    while let Some(row) = found.next()? {
        let feed = feed_of(connection, rows::feed(row)?)?;
        let entry = rows::entry(row, &feed)?;
        if !budget.take(&entry) {
            break;
        }
        entries.push(Arc::new(entry));
    }
    Ok(entries)
}

/// The feed of a row.
pub(super) fn feed_of(connection: &Connection, row: i64) -> rusqlite::Result<FeedId> {
    connection
        .prepare_cached("SELECT key FROM feeds WHERE id = ?1")?
        .query_row([row], |row| {
            rows::text(row, 0, |key| FeedId::from_key(&key).ok_or(()))
        })
}

fn locate(
    connection: &Connection,
    bounds: &Bounds,
    from: &Cursor,
) -> rusqlite::Result<(Span, Verdict)> {
    let start = Span::After(bounds.first_seq - 1);
    let end = Span::Before(i64::MAX);
    Ok(match from {
        Cursor::Latest => (end, Verdict::Complete),
        Cursor::BeforeSeq(seq) => (Span::Before(rows::from_seq(*seq)), Verdict::Complete),
        Cursor::AfterSeq(seq) => match rows::from_seq(*seq) {
            seq if seq > bounds.last_seq => (start, Verdict::Reset),
            seq if seq < bounds.first_seq - 1 => (start, Verdict::Gap),
            seq => (Span::After(seq), Verdict::Complete),
        },
        Cursor::BeforeId(id) => match bounds.seq_of(connection, id)? {
            Some(seq) => (Span::Before(seq), Verdict::Complete),
            None if is_older(connection, bounds, id)? => {
                (Span::Before(bounds.first_seq), Verdict::Gap)
            }
            None => (end, Verdict::Reset),
        },
        Cursor::AfterId(id) => match bounds.seq_of(connection, id)? {
            Some(seq) => (Span::After(seq), Verdict::Complete),
            None if is_older(connection, bounds, id)? => (start, Verdict::Gap),
            None => (start, Verdict::Reset),
        },
    })
}

/// Whether an unknown entry was made before the first one that retention has left.
fn is_older(connection: &Connection, bounds: &Bounds, id: &EntryId) -> rusqlite::Result<bool> {
    let Some(made_at) = id.made_at().filter(|_| bounds.trimmed > 0) else {
        return Ok(false);
    };
    let first: Option<String> = connection
        .prepare_cached("SELECT id FROM entries WHERE feed = ?1 AND seq = ?2")?
        .query_row([bounds.row, bounds.first_seq], |row| row.get(0))
        .optional()?;
    let first = first.and_then(|id| EntryId::new(id).ok()?.made_at());
    Ok(made_at <= first.unwrap_or_else(Timestamp::now))
}

/// Reads away from the span's end: ascending after it, descending before it. Whether there is more
/// than fits on the page.
fn read(
    connection: &Connection,
    feed: &FeedId,
    row: i64,
    span: &Span,
    limit: usize,
) -> rusqlite::Result<(Vec<Entry>, bool)> {
    let (sql, end) = match span {
        Span::After(seq) => (
            rows::select!("WHERE feed = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"),
            seq,
        ),
        Span::Before(seq) => (
            rows::select!("WHERE feed = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"),
            seq,
        ),
    };
    let mut query = connection.prepare_cached(sql)?;
    // One more than asked for tells whether there is more.
    let mut found = query.query(params![row, end, limit as i64 + 1])?;
    let (mut entries, mut budget) = (Vec::new(), PageBudget::new(limit));
    while let Some(row) = found.next()? {
        let entry = rows::entry(row, feed)?;
        if !budget.take(&entry) {
            return Ok((entries, true));
        }
        entries.push(entry);
    }
    Ok((entries, false))
}
