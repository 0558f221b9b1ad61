//! What users who are away are sent, and by which way.

use std::time::Duration;

use super::{
    Secret,
    error::{ConfigError, ensure, ensure_http_url, ensure_webhook_secret},
    schema::section,
};
use crate::{domain::EndpointHosts, outgoing::Vapid};

/// The longest time to live that push services take, in seconds: 4 weeks.
const MAX_TTL_SECONDS: u32 = 2_419_200;

section! {
    /// Offline push: what is for a user who has no device online (notifications, direct messages,
    /// outcomes of payments, orders of a vendor) goes to your backend, and to the browsers in which
    /// the user has subscribed (POST /api/push/subscriptions). Without webhook_url and
    /// vapid_private_key nothing is pushed. It begins with what is posted after it was switched on.
    pub struct Push = "push" {
        /// The http(s) address of your backend that is told by POST. "" = none.
        pub webhook_url: String = String::new(),
        /// Signs what is sent there, as Standard Webhooks lays down: whsec_ and base64, or plain text.
        pub webhook_secret: Secret = Secret::default(),
        /// The private key of Web Push (VAPID), as `npx web-push generate-vapid-keys` prints it.
        /// "" = no Web Push.
        pub vapid_private_key: Secret = Secret::default(),
        /// By what push services reach you: mailto: and an address, or an https URL.
        pub vapid_subject: String = String::new(),
        /// The push services at which browsers may be subscribed; nothing else is ever sent to.
        /// A host, all hosts below one (*.push.example.com), or an origin of your own with its port
        /// (http://127.0.0.1:8080). These are the ones of Chrome, Edge, Firefox and Safari.
        pub endpoint_hosts: Vec<String> = [
            "fcm.googleapis.com",
            "jmt17.google.com",
            "*.push.services.mozilla.com",
            "*.notify.windows.com",
            "*.push.apple.com",
        ]
        .map(String::from)
        .to_vec(),
        /// The most browsers of one user; beyond it the one that subscribed first goes.
        #[min(1)]
        pub subscriptions_per_user: usize = 20,
        /// For how long push services keep a message for a browser that is off, in seconds; they
        /// take at most 4 weeks.
        pub ttl_seconds: u32 = MAX_TTL_SECONDS,
        /// How long an answer may take, in milliseconds.
        #[min(1)]
        pub timeout_ms: u64 = 5_000,
        /// After how many attempts a push becomes a dead letter (GET /api/push/dead-letters).
        #[min(1)]
        pub attempts: u32 = 12,
        /// The wait after the first failure, in milliseconds. It doubles each time.
        #[min(1)]
        pub backoff_ms: u64 = 1_000,
        /// The longest wait, also when a receiver asks for a longer one, in milliseconds.
        #[min(1)]
        pub backoff_max_ms: u64 = 3_600_000,
        /// The most pushes under way at a time to your backend, and as many to browsers.
        #[min(1)]
        pub in_flight: usize = 16,
        /// How many pushes may wait. While there are as many, further entries wait in their feeds,
        /// as long as these keep them.
        #[min(1)]
        pub max_pending: u64 = 100_000,
        /// The most dead letters that are kept; the oldest go.
        #[min(1)]
        pub dead_letters: usize = 10_000,
    }
}

impl Push {
    /// How long an answer may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The wait after the first failure.
    pub fn backoff(&self) -> Duration {
        Duration::from_millis(self.backoff_ms)
    }

    /// The longest wait.
    pub fn backoff_max(&self) -> Duration {
        Duration::from_millis(self.backoff_max_ms)
    }

    /// For how long push services keep a message.
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_seconds.into())
    }

    /// Where browsers may be subscribed.
    pub fn hosts(&self) -> Result<EndpointHosts, ConfigError> {
        let patterns = self.endpoint_hosts.iter().map(String::as_str);
        EndpointHosts::new(patterns).map_err(|pattern| {
            ConfigError::new(format!(
                "push.endpoint_hosts: {pattern:?} is not a host, *.host or an origin"
            ))
        })
    }

    /// Who we are to push services, where there is Web Push.
    pub fn vapid(&self) -> Result<Option<Vapid>, ConfigError> {
        if self.vapid_private_key.is_empty() {
            return Ok(None);
        }
        let vapid = Vapid::new(self.vapid_private_key.expose(), &self.vapid_subject);
        vapid.map(Some).map_err(|error| {
            let key = error.key();
            ConfigError::new(format!("push.{key} {error}"))
        })
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ensure_http_url("push.webhook_url", &self.webhook_url)?;
        ensure_webhook_secret("push.webhook_secret", &self.webhook_secret)?;
        let needs_secret = !self.webhook_url.is_empty();
        ensure(!needs_secret || !self.webhook_secret.is_empty(), || {
            "push.webhook_secret is not set, and push.webhook_url needs it".into()
        })?;
        ensure(self.ttl_seconds <= MAX_TTL_SECONDS, || {
            format!("push.ttl_seconds must be at most {MAX_TTL_SECONDS} (4 weeks)")
        })?;
        self.hosts()?;
        self.vapid().map(drop)
    }
}
