//! Payments, their one outcome, and who still has to hear it.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::{Outcome, Payment, PaymentId, UserId};

/// Stored payments.
#[async_trait]
pub trait PaymentStore: Send + Sync + 'static {
    /// Stores a new payment.
    async fn create(&self, payment: Payment) -> StoreResult<()>;

    /// A payment by its id.
    async fn get(&self, id: &PaymentId) -> StoreResult<Option<Payment>>;

    /// Gives a payment its outcome. Absent when there is no such payment or it has one already.
    async fn settle(&self, id: &PaymentId, outcome: Outcome) -> StoreResult<Option<Payment>>;

    /// Notes that the outcome is being told to somebody; whether this attempt is the first to do so.
    /// The same attempt may ask again, as after an answer that did not arrive.
    async fn mark_told(&self, id: &PaymentId, attempt: &str) -> StoreResult<bool>;

    /// Settled payments of a user whose outcome nobody has heard, oldest first, at most 100.
    async fn untold(&self, user: &UserId) -> StoreResult<Vec<Payment>>;

    /// Payments without an outcome, oldest first.
    async fn unsettled(&self) -> StoreResult<Vec<Payment>>;
}
