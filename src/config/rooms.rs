//! Who may enter which chat room.

use std::time::Duration;

use super::{
    Secret,
    error::{ConfigError, ensure, ensure_http_url, ensure_webhook_secret},
    schema::{choice, section},
};

choice! {
    /// What decides whether a signed-in user may enter a chat room.
    pub enum RoomAccess {
        /// The token's `rooms`.
        Claims = "claims",
        /// The stored list of the room's members.
        Members = "members",
        /// Nothing: any signed-in user may.
        Open = "open",
        /// The operator's backend.
        Webhook = "webhook",
    }
}

section! {
    /// Who may enter which chat room.
    pub struct Rooms = "rooms" {
        /// What decides: the `rooms` of the token (claims), the stored member list (members),
        /// nothing, any signed-in user may (open), or your backend (webhook).
        pub access: RoomAccess = RoomAccess::Claims,
        /// The http(s) address that is asked with access = "webhook". "" = none.
        pub webhook_url: String = String::new(),
        /// Signs what is sent there. "" = unsigned.
        pub webhook_secret: Secret = Secret::default(),
        /// How long an answer may take, in milliseconds; no answer is a refusal.
        #[min(1)]
        pub webhook_timeout_ms: u64 = 3_000,
        /// How long an answer is used again, in milliseconds. 0 = ask every time.
        pub webhook_cache_ms: u64 = 60_000,
        /// The most answers kept.
        #[min(1)]
        pub webhook_cache_entries: usize = 100_000,
    }
}

impl Rooms {
    /// How long an answer may take.
    pub fn webhook_timeout(&self) -> Duration {
        Duration::from_millis(self.webhook_timeout_ms)
    }

    /// How long an answer is used again.
    pub fn webhook_cache(&self) -> Duration {
        Duration::from_millis(self.webhook_cache_ms)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ensure_webhook_secret("rooms.webhook_secret", &self.webhook_secret)?;
        let needs_url = self.access == RoomAccess::Webhook;
        ensure(!needs_url || !self.webhook_url.is_empty(), || {
            "rooms.webhook_url is not set, and rooms.access = \"webhook\" needs it".into()
        })?;
        ensure_http_url("rooms.webhook_url", &self.webhook_url)
    }
}
