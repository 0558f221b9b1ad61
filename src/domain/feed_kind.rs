//! What feeds are about.

/// Kinds of feeds: what they are about, and how long their entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeedKind {
    /// Messages of chat rooms.
    Room,
    /// Messages between two users.
    Direct,
    /// What is for one user: notifications, outcomes of payments.
    User,
    /// Orders of a vendor.
    Vendor,
    /// What backends publish under a name.
    Channel,
}

impl FeedKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Room,
        Self::Direct,
        Self::User,
        Self::Vendor,
        Self::Channel,
    ];

    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        self.prefix().trim_end_matches(':')
    }

    /// What keys of its feeds begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Room => "room:",
            Self::Direct => "direct:",
            Self::User => "user:",
            Self::Vendor => "vendor:",
            Self::Channel => "channel:",
        }
    }
}
