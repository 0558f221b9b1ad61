//! Taking messages up.

use std::time::Duration;

use futures::{FutureExt, future::join_all};

use super::{
    BridgeOptions,
    lease::Lease,
    message::Action,
    misfits::Misfits,
    queue::{Message, Queue, count},
};
use crate::{
    domain::{Args, ClientId, ProductId, Timestamp},
    error::{Code, Result},
    ports::{Class, Emit},
    services::Services,
};

/// How often it is looked whether this node is to take messages up.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long the store is left alone that cannot take a message.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Takes messages up, while this node holds the lease.
pub(super) struct Worker<'a> {
    pub lease: &'a Lease,
    pub queue: &'a Queue,
    pub misfits: &'a Misfits,
    pub options: &'a BridgeOptions,
    pub services: &'a Services,
}

impl Worker<'_> {
    /// Works, for ever.
    pub async fn run(&self) {
        loop {
            if !self.lease.is_held() {
                tokio::time::sleep(LOOK_INTERVAL).await;
                continue;
            }
            let taken = self.queue.take(self.options.in_flight).await;
            let working = self.lease.begin().await;
            let names = taken.iter().map(|message| message.name);
            if working.is_none() || !self.lease.note(names).await {
                // They are for whoever has the lease.
                self.queue.put_back(taken);
                continue;
            }
            let failed = self.perform(taken).await;
            drop(working);
            if !failed.is_empty() {
                self.queue.put_back(failed);
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }

    /// Does what the messages mean, in their order; those that are to be tried again.
    async fn perform(&self, messages: Vec<Message>) -> Vec<Message> {
        let mut performing = Vec::with_capacity(messages.len());
        for message in &messages {
            let key = message.key.clone();
            performing.push(perform(self.services, &message.action, key).boxed());
        }
        // They are polled in this order, which is the order in which they are stored.
        let outcomes = join_all(performing).await;
        let mut newer: Vec<ProductId> = Vec::new();
        let mut again = Vec::new();
        for (message, outcome) in messages.into_iter().zip(outcomes).rev() {
            let age = message.heard_at.age(Timestamp::now());
            match outcome {
                Ok(()) => {
                    count(&message.source, "done");
                    if let Action::Stock(product, _) = message.action {
                        newer.push(product);
                    }
                }
                Err(error) if error.code() == Code::StoreUnavailable => match &message.action {
                    // A newer value stands already.
                    Action::Stock(product, _) if newer.contains(product) => {}
                    _ if age < self.options.retry => again.push(message),
                    _ => count(&message.source, "unavailable"),
                },
                Err(error) => self.misfits.note(&message.source, error.message()),
            }
        }
        again.reverse();
        again
    }
}

/// Does what a message means. `key`: makes storing idempotent.
pub(super) async fn perform(
    services: &Services,
    action: &Action,
    key: Option<ClientId>,
) -> Result<()> {
    match action {
        Action::Stock(product, inventory) => {
            services.inventory.set(product, inventory.clone()).await
        }
        Action::Order(order) => services.orders.post(order.clone(), key).await.map(drop),
        Action::Notification(body) => {
            let posted = services.notifications.post(body.clone(), key);
            posted.await.map(drop)
        }
        Action::Notify(user, value) => {
            let posted = services.notifications.post_for(user, value.clone(), key);
            posted.await.map(drop)
        }
        Action::Emit { room, event, args } => {
            let (to, args) = ([room.clone()], Args(args.clone()));
            let emit = Emit::new(Class::Passing, &to, event, &args);
            services.emits.emitter.emit(emit);
            Ok(())
        }
    }
}
