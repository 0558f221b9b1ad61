//! What came after a moment in the feeds of one reader: their entries merged in the order of their
//! commits. The cost goes by the number of feeds and the size of the page, not by their history.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    sync::Arc,
};

use rusqlite::{Connection, params};

use super::{
    page::{Bounds, feed_of, last_position},
    rows,
};
use crate::{
    domain::{Entry, FeedId, PageBudget, Timestamp, Verdict},
    ports::{After, Changes, Following},
};

/// How far the clocks of entries may be out of the order of their commits, in milliseconds.
const DISORDER_MS: i64 = 10_000;

/// A feed whose next entry is to be merged.
struct Source {
    feed: FeedId,
    bounds: Bounds,
}

pub(super) fn changes(
    connection: &Connection,
    following: &Following,
    after: After,
    limit: usize,
) -> rusqlite::Result<Changes> {
    let newest = last_position(connection)?;
    let (after, mut verdict) = match after {
        After::Position(position) if position > newest => (After::Position(0), Verdict::Reset),
        after => (after, Verdict::Complete),
    };
    let mut sources = Vec::new();
    let mut next = BinaryHeap::new();
    for feed in feeds(connection, following)? {
        let bounds = Bounds::of(connection, &feed)?;
        let (first, is_cut) = first_after(connection, &bounds, after)?;
        if is_cut && verdict == Verdict::Complete {
            verdict = Verdict::Gap;
        }
        if first <= bounds.last_seq {
            let position = position_of(connection, &bounds, first)?;
            next.push(Reverse((position, sources.len(), first)));
            sources.push(Source { feed, bounds });
        }
    }
    let misses_some = following.is_partial || anything_lost(connection, following, after)?;
    if verdict == Verdict::Complete && misses_some {
        verdict = Verdict::Gap;
    }
    let (mut entries, mut budget) = (Vec::new(), PageBudget::new(limit));
    let mut has_more = false;
    while let Some(Reverse((_, source, seq))) = next.pop() {
        let Source { feed, bounds } = &sources[source];
        let entry = entry(connection, feed, bounds, seq)?;
        if is_meant(&entry, after) {
            if !budget.take(&entry) {
                has_more = true;
                break;
            }
            entries.push(Arc::new(entry));
        }
        if seq < bounds.last_seq {
            let position = position_of(connection, bounds, seq + 1)?;
            next.push(Reverse((position, source, seq + 1)));
        }
    }
    let position = match entries.last() {
        Some(last) if has_more => last.position,
        _ => newest,
    };
    Ok(Changes {
        entries,
        has_more,
        position,
        verdict,
    })
}

/// The feeds that are followed, each once, the reader's conversations among them.
fn feeds(connection: &Connection, following: &Following) -> rusqlite::Result<HashSet<FeedId>> {
    let mut feeds: HashSet<_> = following.feeds.iter().cloned().collect();
    let mut query = connection.prepare_cached("SELECT feed FROM conversations WHERE user = ?1")?;
    let mut found = query.query([following.reader.as_str()])?;
    while let Some(row) = found.next()? {
        feeds.insert(feed_of(connection, row.get(0)?)?);
    }
    Ok(feeds)
}

/// The first `seq` after that moment, and whether retention may have taken some that came after it.
fn first_after(
    connection: &Connection,
    bounds: &Bounds,
    after: After,
) -> rusqlite::Result<(i64, bool)> {
    let is_after = |seq| -> rusqlite::Result<bool> {
        match after {
            After::Position(position) => {
                Ok(position_of(connection, bounds, seq)? > rows::from_seq(position))
            }
            After::Time(time) => Ok(created_at(connection, bounds, seq)? >= early(time)),
        }
    };
    // Within a feed positions and times rise with `seq`. Most feeds have nothing new.
    let (mut low, mut high) = (bounds.first_seq, bounds.last_seq + 1);
    if low < high && !is_after(bounds.last_seq)? {
        low = high;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if is_after(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let is_cut = match after {
        After::Position(position) => bounds.trimmed > rows::from_seq(position),
        After::Time(time) => bounds.trimmed > 0 && bounds.trimmed_at >= time.as_ms(),
    };
    Ok((low, is_cut))
}

fn early(time: Timestamp) -> i64 {
    time.as_ms().saturating_sub(DISORDER_MS)
}

fn is_meant(entry: &Entry, after: After) -> bool {
    match after {
        After::Position(_) => true,
        After::Time(time) => entry.created_at >= time,
    }
}

/// Whether rooms that the reader has lost had something for them after that moment.
fn anything_lost(
    connection: &Connection,
    following: &Following,
    after: After,
) -> rusqlite::Result<bool> {
    for (feed, until) in &following.lost {
        let bounds = Bounds::of(connection, feed)?;
        let (first, is_cut) = first_after(connection, &bounds, after)?;
        let is_there = first <= bounds.last_seq
            && position_of(connection, &bounds, first)? <= rows::from_seq(*until);
        if is_cut || is_there {
            return Ok(true);
        }
    }
    Ok(false)
}

fn position_of(connection: &Connection, bounds: &Bounds, seq: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT key FROM entries WHERE feed = ?1 AND seq = ?2")?
        .query_row([bounds.row, seq], |row| row.get(0))
}

fn created_at(connection: &Connection, bounds: &Bounds, seq: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT created_at FROM entries WHERE feed = ?1 AND seq = ?2")?
        .query_row([bounds.row, seq], |row| row.get(0))
}

fn entry(
    connection: &Connection,
    feed: &FeedId,
    bounds: &Bounds,
    seq: i64,
) -> rusqlite::Result<Entry> {
    connection
        .prepare_cached(rows::select!("WHERE feed = ?1 AND seq = ?2"))?
        .query_row([bounds.row, seq], |row| rows::entry(row, feed))
}

/// Whether retention has taken entries after the position from one of those feeds.
pub(super) fn is_cut(
    connection: &Connection,
    position: u64,
    of: &dyn Fn(&FeedId) -> bool,
) -> rusqlite::Result<bool> {
    let mut query =
        connection.prepare_cached("SELECT key FROM feeds WHERE trimmed > ?1 AND trimmed > 0")?;
    let mut found = query.query(params![rows::from_seq(position)])?;
    while let Some(row) = found.next()? {
        let feed = rows::text(row, 0, |key| FeedId::from_key(&key).ok_or(()))?;
        if of(&feed) {
            return Ok(true);
        }
    }
    Ok(false)
}
