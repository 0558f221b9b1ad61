//! What the operator's backend is told of sockets, rooms and users.

use std::time::Duration;

use super::{
    Secret,
    error::{ConfigError, ensure, ensure_http_url, ensure_webhook_secret},
    schema::section,
};

/// What there is to be told.
const EVENTS: [&str; 6] = [
    "connect",
    "connected",
    "disconnected",
    "room:occupied",
    "room:vacated",
    "presence:changed",
];

section! {
    /// Webhooks: what your backend is told of sockets, rooms and users, by POST, signed. Each is told
    /// at least once, also when the node that saw it is killed; a version orders those about one
    /// socket, room or user. Without url nothing is told, and nothing is noted.
    pub struct Webhooks = "webhooks" {
        /// The http(s) address of your backend. "" = none.
        pub url: String = String::new(),
        /// Signs what is sent there, as Standard Webhooks lays down: whsec_ and base64, or plain text.
        pub secret: Secret = Secret::default(),
        /// What is told: connected, disconnected, room:occupied, room:vacated and presence:changed.
        /// With connect your backend is asked before a client is let in, and may refuse it (401, 403
        /// or 404).
        pub events: Vec<String> = EVENTS[1..].iter().map(|event| (*event).to_owned()).collect(),
        /// How long an answer may take, in milliseconds.
        #[min(1)]
        pub timeout_ms: u64 = 5_000,
        /// How long the answer to connect may take, in milliseconds; no answer is a refusal.
        #[min(1)]
        pub connect_timeout_ms: u64 = 3_000,
        /// The most clients of a node about whom your backend is asked at a time; others wait for
        /// their turn, as long as the answer may take.
        #[min(1)]
        pub connects_in_flight: usize = 64,
        /// The most webhooks under way at a time.
        #[min(1)]
        pub in_flight: usize = 16,
        /// The wait after the first failure, in milliseconds. It doubles each time.
        #[min(1)]
        pub backoff_ms: u64 = 1_000,
        /// The longest wait, in milliseconds.
        #[min(1)]
        pub backoff_max_ms: u64 = 300_000,
        /// After how long a webhook is given up, in milliseconds.
        #[min(1)]
        pub give_up_ms: u64 = 86_400_000,
        /// How many webhooks may wait; further ones are dropped and counted.
        #[min(1)]
        pub max_pending: u64 = 100_000,
    }
}

impl Webhooks {
    /// Whether anything is told.
    pub fn is_on(&self) -> bool {
        !self.url.is_empty() && !self.events.is_empty()
    }

    /// Whether this is told.
    pub fn tells(&self, event: &str) -> bool {
        self.is_on() && self.events.iter().any(|told| told == event)
    }

    /// How long an answer may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// How long the answer to `connect` may take.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// The wait after the first failure.
    pub fn backoff(&self) -> Duration {
        Duration::from_millis(self.backoff_ms)
    }

    /// The longest wait.
    pub fn backoff_max(&self) -> Duration {
        Duration::from_millis(self.backoff_max_ms)
    }

    /// After how long a webhook is given up.
    pub fn give_up(&self) -> Duration {
        Duration::from_millis(self.give_up_ms)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ensure_http_url("webhooks.url", &self.url)?;
        ensure_webhook_secret("webhooks.secret", &self.secret)?;
        ensure(self.url.is_empty() || !self.secret.is_empty(), || {
            "webhooks.secret is not set, and webhooks.url needs it".into()
        })?;
        match self
            .events
            .iter()
            .find(|event| !EVENTS.contains(&&***event))
        {
            None => Ok(()),
            Some(event) => Err(ConfigError::new(format!(
                "webhooks.events: {event:?} is none of {}",
                EVENTS.join(", ")
            ))),
        }
    }
}
