//! The ports of offline push.

mod letters;
mod subscriptions;

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::{SqliteStore, page, rows};
use crate::{
    domain::{
        DeadLetter, Delivery, DeliveryId, FeedId, PushTarget, Subscription, SubscriptionId,
        Timestamp, UserId, is_pushed,
    },
    ports::{
        DuePushes, Planned, PushPlan, PushStart, PushStore, Settled, Since, StoreResult,
        SubscriptionStore, Unplanned,
    },
};

#[async_trait]
impl PushStore for SqliteStore {
    async fn begin(&self, targets: &[PushTarget]) -> StoreResult<PushStart> {
        let targets = targets.to_vec();
        self.write(move |connection| begin(connection, &targets))
            .await
    }

    async fn entries_after(&self, position: u64, limit: usize) -> StoreResult<Since> {
        self.read(move |connection| entries_after(connection, position, limit))
            .await
    }

    async fn unplanned(&self, position: u64) -> StoreResult<Unplanned> {
        self.read(move |connection| unplanned(connection, position))
            .await
    }

    async fn plan(
        &self,
        plans: Vec<PushPlan>,
        position: u64,
        max_pending: u64,
    ) -> StoreResult<Planned> {
        self.write(move |connection| plan(connection, &plans, position, max_pending))
            .await
    }

    async fn due(&self, target: PushTarget, at: Timestamp, limit: usize) -> StoreResult<DuePushes> {
        self.read(move |connection| due(connection, target, at, limit))
            .await
    }

    async fn settle(&self, id: &DeliveryId, settled: Settled) -> StoreResult<()> {
        let id = id.clone();
        self.write(move |connection| letters::settle(connection, &id, &settled))
            .await
    }

    async fn dead_letters(&self, limit: usize) -> StoreResult<Vec<DeadLetter>> {
        self.read(move |connection| letters::list(connection, limit))
            .await
    }

    async fn revive(&self, id: &DeliveryId) -> StoreResult<bool> {
        let id = id.clone();
        self.write(move |connection| letters::revive(connection, &id))
            .await
    }
}

#[async_trait]
impl SubscriptionStore for SqliteStore {
    async fn subscribe(
        &self,
        subscription: Subscription,
        keep: usize,
    ) -> StoreResult<SubscriptionId> {
        self.write(move |connection| subscriptions::subscribe(connection, subscription, keep))
            .await
    }

    async fn unsubscribe(&self, user: &UserId, endpoint: &str) -> StoreResult<()> {
        let (user, endpoint) = (user.clone(), endpoint.to_owned());
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM push_subscriptions WHERE endpoint = ?1 AND user = ?2")?
                .execute([&*endpoint, user.as_str()])
                .map(drop)
        })
        .await
    }
}

fn begin(connection: &Connection, targets: &[PushTarget]) -> rusqlite::Result<PushStart> {
    if targets.is_empty() {
        // What is posted from now on is not pushed, also when there are targets again.
        let dropped = connection.execute("DELETE FROM push_deliveries", [])? as u64;
        connection.execute("DELETE FROM push_state", [])?;
        return Ok(PushStart {
            position: 0,
            dropped,
        });
    }
    let newest = rows::from_seq(page::last_position(connection)?);
    connection.execute(
        "INSERT OR IGNORE INTO push_state (only, position) VALUES (1, ?1)",
        [newest],
    )?;
    let names: Vec<_> = targets.iter().map(|target| target.as_str()).collect();
    let dropped = connection.execute(
        "DELETE FROM push_deliveries WHERE target NOT IN (SELECT value FROM json_each(?1))",
        [serde_json::Value::from(names).to_string()],
    )?;
    let position = connection.query_row("SELECT position FROM push_state", [], |row| row.get(0))?;
    Ok(PushStart {
        position: rows::to_seq(position),
        dropped: dropped as u64,
    })
}

/// Of entries that are for nobody in particular no column is read but the feed.
fn entries_after(connection: &Connection, position: u64, limit: usize) -> rusqlite::Result<Since> {
    let mut query =
        connection.prepare_cached(rows::select!("WHERE key > ?1 ORDER BY key LIMIT ?2"))?;
    let mut found = query.query(params![rows::from_seq(position), limit as i64])?;
    let mut since = Since {
        entries: Vec::new(),
        position,
    };
    while let Some(row) = found.next()? {
        since.position = rows::position(row)?;
        let feed = page::feed_of(connection, rows::feed(row)?)?;
        if is_pushed(&feed) {
            since.entries.push(Arc::new(rows::entry(row, &feed)?));
        }
    }
    Ok(since)
}

