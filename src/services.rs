//! What Roomcast does, free of wire formats: events, routes and the bridge all enter here.

mod access;
mod backoff;
mod channels;
mod chat;
mod deadlines;
mod delivery;
mod direct;
mod emits;
mod forward;
mod inventory;
mod joined;
mod lead;
mod locks;
mod members;
mod notifications;
mod orders;
mod payments;
mod posts;
mod presence;
mod push;
mod resync;
mod retention;
mod seldom;
mod sessions;
mod sync;
mod tracking;
mod typing;
mod watch;
mod webhooks;

pub use access::Access;
pub use channels::{Channels, DASHBOARD, Publication};
pub use chat::{Chat, Draft, Entered, MAX_PAGE, RoomOverview, Speaker};
pub(crate) use deadlines::Deadlines;
pub use delivery::{Delivery, present};
pub use direct::{Direct, DirectDraft};
pub use emits::{EmitRequest, EmitTarget, Emits};
pub use forward::{ENVELOPE, Forward, ForwardOptions, ForwardedEvent, MAX_EMITS};
pub use inventory::Inventory;
pub use lead::Lead;
pub use locks::KeyedLocks;
pub use members::Members;
pub use notifications::Notifications;
pub use orders::Orders;
pub use payments::{Gateway, PaymentPorts, PaymentReceipt, PaymentRequest, Payments, ProviderKey};
pub use posts::{Listed, PostedPage};
pub use presence::{Audience, Farewell, MAX_USERS, PresenceKeeper, PresencePorts, PresenceService};
pub use push::{IsOnline, Push, PushOptions, PushWays};
pub use resync::Resync;
pub use retention::{KindRule, Retention};
pub use sessions::{RevokeRequest, Sessions};
pub use sync::{MAX_ROOMS, Sync, Synced};
pub use tracking::Tracking;
pub use typing::Typing;
pub use watch::{Snapshot, Watch, Watched};
pub use webhooks::{ConnectRules, Told, WebhookParts, WebhookRules, Webhooks};

use std::sync::Arc;

use crate::{
    error::Result,
    ports::{Admins, Notice, Servers},
};

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
    /// What is remembered of who was there.
    pub presence_keeper: Arc<PresenceKeeper>,
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
    /// Events that backends answer.
    pub forwards: Vec<Arc<Forward>>,
    /// What backends are told of sockets, rooms and users.
    pub webhooks: Arc<Webhooks>,
    /// Who belongs to a room.
    pub members: Arc<Members>,
    /// Emits of backends.
    pub emits: Arc<Emits>,
    /// What backends tell users.
    pub notifications: Arc<Notifications>,
    /// Orders for vendors.
    pub orders: Arc<Orders>,
    /// Named values.
    pub channels: Arc<Channels>,
    /// Catching up.
    pub sync: Arc<Sync>,
    /// What is kept.
    pub retention: Arc<Retention>,
    /// Ending sessions and revoking tokens.
    pub sessions: Arc<Sessions>,
    /// Reading anew what was missed of other nodes.
    pub resync: Arc<Resync>,
    /// The servers of the cluster, those of Node among them.
    pub servers: Arc<dyn Servers>,
    /// Administrators who look on.
    pub admins: Arc<dyn Admins>,
    /// Which node does what only one must do.
    pub lead: Lead,
}

/// What one node of several does.
const PUSH: &str = "push";
const RETENTION: &str = "retention";
const WEBHOOKS: &str = "webhooks";

impl Services {
    /// Leaves to other nodes what only one must do.
    pub async fn leave(&self) {
        self.webhooks.leave().await;
        self.lead.release(&[PUSH, RETENTION]).await;
        if self.webhooks.is_on() {
            self.lead.release(&[WEBHOOKS]).await;
        }
    }

    /// Does what another node has told.
    pub async fn hear(&self, notice: Notice) -> Result<()> {
        match notice {
            Notice::Evicted { user, room } => self.chat.evict(&user, &room).await,
            Notice::SessionsEnded { user } => self.sessions.end_own(&user),
            Notice::Revoked { revocation, until } => self.sessions.revoked(revocation, until),
            Notice::RevokeDevice { socket } => self.sessions.revoke_device(socket).await?,
            // Limits are none of the services', nor are sockets.
            Notice::Spent { .. } | Notice::Sockets { .. } => {}
            Notice::AdminsThere { came } => self.admins.heard(came),
            Notice::PaymentSettled { payment } => self.payments.settled(&payment).await?,
            Notice::PaymentForDevices { payment } => self.payments.for_devices(&payment).await?,
        }
        Ok(())
    }

    /// Runs what the services do by the clock, until the returned future is dropped.
    pub async fn run_clocks(&self) {
        tokio::join!(
            self.typing.run(),
            self.presence.run(),
            self.presence_keeper.run(),
            self.tracking.run(),
            self.payments.run(),
            self.lead.run(PUSH, || self.push.run()),
            self.lead.run(RETENTION, || self.retention.run()),
            self.webhooks.run(),
            async {
                if self.webhooks.is_on() {
                    self.lead.run(WEBHOOKS, || self.webhooks.lead()).await;
                }
            },
        );
    }
}
