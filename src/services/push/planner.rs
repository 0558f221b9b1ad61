//! Decides entry by entry whether its user is away, and stores what is then to be sent.

use std::time::Duration;

use metrics::counter;
use tokio::time::{Instant, sleep, timeout};

use super::{
    IsOnline, Push, PushWays, STORE_PAUSE,
    inbox::{Offered, Waiting},
};
use crate::{
    domain::{PushTarget, Pushed},
    ports::{Planned, PresenceStore, PushPlan, StoreError},
    telemetry::metric,
};

/// The most entries that one write plans.
const GROUP: usize = 64;

/// How many entries are looked at in one read, most of which may be for nobody in particular.
const PAGE: usize = 1_000;

/// How often the position is stored while nothing is planned: so much is read again after a restart.
const SAVE_INTERVAL: Duration = Duration::from_secs(10);

/// Goes through the log.
pub(super) struct Planner<'a> {
    push: &'a Push,
    is_online: &'a IsOnline,
    elsewhere: Option<&'a dyn PresenceStore>,
    webhook: bool,
    browsers: bool,
    /// Up to where entries were planned, or are for nobody in particular.
    position: u64,
    /// How much of that is stored, and when that was.
    saved: u64,
    saved_at: Instant,
    /// Whether it is known that too many deliveries wait.
    full: bool,
    /// Up to where it is known what retention has taken before it was planned.
    lost: u64,
}

/// Why planning cannot go on at the moment.
enum Pause {
    Store,
    Full,
}

impl From<StoreError> for Pause {
    fn from(_: StoreError) -> Self {
        Self::Store
    }
}

impl<'a> Planner<'a> {
    pub(super) fn new(push: &'a Push, ways: &'a PushWays, start: u64) -> Self {
        Self {
            push,
            is_online: &ways.is_online,
            elsewhere: ways.elsewhere.as_deref(),
            webhook: ways.targets.contains(&PushTarget::Webhook),
            browsers: ways.targets.contains(&PushTarget::Subscription),
            position: start,
            saved: start,
            saved_at: Instant::now(),
            full: false,
            lost: start,
        }
    }

    pub(super) async fn run(mut self) {
        // What was committed before this run is in the store alone.
        let mut behind = true;
        let mut waiting = Waiting::default();
        loop {
            waiting.append(self.push.inbox.take());
            behind |= waiting.overflowed;
            let planned = match behind {
                true => {
                    // All of it is in the store.
                    waiting = Waiting::default();
                    self.catch_up().await
                }
                false => self.plan_waiting(&waiting).await,
            };
            match planned {
                Ok(()) => {
                    (behind, waiting) = (false, Waiting::default());
                    // Nobody has to be woken for what nobody is pushed.
                    let _ = timeout(SAVE_INTERVAL, self.push.inbox.arrived()).await;
                }
                Err(pause) => {
                    self.note(&pause);
                    sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    fn note(&mut self, pause: &Pause) {
        match pause {
            // The store has logged it.
            Pause::Store => {}
            Pause::Full if self.full => {}
            Pause::Full => {
                self.full = true;
                tracing::warn!("as many pushes wait as may; further entries wait in their feeds");
            }
        }
    }

    async fn plan_waiting(&mut self, waiting: &Waiting) -> Result<(), Pause> {
        self.plan_all(&waiting.entries).await?;
        self.position = self.position.max(waiting.position);
        self.save().await
    }

    /// Reads the log from where planning has come to up to its end. Who was away when an entry was
    /// committed is not known any more: who is away now is pushed, and who is there can ask for what
    /// they missed. What retention has taken from it
    /// cannot be pushed: that is counted, and passed over.
    async fn catch_up(&mut self) -> Result<(), Pause> {
        let known = self.lost.max(self.position);
        let unplanned = self.push.store.unplanned(known).await?;
        if unplanned.feeds > 0 {
            self.lost = unplanned.newest;
            let feeds = unplanned.feeds;
            counter!(metric::PUSH_LOST).increment(feeds);
            tracing::warn!(
                feeds,
                "retention has taken entries before they could be pushed"
            );
        }
        loop {
            let since = self.push.store.entries_after(self.position, PAGE).await?;
            if since.position == self.position {
                return self.save().await;
            }
            let entries = since.entries.into_iter();
            let offered = entries.map(|entry| {
                let away = Pushed::from_entry(entry.clone())
                    .is_some_and(|pushed| !(self.is_online)(pushed.user(), &entry.feed));
                Offered { entry, away }
            });
            let offered: Vec<_> = offered.collect();
            self.plan_all(&offered).await?;
            self.position = since.position;
        }
    }

    /// Plans those of the entries that were not planned before.
    async fn plan_all(&mut self, entries: &[Offered]) -> Result<(), Pause> {
        let known = entries.partition_point(|one| one.entry.position <= self.position);
        for group in entries[known..].chunks(GROUP) {
            if let Some(last) = group.last() {
                let mut plans: Vec<_> = group.iter().filter_map(|one| self.plan(one)).collect();
                self.leave_out_those_elsewhere(&mut plans).await?;
                self.store(plans, last.entry.position).await?;
            }
        }
        Ok(())
    }

    /// Who has a device on another node needs no push.
    async fn leave_out_those_elsewhere(&self, plans: &mut Vec<PushPlan>) -> Result<(), Pause> {
        let Some(elsewhere) = self.elsewhere.filter(|_| !plans.is_empty()) else {
            return Ok(());
        };
        let users: Vec<_> = plans.iter().map(|plan| plan.user.clone()).collect();
        let presences = elsewhere.get(&users).await?;
        let mut is_away = presences.iter().map(|presence| presence.devices == 0);
        plans.retain(|_| is_away.next().unwrap_or(true));
        Ok(())
    }

    fn plan(&self, offered: &Offered) -> Option<PushPlan> {
        if !offered.away {
            return None;
        }
        let pushed = Pushed::from_entry(offered.entry.clone())?;
        Some(PushPlan {
            entry: pushed.entry_id().clone(),
            user: pushed.user().clone(),
            webhook: self.webhook.then(|| pushed.webhook_body()).flatten(),
            message: self.browsers.then(|| pushed.web_push_message()).flatten(),
        })
    }

    /// Stores the position now and then, so that little is read again after a restart.
    async fn save(&mut self) -> Result<(), Pause> {
        if self.position > self.saved && self.saved_at.elapsed() >= SAVE_INTERVAL {
            self.store(Vec::new(), self.position).await?;
        }
        Ok(())
    }

    /// Also stores the position when all users were online: after a restart they would not be.
    async fn store(&mut self, plans: Vec<PushPlan>, position: u64) -> Result<(), Pause> {
        let max_pending = self.push.options.max_pending;
        let planned = self.push.store.plan(plans, position, max_pending).await?;
        let Planned::Stored(deliveries) = planned else {
            return Err(Pause::Full);
        };
        if deliveries > 0 {
            self.full = false;
            self.push.wake_senders();
        }
        (self.position, self.saved, self.saved_at) = (position, position, Instant::now());
        Ok(())
    }
}