fn unplanned(connection: &Connection, position: u64) -> rusqlite::Result<Unplanned> {
    let mut query = connection.prepare_cached(
        "SELECT key, trimmed FROM feeds WHERE trimmed > ?1 AND trimmed > 0 ORDER BY trimmed",
    )?;
    let mut found = query.query([rows::from_seq(position)])?;
    let mut unplanned = Unplanned {
        feeds: 0,
        newest: 0,
    };
    while let Some(row) = found.next()? {
        let feed = rows::text(row, 0, |key| FeedId::from_key(&key).ok_or(()))?;
        if is_pushed(&feed) {
            unplanned.feeds += 1;
            unplanned.newest = row.get(1).map(rows::to_seq)?;
        }
    }
    Ok(unplanned)
}

fn plan(
    connection: &Connection,
    plans: &[PushPlan],
    position: u64,
    max_pending: u64,
) -> rusqlite::Result<Planned> {
    if !plans.is_empty() && pending(connection)? >= max_pending {
        return Ok(Planned::Full);
    }
    let now = Timestamp::now().as_ms();
    let mut stored = 0;
    for plan in plans {
        let user = plan.user.as_str();
        if let Some(body) = &plan.webhook {
            stored += connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO push_deliveries
                         (id, entry, user, target, due_at, created_at, body)
                     VALUES (?1, ?1, ?2, 'webhook', ?3, ?3, ?4)",
                )?
                .execute(params![plan.entry.as_str(), user, now, body])?;
        }
        if let Some(body) = &plan.message {
            connection
                .prepare_cached(
                    "DELETE FROM push_subscriptions WHERE user = ?1 AND expires_at <= ?2",
                )?
                .execute(params![user, now])?;
            stored += connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO push_deliveries
                         (id, entry, user, target, subscription, due_at, created_at, body)
                     SELECT ?1 || ':' || id, ?1, ?2, 'subscription', id, ?3, ?3, ?4
                     FROM push_subscriptions WHERE user = ?2",
                )?
                .execute(params![plan.entry.as_str(), user, now, body])?;
        }
    }
    connection
        .prepare_cached("UPDATE push_state SET position = max(position, ?1)")?
        .execute([rows::from_seq(position)])?;
    Ok(Planned::Stored(stored))
}

fn pending(connection: &Connection) -> rusqlite::Result<u64> {
    let pending = connection
        .prepare_cached("SELECT pending FROM push_state")?
        .query_row([], |row| row.get(0).map(rows::to_seq))
        .optional()?;
    Ok(pending.unwrap_or(0))
}

fn due(
    connection: &Connection,
    target: PushTarget,
    at: Timestamp,
    limit: usize,
) -> rusqlite::Result<DuePushes> {
    let deliveries = connection
        .prepare_cached(
            "SELECT d.id, d.user, d.body, d.attempts, d.created_at,
                 s.id, s.endpoint, s.p256dh, s.auth, s.expires_at, s.created_at
             FROM push_deliveries d LEFT JOIN push_subscriptions s ON s.id = d.subscription
             WHERE d.target = ?1 AND d.due_at <= ?2 ORDER BY d.due_at LIMIT ?3",
        )?
        .query_map(params![target.as_str(), at.as_ms(), limit as i64], delivery)?
        .collect::<rusqlite::Result<_>>()?;
    let next: Option<i64> = connection
        .prepare_cached(
            "SELECT min(due_at) FROM push_deliveries WHERE target = ?1 AND due_at > ?2",
        )?
        .query_row(params![target.as_str(), at.as_ms()], |row| row.get(0))?;
    Ok(DuePushes {
        deliveries,
        next: next.map(Timestamp::from_ms),
        pending: pending(connection)?,
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let user = rows::text(row, 1, UserId::new)?;
    Ok(Delivery {
        id: rows::text(row, 0, DeliveryId::new)?,
        body: row.get(2)?,
        attempts: row.get(3)?,
        created_at: Timestamp::from_ms(row.get(4)?),
        subscription: match rows::optional_text(row, 5, SubscriptionId::new)? {
            Some(id) => Some(subscriptions::subscription(row, id, user.clone())?),
            None => None,
        },
        user,
    })
}

/// A target by its name.
fn target(row: &Row<'_>, column: usize) -> rusqlite::Result<PushTarget> {
    let name: String = row.get(column)?;
    [PushTarget::Webhook, PushTarget::Subscription]
        .into_iter()
        .find(|target| target.as_str() == name)
        .ok_or_else(|| rows::invalid(column, Type::Text))
}
