//! Offline push: entries for users who are away go to a webhook and to their browsers.
//!
//! The log is the outbox. A planner goes through what was committed in the order of its positions;
//! for users who are away it stores deliveries, and how far it has come, in one write. A sender for
//! each target sends what is due until it is taken or given up. So a push is sent at least once,
//! whatever stops in between.

mod inbox;
mod planner;
mod sender;

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use self::{inbox::Inbox, planner::Planner, sender::Sender};
use crate::{
    domain::{
        BrowserSubscription, DeadLetter, DeliveryId, EndpointHosts, Entry, FeedId, PushTarget,
        Subscription, SubscriptionId, UserId,
    },
    error::{Error, Result},
    ports::{PresenceStore, PushGateway, PushStore, SubscriptionStore},
};

/// How long to wait for a store that failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Whether a user has a device online that hears of the feed's entries as they are committed.
pub type IsOnline = Box<dyn Fn(&UserId, &FeedId) -> bool + Send + Sync>;

/// How pushes are sent.
pub struct PushOptions {
    /// What browsers subscribe with, in base64url, where there is Web Push.
    pub public_key: Option<String>,
    /// Where endpoints of browsers may be.
    pub hosts: Arc<EndpointHosts>,
    /// After how many attempts a push is given up.
    pub attempts: u32,
    /// The wait after the first failure; it doubles each time.
    pub backoff: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// The most pushes under way at a time, of each target.
    pub in_flight: usize,
    /// How many may wait before planning pauses.
    pub max_pending: u64,
    /// The most dead letters that are kept.
    pub dead_letters: usize,
    /// The most browsers of one user.
    pub subscriptions_per_user: usize,
}

/// What sends, where something is to be sent.
pub struct PushWays {
    /// The way out.
    pub gateway: Arc<dyn PushGateway>,
    /// Where to; at least one.
    pub targets: Vec<PushTarget>,
    /// Who needs no push.
    pub is_online: IsOnline,
    /// Who is there on other nodes, if there may be any.
    pub elsewhere: Option<Arc<dyn PresenceStore>>,
}

/// Offline push.
pub struct Push {
    store: Arc<dyn PushStore>,
    subscriptions: Arc<dyn SubscriptionStore>,
    options: PushOptions,
    ways: Option<PushWays>,
    inbox: Inbox,
    /// Tell the senders that there may be something to send.
    webhook_due: Notify,
    subscription_due: Notify,
}

impl Push {
    /// Without `ways` nothing is planned.
    pub fn new(
        store: Arc<dyn PushStore>,
        subscriptions: Arc<dyn SubscriptionStore>,
        options: PushOptions,
        ways: Option<PushWays>,
    ) -> Self {
        Self {
            store,
            subscriptions,
            options,
            ways,
            inbox: Inbox::default(),
            webhook_due: Notify::new(),
            subscription_due: Notify::new(),
        }
    }

    /// Finds out where planning goes on. Called once, before anything is committed.
    pub async fn resume(&self) -> Result<()> {
        let targets = self.ways.as_ref().map(|ways| ways.targets.as_slice());
        let start = self.store.begin(targets.unwrap_or_default()).await?;
        if start.dropped > 0 {
            let dropped = start.dropped;
            tracing::warn!(
                dropped,
                "pushes to what is no longer configured are dropped"
            );
        }
        Ok(())
    }

    /// Takes note of an entry that its live readers have been sent. Never waits.
    pub fn committed(&self, entry: &Arc<Entry>) {
        if let Some(ways) = &self.ways {
            self.inbox.offer(entry, &ways.is_online);
        }
    }

    /// Plans and sends for ever; returns at once where nothing is to be sent.
    pub async fn run(&self) {
        let Some(ways) = &self.ways else { return };
        let sending = ways
            .targets
            .iter()
            .map(|target| Sender::new(self, &ways.gateway, *target).run());
        // Another node may have planned since.
        let start = loop {
            match self.store.begin(&ways.targets).await {
                Ok(start) => break start.position,
                Err(_) => tokio::time::sleep(STORE_PAUSE).await,
            }
        };
        tokio::join!(
            Planner::new(self, ways, start).run(),
            futures::future::join_all(sending),
        );
    }

    /// What browsers subscribe with. Fails with `not_found` where there is no Web Push.
    pub fn public_key(&self) -> Result<&str> {
        let key = self.options.public_key.as_deref();
        key.ok_or_else(|| Error::not_found("Web Push is not configured"))
    }

    /// Registers a user's browser. The same endpoint again replaces what was known of it, also when
    /// it was another user's. Fails with `invalid_payload`, and with `not_found` where there is no
    /// Web Push.
    pub async fn subscribe(
        &self,
        user: &UserId,
        given: &BrowserSubscription,
    ) -> Result<SubscriptionId> {
        self.public_key()?;
        let subscription = Subscription::new(user.clone(), given, &self.options.hosts)?;
        let keep = self.options.subscriptions_per_user;
        Ok(self.subscriptions.subscribe(subscription, keep).await?)
    }

    /// Forgets a user's browser; another user's stays. Fails with `invalid_payload`.
    pub async fn unsubscribe(&self, user: &UserId, endpoint: &str) -> Result<()> {
        let endpoint = Subscription::endpoint(endpoint)?;
        let endpoint = endpoint.as_str();
        Ok(self.subscriptions.unsubscribe(user, endpoint).await?)
    }

    /// The newest pushes that were given up, the newest first.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>> {
        Ok(self.store.dead_letters(limit).await?)
    }

    /// Sends a dead letter again, as if it had never been tried. Fails with `not_found`.
    pub async fn retry(&self, id: &DeliveryId) -> Result<()> {
        if !self.store.revive(id).await? {
            return Err(Error::not_found("No such dead letter"));
        }
        self.wake_senders();
        Ok(())
    }

    fn wake_senders(&self) {
        self.webhook_due.notify_one();
        self.subscription_due.notify_one();
    }

    fn due(&self, target: PushTarget) -> &Notify {
        match target {
            PushTarget::Webhook => &self.webhook_due,
            PushTarget::Subscription => &self.subscription_due,
        }
    }
}
