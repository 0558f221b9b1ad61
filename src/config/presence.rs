//! Who is online, and who is told.

use std::time::Duration;

use super::schema::{choice, section};

choice! {
    /// Who is told of a change of presence.
    pub enum Audience {
        /// Every connected client.
        Everyone = "everyone",
        /// Those who share a chat room with the user.
        Roommates = "roommates",
    }
}

section! {
    /// Who is online, and who is told.
    pub struct Presence = "presence" {
        /// Who is told of a change: everyone, or those who share a chat room (roommates), which is
        /// what scales.
        pub audience: Audience = Audience::Everyone,
        /// How long a device whose connection broke still counts as there, in milliseconds, so that
        /// a page reload shows no flap. 0 = it is gone at once.
        pub grace_ms: u64 = 10_000,
    }
}

impl Presence {
    /// How long a device whose connection broke still counts as there.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}
