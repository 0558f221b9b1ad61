//! Sends what is due to one target, so many at a time, until each is taken or given up.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::{counter, gauge};
use tokio::{
    task::{Id, JoinSet},
    time::sleep,
};

use super::{Push, STORE_PAUSE};
use crate::{
    domain::{Delivery, DeliveryId, PushTarget, Timestamp},
    ports::{PushGateway, PushStore, Sent, Settled},
    services::backoff::Backoff,
    telemetry::metric,
};

/// The most deliveries that are read at a time.
const MOST_DUE: usize = 1_000;

/// The longest wait before the store is asked again, for clocks that were changed.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The longest text that is kept of a failure, in characters.
const MAX_ERROR_CHARS: usize = 200;

/// Sends to one target.
pub(super) struct Sender<'a> {
    push: &'a Push,
    gateway: &'a Arc<dyn PushGateway>,
    target: PushTarget,
    /// Attempts under way, each on a task of its own.
    flights: JoinSet<()>,
    /// What they send: it is due until it is settled.
    flying: HashMap<Id, DeliveryId>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        push: &'a Push,
        gateway: &'a Arc<dyn PushGateway>,
        target: PushTarget,
    ) -> Self {
        Self {
            push,
            gateway,
            target,
            flights: JoinSet::new(),
            flying: HashMap::new(),
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let wait = self.launch().await;
            tokio::select! {
                () = self.push.due(self.target).notified() => {}
                Some(landed) = self.flights.join_next_with_id() => {
                    let id = landed.map_or_else(|fault| fault.id(), |(id, ())| id);
                    self.flying.remove(&id);
                }
                () = sleep(wait) => {}
            }
        }
    }

    /// Sends what is due and finds a place; how long there is nothing to do then, unless something
    /// is planned or a place becomes free.
    async fn launch(&mut self) -> Duration {
        let places = self.push.options.in_flight;
        if self.flights.len() >= places {
            return LOOK_AGAIN;
        }
        let now = Timestamp::now();
        // As many as are under way may be among them.
        let due = self
            .push
            .store
            .due(self.target, now, places.saturating_mul(2).min(MOST_DUE))
            .await;
        let Ok(due) = due else { return STORE_PAUSE };
        #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
        gauge!(metric::PUSH_PENDING).set(due.pending as f64);
        for delivery in due.deliveries {
            if self.flights.len() >= places {
                break;
            }
            if self.flying.values().all(|id| *id != delivery.id) {
                let id = delivery.id.clone();
                let attempt = Attempt::new(self.push, self.gateway, delivery);
                let flight = self.flights.spawn(attempt.run());
                self.flying.insert(flight.id(), id);
            }
        }
        let next = due.next.map(|next| now.age(next));
        next.map_or(LOOK_AGAIN, |next| next.min(LOOK_AGAIN))
    }
}

/// One attempt at one delivery.
struct Attempt {
    store: Arc<dyn PushStore>,
    gateway: Arc<dyn PushGateway>,
    delivery: Delivery,
    backoff: Backoff,
    attempts: u32,
    dead_letters: usize,
}

impl Attempt {
    fn new(push: &Push, gateway: &Arc<dyn PushGateway>, delivery: Delivery) -> Self {
        Self {
            store: push.store.clone(),
            gateway: gateway.clone(),
            delivery,
            backoff: Backoff {
                first: push.options.backoff,
                longest: push.options.backoff_max,
            },
            attempts: push.options.attempts,
            dead_letters: push.options.dead_letters,
        }
    }

    async fn run(self) {
        let sent = self.gateway.send(&self.delivery).await;
        let (settled, outcome) = self.settle(sent);
        let target = self.delivery.target().as_str();
        counter!(metric::PUSHES, "target" => target, "outcome" => outcome).increment(1);
        // As long as this is not stored, the place is kept: else it would be sent again and again.
        while self
            .store
            .settle(&self.delivery.id, settled.clone())
            .await
            .is_err()
        {
            sleep(STORE_PAUSE).await;
        }
    }

    fn settle(&self, sent: Sent) -> (Settled, &'static str) {
        let (error, retry_after) = match sent {
            Sent::Accepted => return (Settled::Delivered, "delivered"),
            Sent::Gone => return (Settled::Gone, "gone"),
            Sent::Failed { error, retry_after } => (error, retry_after),
        };
        let attempts = self.delivery.attempts.saturating_add(1);
        let (delivery, target) = (&self.delivery.id, self.delivery.target().as_str());
        if attempts >= self.attempts {
            tracing::warn!(%delivery, target, error, attempts, "a push is given up");
            let dead = Settled::Dead {
                attempts,
                error: error.chars().take(MAX_ERROR_CHARS).collect(),
                keep: self.dead_letters,
            };
            return (dead, "dead");
        }
        tracing::debug!(%delivery, target, error, attempts, "a push failed");
        let wait = self.backoff.after(attempts, retry_after);
        let due_at = Timestamp::now().plus(wait);
        (Settled::Postponed { attempts, due_at }, "failed")
    }
}
