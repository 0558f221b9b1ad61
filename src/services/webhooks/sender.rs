//! Sends what is due, so many at a time, until each is taken or given up.

use std::time::Duration;

use futures::future::join_all;
use metrics::{counter, gauge};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{Live, STORE_PAUSE};
use crate::{
    domain::Timestamp,
    ports::{Hook, StoreResult},
    services::backoff::Backoff,
    telemetry::metric,
};

/// How often the outbox is looked at: other nodes put things there, too.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What a backend is told.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    timestamp: Timestamp,
    version: u64,
    data: Value,
}

impl Live {
    pub(super) async fn send(&self) {
        let limit = self.parts.rules.in_flight;
        loop {
            let Ok(due) = self.parts.store.due(Timestamp::now(), limit).await else {
                sleep(STORE_PAUSE).await;
                continue;
            };
            #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
            gauge!(metric::WEBHOOKS_PENDING).set(due.pending as f64);
            if due.hooks.is_empty() {
                // Whether something came or time passed, we look again.
                let _ = timeout(LOOK_AGAIN, self.due.notified()).await;
                continue;
            }
            join_all(due.hooks.iter().map(|hook| self.try_one(hook))).await;
        }
    }

    async fn try_one(&self, hook: &Hook) {
        let failed = self.tell(hook).await;
        let outcome = match &failed {
            None => "delivered",
            Some(_) if self.is_given_up(hook) => "given_up",
            Some(_) => "failed",
        };
        let event = hook.kind.clone();
        counter!(metric::WEBHOOKS, "event" => event, "outcome" => outcome).increment(1);
        if let Some(error) = failed {
            tracing::warn!(
                event = hook.kind,
                id = hook.id,
                error,
                outcome,
                "a webhook failed"
            );
        }
        // As long as this is not stored, the place is kept: else it would be sent again at once.
        while self.settle(hook, outcome).await.is_err() {
            sleep(STORE_PAUSE).await;
        }
    }

    fn is_given_up(&self, hook: &Hook) -> bool {
        hook.created_at.age(Timestamp::now()) >= self.parts.rules.give_up
    }

    async fn settle(&self, hook: &Hook, outcome: &str) -> StoreResult<()> {
        if outcome != "failed" {
            return self.parts.store.settle(hook.number).await;
        }
        let backoff = Backoff {
            first: self.parts.rules.backoff,
            longest: self.parts.rules.backoff_max,
        };
        let attempts = hook.attempts.saturating_add(1);
        let due_at = Timestamp::now().plus(backoff.after(attempts, None));
        let store = &self.parts.store;
        store.postpone(hook.number, attempts, due_at).await
    }

    /// What went wrong, if something did.
    async fn tell(&self, hook: &Hook) -> Option<String> {
        let Some(body) = body(hook) else {
            return Some("it cannot be written".into());
        };
        match self.parts.backend.ask(&hook.id, body).await {
            Ok(answer) if answer.is_success() => None,
            Ok(answer) => Some(format!("status {}", answer.status)),
            Err(fault) => Some(fault.to_string()),
        }
    }
}

/// Absent when it cannot be written, which will not change.
fn body(hook: &Hook) -> Option<Vec<u8>> {
    let data = serde_json::from_str(&hook.data).ok()?;
    let told = Told {
        kind: &hook.kind,
        id: &hook.id,
        timestamp: hook.created_at,
        version: hook.version,
        data,
    };
    serde_json::to_vec(&told).ok()
}
