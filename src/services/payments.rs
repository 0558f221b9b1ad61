//! Payments: taken at once, settled later, and their outcome told to whoever asked.

mod telling;

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{deadlines::Deadlines, locks::KeyedLocks};
use crate::{
    domain::{
        Amount, ClientId, FeedId, Identity, NewEntry, Outcome, Payment, PaymentId, Posted,
        SocketId, Timestamp, UserId,
    },
    error::{Error, Result},
    ports::{Emitter, FeedStore, PaymentStore, Peers, PresenceStore, Sockets},
    webhook::{self, Signature, WebhookKey},
};

const PAYMENT_STATUS: &str = "payment-status";

/// How often it is looked for payments that a node that has gone was to settle.
const TAKE_OVER_INTERVAL: Duration = Duration::from_secs(5);

/// What settles payments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gateway {
    /// We do, after this time; amounts above the limit fail.
    Simulated {
        /// From the request to the outcome.
        delay: Duration,
        /// The largest amount that succeeds, if there is one.
        decline_above: Option<Amount>,
    },
    /// The provider does, by its webhook.
    Webhook,
}

/// How providers sign their webhooks.
pub struct ProviderKey {
    /// The key.
    pub key: WebhookKey,
    /// How far a signature's time may be from ours.
    pub tolerance: Duration,
}

/// A request to pay.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequest {
    /// What is paid.
    pub amount: Amount,
    /// The socket that waits for the outcome.
    #[schema(value_type = String)]
    pub socket_id: SocketId,
}

/// The answer to a request to pay.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentReceipt {
    /// Always `Payment received, processing request`.
    pub message: &'static str,
    /// The payment's id.
    #[schema(value_type = String)]
    pub payment_id: PaymentId,
}

/// An outcome in its user's feed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    payment_id: PaymentId,
    status: Outcome,
}

/// What payments need from outside.
pub struct PaymentPorts {
    /// Payments and their outcomes.
    pub store: Arc<dyn PaymentStore>,
    /// Where outcomes are entries.
    pub feeds: Arc<dyn FeedStore>,
    /// Who is connected.
    pub sockets: Arc<dyn Sockets>,
    /// Whose devices are connected to other nodes.
    pub presence: Arc<dyn PresenceStore>,
    /// The way out.
    pub emitter: Arc<dyn Emitter>,
    /// The other nodes.
    pub peers: Arc<dyn Peers>,
}

/// Payments.
pub struct Payments {
    ports: PaymentPorts,
    gateway: Gateway,
    provider: Option<ProviderKey>,
    due: Deadlines<PaymentId, Amount>,
    /// Outcomes whose socket may be another node's.
    elsewhere: Deadlines<PaymentId, ()>,
    /// Signed webhooks of late, and the payment that each was for.
    webhooks: Deadlines<String, PaymentId>,
    telling: KeyedLocks,
    /// Attempts to tell an outcome of which it is not known whether they were the first.
    attempts: Mutex<HashMap<PaymentId, Arc<str>>>,
}

impl Payments {
    /// `provider`: how providers sign, if they may report outcomes.
    pub fn new(ports: PaymentPorts, gateway: Gateway, provider: Option<ProviderKey>) -> Self {
        Self {
            ports,
            gateway,
            provider,
            due: Deadlines::new(),
            elsewhere: Deadlines::new(),
            webhooks: Deadlines::new(),
            telling: KeyedLocks::default(),
            attempts: Mutex::default(),
        }
    }

    /// Takes payments up again that had no outcome when the server stopped. Those that a provider
    /// settles are its own business.
    pub async fn resume(&self) -> Result<()> {
        if self.gateway == Gateway::Webhook {
            return Ok(());
        }
        for payment in self.ports.store.unsettled().await? {
            self.schedule(&payment);
        }
        Ok(())
    }

    /// Stores a payment. The payer is the caller, else the user behind the socket. Fails with
    /// `forbidden` when the socket is another user's.
    pub async fn request(&self, by: &Identity, request: PaymentRequest) -> Result<PaymentReceipt> {
        let behind_socket = self.ports.sockets.identity(&request.socket_id);
        let of_socket = match &behind_socket {
            Some(identity) => identity.user_id().cloned(),
            // It may be another node's.
            None if self.ports.peers.are_there() => {
                self.ports.presence.owner(&request.socket_id).await?
            }
            None => None,
        };
        let of_caller = by.user_id();
        if let (Some(caller), Some(other)) = (of_caller, &of_socket)
            && caller != other
        {
            return Err(Error::forbidden());
        }
        let payment = Payment {
            id: PaymentId::generate(),
            amount: request.amount,
            socket: request.socket_id,
            user: of_caller.cloned().or(of_socket),
            created_at: Timestamp::now(),
            outcome: None,
        };
        self.ports.store.create(payment.clone()).await?;
        self.schedule(&payment);
        Ok(PaymentReceipt {
            message: "Payment received, processing request",
            payment_id: payment.id,
        })
    }

