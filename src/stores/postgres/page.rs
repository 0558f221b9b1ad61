//! Reading a feed in pages, and the log: by indexes only, and no more than a page takes.

use std::{collections::HashMap, sync::Arc};

use sqlx::{Row, postgres::PgRow};

use super::{
    pool::{Pool, Statement},
    rows::{self, budgeted, from_number, to_number},
};
use crate::{
    domain::{Cursor, Entry, EntryId, EntryPage, FeedId, PageBudget, Timestamp, Verdict},
    ports::{FeedFilter, Since, StoreResult},
};

/// The most entries in one page, whatever is asked for.
pub(super) const MAX_PAGE: usize = 1_000;

/// The ends of what a feed keeps.
struct Bounds {
    first_seq: i64,
    last_seq: i64,
    trimmed: i64,
}

impl Bounds {
    /// A feed that nobody has written to reads like an empty one.
    const EMPTY: Self = Self {
        first_seq: 1,
        last_seq: 0,
        trimmed: 0,
    };

    fn of(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            first_seq: row.try_get("first_seq")?,
            last_seq: row.try_get("last_seq")?,
            trimmed: row.try_get("trimmed")?,
        })
    }
}

/// Which way to read, and from where; the end itself is left out.
enum Span {
    After(i64),
    Before(i64),
}

/// Reads up to `limit` entries, at most [`MAX_PAGE`].
pub(super) async fn page(
    pool: &Pool,
    feed: &FeedId,
    from: &Cursor,
    limit: usize,
) -> StoreResult<EntryPage> {
    let (span, verdict) = locate(pool, feed, from).await?;
    let (bounds, rows) = read(pool, feed, &span, limit.min(MAX_PAGE)).await?;
    let (mut entries, has_more) = rows::fitting(rows, limit.min(MAX_PAGE));
    let (after, verdict) = match span {
        Span::After(seq) if seq > bounds.last_seq => (bounds.first_seq - 1, Verdict::Reset),
        Span::After(seq) if seq < bounds.first_seq - 1 => {
            (bounds.first_seq - 1, verdict.max(Verdict::Gap))
        }
        Span::After(seq) => (seq, verdict),
        // Reading back ends where retention has taken what was before.
        Span::Before(_) if *from != Cursor::Latest && bounds.trimmed > 0 && !has_more => {
            (bounds.first_seq - 1, verdict.max(Verdict::Gap))
        }
        Span::Before(_) => (bounds.first_seq - 1, verdict),
    };
    if let Span::Before(_) = span {
        entries.reverse();
    }
    Ok(EntryPage {
        after: entries
            .first()
            .map_or(to_number(after), |first| first.seq - 1),
        entries,
        has_more,
        verdict,
    })
}

async fn locate(pool: &Pool, feed: &FeedId, from: &Cursor) -> StoreResult<(Span, Verdict)> {
    let end = Span::Before(i64::MAX);
    Ok(match from {
        Cursor::Latest => (end, Verdict::Complete),
        Cursor::BeforeSeq(seq) => (Span::Before(from_number(*seq)), Verdict::Complete),
        Cursor::AfterSeq(seq) => (Span::After(from_number(*seq)), Verdict::Complete),
        Cursor::BeforeId(id) => match find(pool, feed, id).await? {
            Place::At(seq) => (Span::Before(seq), Verdict::Complete),
            Place::Taken => (Span::Before(0), Verdict::Gap),
            Place::Unknown => (end, Verdict::Reset),
        },
        Cursor::AfterId(id) => match find(pool, feed, id).await? {
            Place::At(seq) => (Span::After(seq), Verdict::Complete),
            Place::Taken => (Span::After(0), Verdict::Gap),
            Place::Unknown => (Span::After(0), Verdict::Reset),
        },
    })
}

/// Where an entry is in its feed.
enum Place {
    At(i64),
    /// It was made before the first one that retention has left.
    Taken,
    Unknown,
}

async fn find(pool: &Pool, feed: &FeedId, id: &EntryId) -> StoreResult<Place> {
    let found = sqlx::query(
        "SELECT trimmed, sought.seq, oldest.id AS first_id FROM feeds
         LEFT JOIN entries AS sought ON sought.id = $2 AND sought.feed = feeds.id
         LEFT JOIN entries AS oldest ON oldest.feed = feeds.id AND oldest.seq = first_seq
         WHERE key = $1",
    )
    .bind(feed.key())
    .bind(id.as_str());
    let place = pool.read_one(found, |row| {
        if let Some(seq) = row.try_get("seq")? {
            return Ok(Place::At(seq));
        }
        let first = rows::optional_id(row, "first_id", EntryId::new)?;
        let first = first.and_then(|first| first.made_at());
        let is_older = |at| at <= first.unwrap_or_else(Timestamp::now);
        Ok(match id.made_at() {
            Some(at) if row.try_get::<i64, _>("trimmed")? > 0 && is_older(at) => Place::Taken,
            _ => Place::Unknown,
        })
    });
    Ok(place.await?.unwrap_or(Place::Unknown))
}

