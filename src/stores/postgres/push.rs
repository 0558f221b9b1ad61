//! The ports of offline push.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{
    PostgresStore, page,
    rows::{self, from_number},
};
use crate::{
    domain::{
        DeadLetter, Delivery, DeliveryId, EntryId, PushTarget, Subscription, SubscriptionId,
        Timestamp, UserId, is_pushed,
    },
    ports::{
        DuePushes, Planned, PushPlan, PushStart, PushStore, Settled, Since, StoreResult,
        SubscriptionStore, Unplanned,
    },
};

#[async_trait]
impl PushStore for PostgresStore {
    async fn begin(&self, targets: &[PushTarget]) -> StoreResult<PushStart> {
        let targets: Vec<_> = targets.iter().map(|target| target.as_str()).collect();
        let statement = sqlx::query("SELECT * FROM begin_push($1)").bind(targets);
        let start = self.pool.change(statement, |row| {
            Ok(PushStart {
                position: rows::number(row, "planned")?,
                dropped: rows::number(row, "dropped")?,
            })
        });
        let nothing = PushStart {
            position: 0,
            dropped: 0,
        };
        Ok(start.await?.unwrap_or(nothing))
    }

    async fn entries_after(&self, position: u64, limit: usize) -> StoreResult<Since> {
        let found = page::heads(&self.pool, position, limit).await?;
        let wanted = page::of_feeds(&found, &is_pushed);
        Ok(Since {
            entries: page::entries_at(&self.pool, &wanted).await?,
            position: found.last().map_or(position, |last| last.position),
        })
    }

    async fn unplanned(&self, position: u64) -> StoreResult<Unplanned> {
        let trimmed = sqlx::query(
            "SELECT key, trimmed FROM feeds WHERE trimmed > $1 AND trimmed > 0 ORDER BY trimmed",
        )
        .bind(from_number(position));
        let trimmed = self.pool.read(trimmed, |row| {
            Ok((rows::feed(row)?, rows::number(row, "trimmed")?))
        });
        let trimmed = trimmed.await?;
        let pushed: Vec<_> = trimmed.iter().filter(|(feed, _)| is_pushed(feed)).collect();
        Ok(Unplanned {
            feeds: pushed.len() as u64,
            newest: pushed.last().map_or(0, |(_, newest)| *newest),
        })
    }

    async fn plan(
        &self,
        plans: Vec<PushPlan>,
        position: u64,
        max_pending: u64,
    ) -> StoreResult<Planned> {
        let body = |body: &Option<String>| body.as_ref().map(|body| body.clone().into_bytes());
        let webhooks: Vec<_> = plans.iter().map(|plan| body(&plan.webhook)).collect();
        let messages: Vec<_> = plans.iter().map(|plan| body(&plan.message)).collect();
        let statement = sqlx::query("SELECT plan_pushes($1, $2, $3, $4, $5, $6, $7) AS stored")
            .bind(
                plans
                    .iter()
                    .map(|plan| plan.entry.as_str())
                    .collect::<Vec<_>>(),
            )
            .bind(
                plans
                    .iter()
                    .map(|plan| plan.user.as_str())
                    .collect::<Vec<_>>(),
            )
            .bind(webhooks)
            .bind(messages)
            .bind(from_number(position))
            .bind(from_number(max_pending))
            .bind(Timestamp::now().as_ms());
        let stored = self.pool.change(statement, |row| row.try_get("stored"));
        let stored: Option<i64> = stored.await?.flatten();
        let stored = stored.and_then(|stored| usize::try_from(stored).ok());
        Ok(stored.map_or(Planned::Full, Planned::Stored))
    }

    async fn due(&self, target: PushTarget, at: Timestamp, limit: usize) -> StoreResult<DuePushes> {
        let deliveries = sqlx::query(
            "SELECT d.*, s.endpoint, s.p256dh, s.auth, s.expires_at,
                 s.created_at AS subscribed_at
             FROM push_deliveries AS d LEFT JOIN push_subscriptions AS s ON s.id = d.subscription
             WHERE d.target = $1 AND d.due_at <= $2 ORDER BY d.due_at, d.id LIMIT $3",
        )
        .bind(target.as_str())
        .bind(at.as_ms())
        .bind(rows::limit(limit));
        let deliveries = self.pool.read(deliveries, delivery).await?;
        let rest = sqlx::query(
            "SELECT (SELECT min(due_at) FROM push_deliveries WHERE target = $1 AND due_at > $2)
                 AS next, (SELECT count(*) FROM push_deliveries) AS pending",
        )
        .bind(target.as_str())
        .bind(at.as_ms());
        let rest = self.pool.read_one(rest, |row| {
            Ok((
                rows::optional_time(row, "next")?,
                rows::number(row, "pending")?,
            ))
        });
        let (next, pending) = rest.await?.unwrap_or_default();
        Ok(DuePushes {
            deliveries,
            next,
            pending,
        })
    }

