//! What came after a moment in the feeds of one reader: their entries merged in the order of their
//! commits. The cost goes by the number of feeds and the size of the page, not by their history.

use std::sync::Arc;

use sqlx::Row;

use super::{
    page::last_position,
    pool::{Pool, Statement},
    rows::{self, budgeted, from_number},
};
use crate::{
    domain::{PageBudget, Timestamp, Verdict},
    ports::{After, Changes, Following, StoreResult},
};

/// How far the clocks of entries may be out of the order of their commits, in milliseconds.
const DISORDER_MS: i64 = 10_000;

pub(super) async fn changes(
    pool: &Pool,
    following: &Following,
    after: After,
    limit: usize,
) -> StoreResult<Changes> {
    // Read first: what is committed meanwhile comes after it.
    let newest = last_position(pool).await?;
    let (after, mut verdict) = match after {
        After::Position(position) if position > newest => (After::Position(0), Verdict::Reset),
        after => (after, Verdict::Complete),
    };
    let found = entries(following, after, limit);
    let found = pool.read(found, rows::found_entry).await?;
    // Read last: what retention has taken meanwhile shows.
    let misses_some = following.is_partial || is_cut(pool, following, after).await?;
    if verdict == Verdict::Complete && misses_some {
        verdict = Verdict::Gap;
    }
    let (entries, has_more) = rows::fitting(found, limit);
    let position = match entries.last() {
        Some(last) if has_more => last.position,
        Some(last) => last.position.max(newest),
        None => newest,
    };
    Ok(Changes {
        entries: entries.into_iter().map(Arc::new).collect(),
        has_more,
        position,
        verdict,
    })
}

/// Binds the feeds that are followed, each once with the reader's conversations, as `$1` and `$2`,
/// and the moment as `$3` to `$6`: the position, whether a time is meant instead, that time, and the
/// one from which on entries have to be looked at.
fn ask<'q>(sql: &'static str, following: &Following, after: After) -> Statement<'q> {
    let feeds: Vec<_> = following.feeds.iter().map(|feed| feed.key()).collect();
    let (position, is_time, time) = match after {
        After::Position(position) => (from_number(position), false, i64::MIN),
        After::Time(time) => (0, true, Timestamp::as_ms(time)),
    };
    sqlx::query(sql)
        .bind(feeds)
        .bind(following.reader.as_str().to_owned())
        .bind(position)
        .bind(is_time)
        .bind(time)
        .bind(time.saturating_sub(DISORDER_MS))
}

/// The first entries after the moment, one more than fits the page.
fn entries<'q>(following: &Following, after: After, limit: usize) -> Statement<'q> {
    let limit = rows::limit(limit.max(1)).saturating_add(1);
    let sql = concat!(
        "WITH followed AS (
             SELECT id FROM feeds WHERE key = ANY ($1)
             UNION
             SELECT feed FROM conversations WHERE user_id = $2
         ), begun AS (
             SELECT feeds.id, key, CASE WHEN $4 THEN position_before(feeds.id, first_seq, last_seq, $6)
                 ELSE $3 END AS start
             FROM followed JOIN feeds USING (id)
         ) ",
        budgeted!(
            "SELECT entries.*, first.key FROM (
                 SELECT one.position, begun.key FROM begun CROSS JOIN LATERAL (
                     SELECT position FROM entries
                     WHERE feed = begun.id AND position > begun.start AND created_at >= $5
                     ORDER BY position LIMIT $7
                 ) AS one ORDER BY one.position LIMIT $7
             ) AS first JOIN entries USING (position)",
            by "position", up to "$8"
        ),
        " ORDER BY position"
    );
    ask(sql, following, after)
        .bind(limit)
        .bind(rows::limit(PageBudget::MAX_BYTES))
}

/// Whether retention may have taken something that came after the moment, or rooms that the reader
/// has lost had something for them.
async fn is_cut(pool: &Pool, following: &Following, after: After) -> StoreResult<bool> {
    let (lost, until): (Vec<_>, Vec<_>) = following
        .lost
        .iter()
        .map(|(feed, until)| (feed.key(), from_number(*until)))
        .unzip();
    let sql = "WITH followed AS (
             SELECT id, NULL::bigint AS until FROM feeds WHERE key = ANY ($1)
             UNION ALL
             SELECT feed, NULL FROM conversations WHERE user_id = $2
             UNION ALL
             SELECT id, lost.until FROM unnest($7::text[], $8::bigint[]) AS lost (key, until)
             JOIN feeds USING (key)
         )
         SELECT EXISTS (
             SELECT FROM followed JOIN feeds USING (id)
             WHERE CASE WHEN $4 THEN trimmed > 0 AND trimmed_at >= $5 ELSE trimmed > $3 END
                 OR until IS NOT NULL AND EXISTS (
                     SELECT FROM entries WHERE feed = feeds.id AND position <= until
                         AND position > CASE
                             WHEN $4 THEN position_before(feeds.id, first_seq, last_seq, $6) ELSE $3 END
                 )
         ) AS is_cut";
    let statement = ask(sql, following, after).bind(lost).bind(until);
    let is_cut = pool.read_one(statement, |row| row.try_get("is_cut"));
    Ok(is_cut.await?.unwrap_or(false))
}
