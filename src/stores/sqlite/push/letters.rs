//! What becomes of deliveries, and those that were given up.

use rusqlite::{Connection, Row, params};

use super::{rows, subscriptions, target};
use crate::{
    domain::{DeadLetter, DeliveryId, EntryId, Timestamp, UserId},
    ports::Settled,
};

pub(super) fn settle(
    connection: &Connection,
    id: &DeliveryId,
    settled: &Settled,
) -> rusqlite::Result<()> {
    match settled {
        Settled::Delivered => remove(connection, id),
        Settled::Gone => subscriptions::forget(connection, id.as_str()),
        Settled::Postponed { attempts, due_at } => connection
            .prepare_cached("UPDATE push_deliveries SET attempts = ?2, due_at = ?3 WHERE id = ?1")?
            .execute(params![id.as_str(), attempts, due_at.as_ms()])
            .map(drop),
        Settled::Dead {
            attempts,
            error,
            keep,
        } => bury(connection, id, *attempts, error, *keep),
    }
}

fn remove(connection: &Connection, id: &DeliveryId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM push_deliveries WHERE id = ?1")?
        .execute([id.as_str()])
        .map(drop)
}

fn bury(
    connection: &Connection,
    id: &DeliveryId,
    attempts: u32,
    error: &str,
    keep: usize,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO push_dead_letters
                 (id, entry, user, target, subscription, attempts, last_error, created_at,
                  failed_at, body)
             SELECT id, entry, user, target, subscription, ?2, ?3, created_at, ?4, body
             FROM push_deliveries WHERE id = ?1",
        )?
        .execute(params![
            id.as_str(),
            attempts,
            error,
            Timestamp::now().as_ms()
        ])?;
    remove(connection, id)?;
    connection
        .prepare_cached(
            "DELETE FROM push_dead_letters WHERE number <= (
                 SELECT number FROM push_dead_letters ORDER BY number DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([keep as i64])
        .map(drop)
}

pub(super) fn list(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<DeadLetter>> {
    connection
        .prepare_cached(
            "SELECT id, user, entry, target, attempts, last_error, created_at, failed_at
             FROM push_dead_letters ORDER BY number DESC LIMIT ?1",
        )?
        .query_map([limit as i64], letter)?
        .collect()
}

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        id: rows::text(row, 0, DeliveryId::new)?,
        user_id: rows::text(row, 1, UserId::new)?,
        entry_id: rows::text(row, 2, EntryId::new)?,
        target: target(row, 3)?,
        attempts: row.get(4)?,
        last_error: row.get(5)?,
        created_at: Timestamp::from_ms(row.get(6)?),
        failed_at: Timestamp::from_ms(row.get(7)?),
    })
}

pub(super) fn revive(connection: &Connection, id: &DeliveryId) -> rusqlite::Result<bool> {
    let revived = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO push_deliveries
                 (id, entry, user, target, subscription, due_at, created_at, body)
             SELECT id, entry, user, target, subscription, ?2, created_at, body
             FROM push_dead_letters WHERE id = ?1",
        )?
        .execute(params![id.as_str(), Timestamp::now().as_ms()])?;
    connection
        .prepare_cached("DELETE FROM push_dead_letters WHERE id = ?1")?
        .execute([id.as_str()])?;
    Ok(revived > 0)
}
