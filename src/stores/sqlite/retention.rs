//! What retention takes: first the feeds that have too much, then a few entries at a time.

use rusqlite::{Connection, params};

use super::{
    page::{Bounds, last_position},
    rows,
};
use crate::{
    domain::{FeedId, FeedKind},
    ports::{FeedMark, KeepRule, Overfull, Trimmed},
};

/// Looks at up to `most` feeds of a kind after `from` for those that have more than is kept.
pub(super) fn overfull(
    connection: &Connection,
    kind: FeedKind,
    keep: &KeepRule,
    from: Option<&FeedMark>,
    most: usize,
) -> rusqlite::Result<Overfull> {
    let prefix = kind.prefix();
    let from = from.map_or(prefix, |mark| mark.0.as_str());
    let mut query = connection.prepare_cached(
        "SELECT f.key, f.first_seq, f.last_seq, e.created_at
         FROM feeds f LEFT JOIN entries e ON e.feed = f.id AND e.seq = f.first_seq
         WHERE f.key > ?1 AND f.key < ?2 ORDER BY f.key LIMIT ?3",
    )?;
    // The prefix ends with a colon, and a semicolon is what comes after that.
    let end = prefix.replace(':', ";");
    let mut found = query.query(params![from, end, most as i64])?;
    let mut overfull = Overfull::default();
    let mut count = 0;
    while let Some(row) = found.next()? {
        let key: String = row.get(0)?;
        let (first, last): (i64, i64) = (row.get(1)?, row.get(2)?);
        let oldest: Option<i64> = row.get(3)?;
        let too_many = keep.entries > 0 && last - first + 1 > rows::from_seq(keep.entries);
        let too_old = keep
            .since
            .zip(oldest)
            .is_some_and(|(since, oldest)| oldest < since.as_ms());
        if (too_many || too_old)
            && let Some(feed) = FeedId::from_key(&key)
        {
            overfull.feeds.push(feed);
        }
        count += 1;
        overfull.next = (count == most).then_some(FeedMark(key));
    }
    Ok(overfull)
}

/// Takes up to `most` of the oldest entries that need not be kept. The newest entry of all feeds
/// stays: the next one must get a greater position.
pub(super) fn trim(
    connection: &Connection,
    feed: &FeedId,
    keep: &KeepRule,
    most: usize,
) -> rusqlite::Result<Trimmed> {
    let bounds = Bounds::of(connection, feed)?;
    let newest = rows::from_seq(last_position(connection)?);
    let surplus = match keep.entries {
        0 => bounds.first_seq,
        entries => bounds.last_seq + 1 - rows::from_seq(entries),
    };
    let mut query = connection.prepare_cached(
        "SELECT seq, key, created_at FROM entries WHERE feed = ?1 AND seq >= ?2
         ORDER BY seq LIMIT ?3",
    )?;
    let mut found = query.query(params![bounds.row, bounds.first_seq, most as i64])?;
    let mut trimmed = Trimmed::default();
    let mut last = None;
    while let Some(row) = found.next()? {
        let (seq, position, created_at): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let too_old = keep.since.is_some_and(|since| created_at < since.as_ms());
        if position == newest || (seq >= surplus && !too_old) {
            break;
        }
        last = Some((seq, position, created_at));
        trimmed.count += 1;
    }
    trimmed.has_more = trimmed.count == most;
    let Some((seq, position, created_at)) = last else {
        return Ok(trimmed);
    };
    connection
        .prepare_cached("DELETE FROM entries WHERE feed = ?1 AND seq <= ?2")?
        .execute([bounds.row, seq])?;
    connection
        .prepare_cached(
            "UPDATE feeds SET first_seq = ?2, trimmed = ?3, trimmed_at = ?4 WHERE id = ?1",
        )?
        .execute([bounds.row, seq + 1, position, created_at])?;
    Ok(trimmed)
}
