//! Where the outcome of a payment comes from.

use std::time::Duration;

use super::{
    Secret,
    error::{ConfigError, ensure, ensure_webhook_secret},
    schema::{choice, section},
};

choice! {
    /// Where the outcome of a payment comes from.
    pub enum Gateway {
        /// From the server itself, after a delay.
        Simulated = "simulated",
        /// From the provider's signed webhook.
        Webhook = "webhook",
    }
}

section! {
    /// Where the outcome of a payment comes from.
    pub struct Payments = "payments" {
        /// simulated: the server decides by itself after delay_ms; webhook: the payment provider
        /// (or a backend with an API key) reports it.
        pub gateway: Gateway = Gateway::Simulated,
        /// How long the simulated gateway takes, in milliseconds.
        pub delay_ms: u64 = 10_000,
        /// The simulated gateway declines amounts above this one. 0 = never.
        pub decline_above: f64 = 0.0,
        /// The secret with which the provider signs its webhooks. "" = no webhook is accepted.
        pub webhook_secret: Secret = Secret::default(),
        /// How old the time in a webhook's signature may be, in milliseconds.
        #[min(1)]
        pub webhook_tolerance_ms: u64 = 300_000,
    }
}

impl Payments {
    /// How long the simulated gateway takes.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// How old the time in a webhook's signature may be.
    pub fn webhook_tolerance(&self) -> Duration {
        Duration::from_millis(self.webhook_tolerance_ms)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let needs_secret = self.gateway == Gateway::Webhook;
        ensure(!needs_secret || !self.webhook_secret.is_empty(), || {
            "payments.webhook_secret is not set, and payments.gateway = \"webhook\" needs it".into()
        })?;
        ensure_webhook_secret("payments.webhook_secret", &self.webhook_secret)?;
        ensure(
            self.decline_above.is_finite() && self.decline_above >= 0.0,
            || "payments.decline_above must be a finite number, not negative".into(),
        )
    }
}