    /// Checks a provider's signature over the raw body. Fails with `signature_invalid`, also when
    /// the same webhook has been used for another payment.
    pub fn check_signature(
        &self,
        signature: &Signature<'_>,
        body: &[u8],
        payment: &PaymentId,
    ) -> Result<()> {
        let ProviderKey { key, tolerance } = self.provider.as_ref().ok_or_else(webhook::invalid)?;
        key.check(signature, body, Timestamp::now(), *tolerance)?;
        let id = signature.id.to_owned();
        // A signature is good for the tolerance on either side of its time.
        let before = self
            .webhooks
            .set(id.clone(), payment.clone(), *tolerance * 2);
        match before {
            Some(other) if other != *payment => {
                self.webhooks.set(id, other, *tolerance * 2);
                Err(webhook::invalid())
            }
            _ => Ok(()),
        }
    }

    /// Gives a payment its outcome and tells it. A repeat changes nothing. Fails with `not_found`.
    pub async fn settle(&self, id: &PaymentId, outcome: Outcome) -> Result<()> {
        let unknown = || Error::not_found("No such payment");
        let payment = self.ports.store.get(id).await?.ok_or_else(unknown)?;
        let settled = match payment.outcome {
            Some(_) => payment,
            None => {
                // The log comes first: what it says is the outcome, whoever else settles.
                let outcome = self.record(&payment, outcome).await?;
                match self.ports.store.settle(id, outcome).await? {
                    Some(settled) => settled,
                    None => self.ports.store.get(id).await?.ok_or_else(unknown)?,
                }
            }
        };
        self.due.cancel(id);
        // A repeat finds it told, unless telling failed the first time.
        self.tell(&settled).await
    }

    /// Appends the outcome to its user's feed, once, and returns the one that stands there.
    async fn record(&self, payment: &Payment, outcome: Outcome) -> Result<Outcome> {
        let Some(user) = &payment.user else {
            return Ok(outcome);
        };
        let feed = FeedId::User(user.clone());
        let told = Told {
            payment_id: payment.id.clone(),
            status: outcome,
        };
        let value = serde_json::to_value(&told).map_err(|_| Error::internal())?;
        let key = ClientId::new(payment.id.as_str()).ok();
        let new = NewEntry {
            // No backend's Idempotency-Key is this one.
            author: UserId::payments(),
            subject: Some(payment.id.to_string()),
            ..Posted::draft(feed, PAYMENT_STATUS.into(), &value, key)
        };
        let entry = self.ports.feeds.append(new).await?.entry;
        let told: Told = serde_json::from_str(&entry.content).map_err(|_| Error::internal())?;
        Ok(told.status)
    }

    /// Settles simulated payments when they are due, and forgets old webhooks, for ever.
    pub async fn run(&self) {
        let forget = async {
            loop {
                self.webhooks.next().await;
            }
        };
        tokio::join!(
            self.settle_due(),
            forget,
            self.tell_devices(),
            self.take_over()
        );
    }

    /// Takes up what a node that has gone was to settle, for ever.
    async fn take_over(&self) {
        if !self.ports.peers.are_there() {
            return;
        }
        let mut tick = tokio::time::interval(TAKE_OVER_INTERVAL);
        loop {
            tick.tick().await;
            if let Err(error) = self.resume().await {
                tracing::debug!(%error, "payments could not be looked at; trying again");
            }
        }
    }

    async fn settle_due(&self) {
        loop {
            let (id, amount) = self.due.next().await;
            if let Err(error) = self.settle(&id, self.simulate(amount)).await {
                tracing::warn!(%error, payment = %id, "a payment could not be settled; trying again");
                self.due.set(id, amount, Duration::from_secs(1));
            }
        }
    }

    fn schedule(&self, payment: &Payment) {
        if let Gateway::Simulated { delay, .. } = self.gateway {
            let waited = payment.created_at.age(Timestamp::now());
            let left = delay.saturating_sub(waited);
            self.due.set(payment.id.clone(), payment.amount, left);
        }
    }

    fn simulate(&self, amount: Amount) -> Outcome {
        match self.gateway {
            Gateway::Simulated {
                decline_above: Some(limit),
                ..
            } if amount > limit => Outcome::Failed,
            Gateway::Simulated { .. } | Gateway::Webhook => Outcome::Succeeded,
        }
    }
}
