//! What Roomcast does, free of wire formats: events, routes and the bridge all enter here.

mod access;
mod chat;
mod deadlines;
mod delivery;
mod direct;
mod emits;
mod inventory;
mod joined;
mod locks;
mod members;
mod payments;
mod presence;
mod push;
mod sessions;
mod tracking;
mod typing;
mod watch;

pub use access::Access;
pub use chat::{Chat, Draft, Entered, MAX_PAGE, Speaker};
pub(crate) use deadlines::Deadlines;
pub use delivery::{deliver_commits, present};
pub use direct::{Direct, DirectDraft};
pub use emits::{EmitRequest, EmitTarget, Emits};
pub use inventory::Inventory;
pub use locks::KeyedLocks;
pub use members::Members;
pub use payments::{Gateway, PaymentReceipt, PaymentRequest, Payments, ProviderKey};
pub use presence::{Audience, Farewell, MAX_USERS, PresenceService};
pub use push::{IsOnline, Push, PushOptions, PushWays};
pub use sessions::{RevokeRequest, Sessions};
pub use tracking::Tracking;
pub use typing::Typing;
pub use watch::{Snapshot, Watch, Watched};

use std::sync::Arc;

/// Every service, as events and routes reach them.
#[derive(Clone)]
pub struct Services {
    /// Chat rooms.
    pub chat: Arc<Chat>,
    /// Messages between two users.
    pub direct: Arc<Direct>,
    /// Who is typing.
    pub typing: Arc<Typing>,
    /// Who is there.
    pub presence: Arc<PresenceService>,
    /// Where drivers are.
    pub tracking: Arc<Tracking>,
    /// What is in stock.
    pub inventory: Arc<Inventory>,
    /// Payments and their outcomes.
    pub payments: Arc<Payments>,
    /// Offline push.
    pub push: Arc<Push>,
    /// Rules that join rooms.
    pub watch: Arc<Watch>,
    /// Who belongs to a room.
    pub members: Arc<Members>,
    /// Emits of backends.
    pub emits: Arc<Emits>,
    /// Ending sessions and revoking tokens.
    pub sessions: Arc<Sessions>,
}

impl Services {
    /// Runs what the services do by the clock, until the returned future is dropped.
    pub async fn run_clocks(&self) {
        tokio::join!(
            self.typing.run(),
            self.presence.run(),
            self.tracking.run(),
            self.payments.run(),
            self.push.run(),
        );
    }
}
