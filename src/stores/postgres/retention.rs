//! What retention takes: first the feeds that have too much, then a few entries at a time.

use sqlx::Row;

use super::{
    pool::Pool,
    rows::{self, from_number},
};
use crate::{
    domain::{FeedId, FeedKind, Timestamp},
    ports::{FeedMark, KeepRule, Overfull, StoreResult, Trimmed},
};

/// Looks at up to `most` feeds of a kind after `from` for those that have more than is kept.
pub(super) async fn overfull(
    pool: &Pool,
    kind: FeedKind,
    keep: KeepRule,
    from: Option<FeedMark>,
    most: usize,
) -> StoreResult<Overfull> {
    let prefix = kind.prefix();
    let statement = sqlx::query(
        "SELECT key,
             $4 > 0 AND last_seq - first_seq + 1 > $4 OR coalesce(created_at < $5, false) AS is_over
         FROM feeds LEFT JOIN entries ON feed = feeds.id AND seq = first_seq
         WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3",
    )
    .bind(from.map_or_else(|| prefix.to_owned(), |mark| mark.0))
    // The prefix ends with a colon, and a semicolon is what comes after that.
    .bind(prefix.replace(':', ";"))
    .bind(rows::limit(most))
    .bind(from_number(keep.entries))
    .bind(keep.since.map(Timestamp::as_ms));
    let looked_at = pool.read(statement, |row| {
        let key: String = row.try_get("key")?;
        let is_over: bool = row.try_get("is_over")?;
        Ok((key, is_over))
    });
    let looked_at = looked_at.await?;
    let over = looked_at.iter().filter(|(_, is_over)| *is_over);
    Ok(Overfull {
        feeds: over.filter_map(|(key, _)| FeedId::from_key(key)).collect(),
        next: match looked_at.len() == most {
            true => looked_at.into_iter().last().map(|(key, _)| FeedMark(key)),
            false => None,
        },
    })
}

/// Takes up to `most` of the oldest entries that need not be kept.
pub(super) async fn trim(
    pool: &Pool,
    feed: &FeedId,
    keep: KeepRule,
    most: usize,
) -> StoreResult<Trimmed> {
    let statement = sqlx::query("SELECT trim_feed($1, $2, $3, $4) AS taken")
        .bind(feed.key())
        .bind(from_number(keep.entries))
        .bind(keep.since.map(Timestamp::as_ms))
        .bind(rows::limit(most));
    let taken = pool
        .change(statement, |row| rows::number(row, "taken"))
        .await?;
    let count = taken
        .and_then(|taken| usize::try_from(taken).ok())
        .unwrap_or(0);
    Ok(Trimmed {
        count,
        has_more: count == most,
    })
}
