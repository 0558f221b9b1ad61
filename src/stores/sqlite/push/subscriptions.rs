//! Browsers that take pushes.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::{Subscription, SubscriptionId, Timestamp, UserId};

pub(super) fn subscribe(
    connection: &Connection,
    subscription: Subscription,
    keep: usize,
) -> rusqlite::Result<SubscriptionId> {
    let user = subscription.user.as_str();
    // Its deliveries and dead letters go along: see the references in the schema.
    connection
        .prepare_cached("DELETE FROM push_subscriptions WHERE endpoint = ?1 AND user <> ?2")?
        .execute([&*subscription.endpoint, user])?;
    let id: String = connection
        .prepare_cached(
            "INSERT INTO push_subscriptions
                 (id, user, endpoint, p256dh, auth, expires_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (endpoint) DO UPDATE SET
                 p256dh = excluded.p256dh, auth = excluded.auth,
                 expires_at = excluded.expires_at, created_at = excluded.created_at
             RETURNING id",
        )?
        .query_row(
            params![
                subscription.id.as_str(),
                user,
                subscription.endpoint,
                subscription.p256dh,
                subscription.auth,
                subscription.expires_at.map(Timestamp::as_ms),
                subscription.created_at.as_ms(),
            ],
            |row| row.get(0),
        )?;
    connection
        .prepare_cached(
            "DELETE FROM push_subscriptions WHERE id IN (
                 SELECT id FROM push_subscriptions WHERE user = ?1 AND id <> ?2
                 ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?3)",
        )?
        .execute(params![user, id, keep.saturating_sub(1) as i64])?;
    Ok(SubscriptionId::new(id).unwrap_or(subscription.id))
}

/// A subscription whose endpoint stands in the row's column 6, with the rest after it.
pub(super) fn subscription(
    row: &Row<'_>,
    id: SubscriptionId,
    user: UserId,
) -> rusqlite::Result<Subscription> {
    let expires_at: Option<i64> = row.get(9)?;
    Ok(Subscription {
        id,
        user,
        endpoint: row.get(6)?,
        p256dh: row.get(7)?,
        auth: row.get(8)?,
        expires_at: expires_at.map(Timestamp::from_ms),
        created_at: Timestamp::from_ms(row.get(10)?),
    })
}

/// Removes the subscription a delivery goes to, and with it all its deliveries.
pub(super) fn forget(connection: &Connection, delivery: &str) -> rusqlite::Result<()> {
    let id: Option<String> = connection
        .prepare_cached(
            "SELECT subscription FROM push_deliveries WHERE id = ?1 AND subscription IS NOT NULL",
        )?
        .query_row([delivery], |row| row.get(0))
        .optional()?;
    if let Some(id) = id {
        connection
            .prepare_cached("DELETE FROM push_subscriptions WHERE id = ?1")?
            .execute([id])?;
    }
    Ok(())
}
