//! Who hears the outcome of a payment: the socket that asked, else the user's devices.

use std::time::Duration;

use super::{PAYMENT_STATUS, Payments};
use crate::{
    domain::{Payment, PaymentId, Room, UserId},
    error::Result,
    ports::{Class, Emit, Notice},
};

/// How long the node with the socket that asked has to tell the outcome, before the user's devices
/// hear it.
const SOCKET_FIRST: Duration = Duration::from_millis(500);

/// When it is tried again to tell what could not be told.
const AGAIN: Duration = Duration::from_secs(1);

/// The most attempts that are remembered to be in doubt.
const MAX_ATTEMPTS: usize = 10_000;

impl Payments {
    /// Tells a user who has connected what came out while they were away.
    pub async fn connected(&self, user: &UserId) -> Result<()> {
        loop {
            let untold = self.ports.store.untold(user).await?;
            for payment in &untold {
                if let Err(error) = self.emit(payment, &Room::user(user)).await {
                    self.elsewhere.set(payment.id.clone(), (), AGAIN);
                    return Err(error);
                }
            }
            if untold.is_empty() {
                return Ok(());
            }
        }
    }

    /// To the socket that asked; if it has gone, to the user's devices; if there are none, the
    /// outcome waits for [`Payments::connected`].
    pub(super) async fn tell(&self, payment: &Payment) -> Result<()> {
        if self.tell_socket(payment).await? {
            return Ok(());
        }
        if !self.ports.peers.are_there() {
            self.tell_own_devices(payment).await?;
            return Ok(());
        }
        let id = payment.id.clone();
        // The log tells every node of a user's payment, too, and may be faster than the outcome.
        let payment = id.clone();
        self.ports.peers.tell(Notice::PaymentSettled { payment });
        self.elsewhere.set(id, (), SOCKET_FIRST);
        Ok(())
    }

    /// A payment has its outcome, as another node or the log says: its socket may be one of ours.
    pub async fn settled(&self, id: &PaymentId) -> Result<()> {
        let Some(payment) = self.ports.store.get(id).await? else {
            return Ok(());
        };
        let is_ours = self.tell_socket(&payment).await?;
        if is_ours && payment.outcome.is_none() {
            // The log was faster.
            self.elsewhere.set(id.clone(), (), SOCKET_FIRST);
        }
        Ok(())
    }

    /// A payment's socket has gone, as another node says: its user's devices may be ours.
    pub async fn for_devices(&self, id: &PaymentId) -> Result<()> {
        if let Some(payment) = self.ports.store.get(id).await?
            && !self.tell_socket(&payment).await?
        {
            self.tell_own_devices(&payment).await?;
        }
        Ok(())
    }

    /// Tells the devices of users whose sockets were given time, for ever.
    pub(super) async fn tell_devices(&self) {
        loop {
            let (id, ()) = self.elsewhere.next().await;
            if let Err(error) = self.for_devices(&id).await {
                tracing::warn!(%error, payment = %id, "an outcome could not be told; trying again");
                self.elsewhere.set(id, (), AGAIN);
                continue;
            }
            self.ports
                .peers
                .tell(Notice::PaymentForDevices { payment: id });
        }
    }

    /// Tells the socket that asked, where it is this node's; whether it is.
    async fn tell_socket(&self, payment: &Payment) -> Result<bool> {
        let is_ours = self.ports.sockets.identity(&payment.socket).is_some();
        if is_ours {
            self.emit(payment, &Room::socket(&payment.socket)).await?;
        }
        Ok(is_ours)
    }

    /// Tells the user's devices on all nodes, where one of them is this node's.
    async fn tell_own_devices(&self, payment: &Payment) -> Result<()> {
        match &payment.user {
            Some(user) if self.ports.sockets.is_connected(user) => {
                self.emit(payment, &Room::user(user)).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whoever marks the outcome as told emits it: a settlement and a reconnect do not both.
    async fn emit(&self, payment: &Payment, to: &Room) -> Result<()> {
        // One at a time: the same attempt would be the first twice.
        let _order = self.telling.lock(&payment.id).await;
        if let Some(outcome) = payment.outcome
            && self.is_first(&payment.id).await?
        {
            let (to, status) = ([to.clone()], outcome.as_bool());
            self.ports
                .emitter
                .emit(Emit::new(Class::Durable, &to, PAYMENT_STATUS, &status));
        }
        Ok(())
    }

    /// Whether nobody else tells the outcome. A failure may hide that we are the first: then the
    /// same attempt asks again.
    async fn is_first(&self, id: &PaymentId) -> Result<bool> {
        let attempt = {
            let mut attempts = self.attempts.lock();
            if attempts.len() >= MAX_ATTEMPTS {
                attempts.clear();
            }
            let new = || PaymentId::generate().as_str().into();
            attempts.entry(id.clone()).or_insert_with(new).clone()
        };
        let is_first = self.ports.store.mark_told(id, &attempt).await?;
        self.attempts.lock().remove(id);
        Ok(is_first)
    }
}
