//! Sends what is due, so many at a time, until each is taken or given up.

use std::{collections::HashSet, time::Duration};

use futures::{FutureExt, Stream, StreamExt, stream::FuturesUnordered};
use metrics::{counter, gauge};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

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
        let mut sending = FuturesUnordered::new();
        let mut under_way = HashSet::new();
        loop {
            // What is under way is due as well, as it is not settled.
            let most = limit + under_way.len();
            if let Ok(due) = self.parts.store.due(Timestamp::now(), most).await {
                #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
                gauge!(metric::WEBHOOKS_PENDING).set(due.pending as f64);
                for hook in due.hooks {
                    if under_way.len() < limit && under_way.insert(hook.number) {
                        sending.push(self.try_one(hook));
                    }
                }
            }
            self.wait(&mut sending, &mut under_way).await;
        }
    }

    /// Lets go on what is under way, until it is time to look for more.
    async fn wait(
        &self,
        sending: &mut (impl Stream<Item = u64> + Unpin),
        under_way: &mut HashSet<u64>,
    ) {
        let limit = self.parts.rules.in_flight;
        let mut time = std::pin::pin!(sleep(LOOK_AGAIN));
        loop {
            let has_room = under_way.len() < limit;
            tokio::select! {
                Some(number) = sending.next() => {
                    under_way.remove(&number);
                    while let Some(Some(number)) = sending.next().now_or_never() {
                        under_way.remove(&number);
                    }
                    // Not for each by itself: a look costs more than a place is worth.
                    if under_way.len() <= limit / 2 {
                        return;
                    }
                }
                // Whether something came or time passed, we look again.
                () = self.due.notified(), if has_room => return,
                () = &mut time, if has_room => return,
            }
        }
    }

    /// The number, once it is settled.
    async fn try_one(&self, hook: Hook) -> u64 {
        let hook = &hook;
        let failed = self.tell(hook).await;
        let outcome = match &failed {
            None => "delivered",
            Some(_) if self.is_given_up(hook) => "given_up",
            Some(_) => "failed",
        };
        let event = hook.kind.clone();
        counter!(metric::WEBHOOKS, "event" => event, "outcome" => outcome).increment(1);
        if let Some(error) = failed {
            self.complain(hook, &error, outcome);
        }
        // As long as this is not stored, the place is kept: else it would be sent again at once.
        while self.settle(hook, outcome).await.is_err() {
            sleep(STORE_PAUSE).await;
        }
        hook.number
    }

    fn complain(&self, hook: &Hook, error: &str, outcome: &str) {
        if let Some(times) = self.failures.happened() {
            let (event, id) = (&hook.kind, &hook.id);
            tracing::warn!(event, id, error, outcome, times, "a webhook failed");
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
