//! Sending pushes to the operator's backend and to browsers.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::Delivery;

/// What came of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Accepted,
    /// The browser has no such subscription any more.
    Gone,
    /// It was not taken, or that is not known.
    Failed {
        /// Why, in a few words without secrets.
        error: String,
        /// After which time the receiver wants to be asked again, if it said so.
        retry_after: Option<Duration>,
    },
}

/// A way out for pushes.
#[async_trait]
pub trait PushGateway: Send + Sync + 'static {
    /// Sends a push, once. Ends within a time of its own.
    async fn send(&self, delivery: &Delivery) -> Sent;
}