/// Reads away from the span's end: ascending after it, descending before it. One more than asked
/// for tells whether there is more. A position beyond the newest entry reads from the first one.
async fn read(
    pool: &Pool,
    feed: &FeedId,
    span: &Span,
    limit: usize,
) -> StoreResult<(Bounds, Vec<(Entry, i64)>)> {
    let (sql, seq) = match span {
        Span::After(seq) => (
            concat!(
                "SELECT first_seq, last_seq, trimmed, page.* FROM feeds LEFT JOIN LATERAL (",
                budgeted!(
                    "SELECT * FROM entries WHERE feed = feeds.id
                         AND seq > CASE WHEN $2 > feeds.last_seq THEN 0 ELSE $2 END
                     ORDER BY seq LIMIT $3",
                    by "seq", up to "$4"
                ),
                ") AS page ON true WHERE key = $1 ORDER BY page.seq"
            ),
            seq,
        ),
        Span::Before(seq) => (
            concat!(
                "SELECT first_seq, last_seq, trimmed, page.* FROM feeds LEFT JOIN LATERAL (",
                budgeted!(
                    "SELECT * FROM entries WHERE feed = feeds.id AND seq < $2
                     ORDER BY seq DESC LIMIT $3",
                    by "seq DESC", up to "$4"
                ),
                ") AS page ON true WHERE key = $1 ORDER BY page.seq DESC"
            ),
            seq,
        ),
    };
    let statement = sqlx::query(sql)
        .bind(feed.key())
        .bind(seq)
        .bind(rows::limit(limit).saturating_add(1))
        .bind(rows::limit(PageBudget::MAX_BYTES));
    let found = pool.read(statement, |row| {
        let entry = match row.try_get("found")? {
            Some(found) => Some((rows::entry(row, feed.clone())?, found)),
            None => None,
        };
        Ok((Bounds::of(row)?, entry))
    });
    let mut bounds = Bounds::EMPTY;
    let entries = found.await?.into_iter().filter_map(|(of_feed, entry)| {
        bounds = of_feed;
        entry
    });
    let entries = entries.collect();
    Ok((bounds, entries))
}

/// Reads the entries of all feeds after a position.
pub(super) async fn log(pool: &Pool, after: u64, limit: usize) -> StoreResult<Vec<Arc<Entry>>> {
    let limit = limit.min(MAX_PAGE);
    let statement = sqlx::query(concat!(
        "SELECT page.*, key FROM (",
        budgeted!(
            "SELECT * FROM entries WHERE position > $1 ORDER BY position LIMIT $2",
            by "position", up to "$3"
        ),
        ") AS page JOIN feeds ON feeds.id = page.feed ORDER BY position"
    ))
    .bind(from_number(after))
    .bind(rows::limit(limit))
    .bind(rows::limit(PageBudget::MAX_BYTES));
    let (entries, _) = rows::fitting(pool.read(statement, rows::found_entry).await?, limit);
    Ok(entries.into_iter().map(Arc::new).collect())
}

/// The newest entry's position.
pub(super) async fn last_position(pool: &Pool) -> StoreResult<u64> {
    let newest = sqlx::query("SELECT position FROM log WHERE one");
    let newest = pool.read_one(newest, |row| rows::number(row, "position"));
    Ok(newest.await?.unwrap_or(0))
}

/// Reads the entries after a position of the feeds of which `of` is true. What retention takes
/// meanwhile shows at the end.
pub(super) async fn since(
    pool: &Pool,
    position: u64,
    limit: usize,
    of: FeedFilter,
) -> StoreResult<Option<Since>> {
    if position > last_position(pool).await? {
        return Ok(None);
    }
    let found = heads(pool, position, limit.saturating_add(1)).await?;
    if found.len() > limit {
        return Ok(None);
    }
    let wanted = of_feeds(&found, &*of);
    let entries = entries_at(pool, &wanted).await?;
    let trimmed = sqlx::query("SELECT key FROM feeds WHERE trimmed > $1 AND trimmed > 0")
        .bind(from_number(position));
    let trimmed = pool.read(trimmed, rows::feed).await?;
    let since = Since {
        entries,
        position: found.last().map_or(position, |last| last.position),
    };
    Ok((!trimmed.iter().any(of)).then_some(since))
}

/// Where an entry is.
pub(super) struct Head {
    pub(super) position: u64,
    feed: FeedId,
}

/// Looks at the `limit` entries after a position, of which it reads no more than their feed.
pub(super) async fn heads(pool: &Pool, position: u64, limit: usize) -> StoreResult<Vec<Head>> {
    let statement = sqlx::query(
        "SELECT position, key FROM (
             SELECT position, feed FROM entries WHERE position > $1 ORDER BY position LIMIT $2
         ) AS after JOIN feeds ON feeds.id = after.feed ORDER BY position",
    )
    .bind(from_number(position))
    .bind(rows::limit(limit));
    let head = |row: &PgRow| {
        Ok(Head {
            position: rows::number(row, "position")?,
            feed: rows::feed(row)?,
        })
    };
    pool.read(statement, head).await
}

/// The positions of those entries whose feeds are meant.
pub(super) fn of_feeds(heads: &[Head], of: &dyn Fn(&FeedId) -> bool) -> Vec<i64> {
    let mut known = HashMap::new();
    let meant = heads
        .iter()
        .filter(|head| *known.entry(&head.feed).or_insert_with_key(|feed| of(feed)));
    meant.map(|head| from_number(head.position)).collect()
}

/// The entries at these positions, in their order.
pub(super) async fn entries_at(pool: &Pool, positions: &[i64]) -> StoreResult<Vec<Arc<Entry>>> {
    let read = |row: &PgRow| rows::keyed_entry(row).map(Arc::new);
    pool.read(at(positions), read).await
}

pub(super) fn at(positions: &[i64]) -> Statement<'_> {
    sqlx::query(
        "SELECT entries.*, key FROM entries JOIN feeds ON feeds.id = feed
         WHERE position = ANY ($1) ORDER BY position",
    )
    .bind(positions)
}
