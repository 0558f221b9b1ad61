//! Whether a user is there.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// What a user's devices say about the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// At least one device is connected.
    Online,
    /// Connected, and the user said so.
    Away,
    /// Connected, and the user said so.
    Busy,
    /// No device is connected.
    Offline,
}

impl Status {
    /// The name that clients know.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Busy => "busy",
            Self::Offline => "offline",
        }
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Online, Self::Away, Self::Busy, Self::Offline];
        all.into_iter().find(|status| status.as_str() == name)
    }
}

/// A user's presence at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// Online, away, busy or offline.
    pub status: Status,
    /// When the user last connected, changed status or left; absent for a user never seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
    /// How many devices are connected or in their grace window.
    pub devices: usize,
}

impl Presence {
    /// The presence of a user who was never seen.
    pub const UNKNOWN: Self = Self {
        status: Status::Offline,
        last_seen: None,
        devices: 0,
    };
}