    async fn settle(&self, id: &DeliveryId, settled: Settled) -> StoreResult<()> {
        let id = id.as_str();
        let statement = match settled {
            Settled::Delivered => sqlx::query("DELETE FROM push_deliveries WHERE id = $1").bind(id),
            // All its deliveries go with the subscription.
            Settled::Gone => sqlx::query(
                "DELETE FROM push_subscriptions
                 WHERE id = (SELECT subscription FROM push_deliveries WHERE id = $1)",
            )
            .bind(id),
            Settled::Postponed { attempts, due_at } => {
                sqlx::query("UPDATE push_deliveries SET attempts = $2, due_at = $3 WHERE id = $1")
                    .bind(id)
                    .bind(i64::from(attempts))
                    .bind(due_at.as_ms())
            }
            Settled::Dead {
                attempts,
                error,
                keep,
            } => sqlx::query("SELECT bury_push($1, $2, $3, $4, $5)")
                .bind(id)
                .bind(i64::from(attempts))
                .bind(error.into_bytes())
                .bind(Timestamp::now().as_ms())
                .bind(rows::limit(keep)),
        };
        self.pool.write(statement).await.map(drop)
    }

    async fn dead_letters(&self, limit: usize) -> StoreResult<Vec<DeadLetter>> {
        let statement =
            sqlx::query("SELECT * FROM push_dead_letters ORDER BY number DESC LIMIT $1")
                .bind(rows::limit(limit));
        self.pool.read(statement, letter).await
    }

    async fn revive(&self, id: &DeliveryId) -> StoreResult<bool> {
        let statement = sqlx::query(
            "WITH revived AS (DELETE FROM push_dead_letters WHERE id = $1 RETURNING *)
             INSERT INTO push_deliveries
                 (id, entry, user_id, target, subscription, due_at, created_at, body)
             SELECT id, entry, user_id, target, subscription, $2, created_at, body FROM revived
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(Timestamp::now().as_ms());
        Ok(self.pool.write(statement).await? > 0)
    }
}

#[async_trait]
impl SubscriptionStore for PostgresStore {
    async fn subscribe(
        &self,
        subscription: Subscription,
        keep: usize,
    ) -> StoreResult<SubscriptionId> {
        let statement = sqlx::query("SELECT subscribe($1, $2, $3, $4, $5, $6, $7, $8) AS id")
            .bind(subscription.id.as_str())
            .bind(subscription.user.as_str())
            .bind(subscription.endpoint.as_bytes())
            .bind(&subscription.p256dh[..])
            .bind(&subscription.auth[..])
            .bind(subscription.expires_at.map(Timestamp::as_ms))
            .bind(subscription.created_at.as_ms())
            .bind(rows::limit(keep));
        let id = |row: &PgRow| rows::id(row, "id", SubscriptionId::new);
        Ok(self
            .pool
            .change(statement, id)
            .await?
            .unwrap_or(subscription.id))
    }

    async fn unsubscribe(&self, user: &UserId, endpoint: &str) -> StoreResult<()> {
        let statement =
            sqlx::query("DELETE FROM push_subscriptions WHERE endpoint = $1 AND user_id = $2")
                .bind(endpoint.as_bytes())
                .bind(user.as_str());
        self.pool.write(statement).await.map(drop)
    }
}

fn delivery(row: &PgRow) -> sqlx::Result<Delivery> {
    let user = rows::id(row, "user_id", UserId::new)?;
    let subscription = match rows::optional_id(row, "subscription", SubscriptionId::new)? {
        Some(id) => Some(subscription(row, id, user.clone())?),
        None => None,
    };
    Ok(Delivery {
        id: rows::id(row, "id", DeliveryId::new)?,
        user,
        body: rows::text(row, "body")?,
        attempts: attempts(row)?,
        created_at: rows::time(row, "created_at")?,
        subscription,
    })
}

fn subscription(row: &PgRow, id: SubscriptionId, user: UserId) -> sqlx::Result<Subscription> {
    Ok(Subscription {
        id,
        user,
        endpoint: rows::text(row, "endpoint")?,
        p256dh: row.try_get("p256dh")?,
        auth: row.try_get("auth")?,
        expires_at: rows::optional_time(row, "expires_at")?,
        created_at: rows::time(row, "subscribed_at")?,
    })
}

fn letter(row: &PgRow) -> sqlx::Result<DeadLetter> {
    Ok(DeadLetter {
        id: rows::id(row, "id", DeliveryId::new)?,
        user_id: rows::id(row, "user_id", UserId::new)?,
        entry_id: rows::id(row, "entry", EntryId::new)?,
        target: target(row)?,
        attempts: attempts(row)?,
        last_error: rows::text(row, "last_error")?,
        created_at: rows::time(row, "created_at")?,
        failed_at: rows::time(row, "failed_at")?,
    })
}

fn attempts(row: &PgRow) -> sqlx::Result<u32> {
    let attempts: i64 = row.try_get("attempts")?;
    u32::try_from(attempts).map_err(|_| rows::invalid("attempts"))
}

/// A target by its name.
fn target(row: &PgRow) -> sqlx::Result<PushTarget> {
    let name: &str = row.try_get("target")?;
    [PushTarget::Webhook, PushTarget::Subscription]
        .into_iter()
        .find(|target| target.as_str() == name)
        .ok_or_else(|| rows::invalid("target"))
}
