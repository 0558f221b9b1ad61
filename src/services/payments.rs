//! Payments: taken at once, settled later, and their outcome told to whoever asked.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::deadlines::Deadlines;
use crate::{
    domain::{Amount, Identity, Outcome, Payment, PaymentId, Room, SocketId, Timestamp, UserId},
    error::{Error, Result},
    ports::{Class, Emit, Emitter, PaymentStore, Sockets},
    webhook::{self, Signature, WebhookKey},
};

const EVENT: &str = "payment-status";

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

/// Payments.
pub struct Payments {
    store: Arc<dyn PaymentStore>,
    sockets: Arc<dyn Sockets>,
    emitter: Arc<dyn Emitter>,
    gateway: Gateway,
    provider: Option<ProviderKey>,
    due: Deadlines<PaymentId, Amount>,
    /// One outcome is told at a time, so that a settlement and a reconnect do not both tell it.
    telling: Mutex<()>,
}

impl Payments {
    /// `provider`: how providers sign, if they may report outcomes.
    pub fn new(
        store: Arc<dyn PaymentStore>,
        sockets: Arc<dyn Sockets>,
        emitter: Arc<dyn Emitter>,
        gateway: Gateway,
        provider: Option<ProviderKey>,
    ) -> Self {
        Self {
            store,
            sockets,
            emitter,
            gateway,
            provider,
            due: Deadlines::new(),
            telling: Mutex::new(()),
        }
    }

    /// Takes payments up again that had no outcome when the server stopped.
    pub async fn resume(&self) -> Result<()> {
        for payment in self.store.unsettled().await? {
            self.schedule(&payment);
        }
        Ok(())
    }

    /// Stores a payment. The payer is the caller, else the user behind the socket. Fails with
    /// `forbidden` when the socket is another user's.
    pub async fn request(&self, by: &Identity, request: PaymentRequest) -> Result<PaymentReceipt> {
        let behind_socket = self.sockets.identity(&request.socket_id);
        let of_socket = behind_socket.as_ref().and_then(Identity::user_id);
        let of_caller = by.user_id();
        if let (Some(caller), Some(other)) = (of_caller, of_socket)
            && caller != other
        {
            return Err(Error::forbidden());
        }
        let payment = Payment {
            id: PaymentId::generate(),
            amount: request.amount,
            socket: request.socket_id,
            user: of_caller.or(of_socket).cloned(),
            created_at: Timestamp::now(),
            outcome: None,
        };
        self.store.create(payment.clone()).await?;
        self.schedule(&payment);
        Ok(PaymentReceipt {
            message: "Payment received, processing request",
            payment_id: payment.id,
        })
    }

    /// Checks a provider's signature over the raw body. Fails with `signature_invalid`.
    pub fn check_signature(&self, signature: &Signature<'_>, body: &[u8]) -> Result<()> {
        let ProviderKey { key, tolerance } = self.provider.as_ref().ok_or_else(webhook::invalid)?;
        key.check(signature, body, Timestamp::now(), *tolerance)
    }

    /// Gives a payment its outcome and tells it. A repeat changes nothing. Fails with `not_found`.
    pub async fn settle(&self, id: &PaymentId, outcome: Outcome) -> Result<()> {
        let Some(payment) = self.store.settle(id, outcome).await? else {
            let known = self.store.get(id).await?.is_some();
            let unknown = || Error::not_found("No such payment");
            return if known { Ok(()) } else { Err(unknown()) };
        };
        self.due.cancel(id);
        self.tell(&payment).await
    }

    /// Tells a user who has connected what came out while they were away.
    pub async fn connected(&self, user: &UserId) -> Result<()> {
        let _one_at_a_time = self.telling.lock().await;
        for payment in self.store.untold(user).await? {
            self.emit(&payment, &Room::user(user)).await?;
        }
        Ok(())
    }

    /// Settles simulated payments when they are due, for ever.
    pub async fn run(&self) {
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

    /// To the socket that asked; if it has gone, to the user's devices; if there are none, the
    /// outcome waits for [`Payments::connected`].
    async fn tell(&self, payment: &Payment) -> Result<()> {
        let _one_at_a_time = self.telling.lock().await;
        let socket_is_there = self.sockets.identity(&payment.socket).is_some();
        match &payment.user {
            Some(user) => {
                if !self
                    .store
                    .untold(user)
                    .await?
                    .iter()
                    .any(|p| p.id == payment.id)
                {
                    return Ok(());
                }
                if socket_is_there {
                    self.emit(payment, &Room::socket(&payment.socket)).await
                } else if self.sockets.is_connected(user) {
                    self.emit(payment, &Room::user(user)).await
                } else {
                    Ok(())
                }
            }
            None if socket_is_there => self.emit(payment, &Room::socket(&payment.socket)).await,
            None => Ok(()),
        }
    }

    async fn emit(&self, payment: &Payment, to: &Room) -> Result<()> {
        if let Some(outcome) = payment.outcome {
            let (to, status) = ([to.clone()], outcome.as_bool());
            self.emitter
                .emit(Emit::new(Class::Durable, &to, EVENT, &status));
            self.store.mark_told(&payment.id).await?;
        }
        Ok(())
    }
}
