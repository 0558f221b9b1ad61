//! Entries that are too old or too many go, a few at a time.

use std::{sync::Arc, time::Duration};

use metrics::counter;

use crate::{
    domain::{FeedKind, Timestamp},
    ports::{FeedStore, KeepRule, StoreResult},
    telemetry::metric,
};

/// How many feeds are looked at in one read.
const FEEDS_AT_ONCE: usize = 500;

/// What is kept of each feed of a kind.
#[derive(Clone, Copy, Debug)]
pub struct KindRule {
    /// The kind.
    pub kind: FeedKind,
    /// The age at which entries go; none for never.
    pub age: Option<Duration>,
    /// The most entries of a feed; 0 for any number.
    pub entries: u64,
}

/// Retention.
pub struct Retention {
    /// The entries.
    pub feeds: Arc<dyn FeedStore>,
    /// What is kept.
    pub rules: Vec<KindRule>,
    /// How often it is looked for what may go.
    pub interval: Duration,
    /// The most entries that go in one step.
    pub step: usize,
}

impl Retention {
    /// Applies the rules again and again, for ever.
    pub async fn run(&self) {
        let mut tick = tokio::time::interval(self.interval);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            for rule in &self.rules {
                if let Err(error) = self.apply(rule).await {
                    tracing::warn!(%error, "old entries could not be removed; trying again later");
                }
            }
        }
    }

    async fn apply(&self, rule: &KindRule) -> StoreResult<()> {
        if rule.age.is_none() && rule.entries == 0 {
            return Ok(());
        }
        let keep = KeepRule {
            entries: rule.entries,
            since: rule.age.map(|age| Timestamp::now().minus(age)),
        };
        let mut from = None;
        loop {
            let look = self.feeds.overfull(rule.kind, keep, from, FEEDS_AT_ONCE);
            let overfull = look.await?;
            for feed in &overfull.feeds {
                // Each step is one write among others, which go in between.
                while {
                    let trimmed = self.feeds.trim(feed, keep, self.step).await?;
                    counter!(metric::TRIMMED, "kind" => rule.kind.as_str())
                        .increment(trimmed.count as u64);
                    trimmed.has_more
                } {}
            }
            from = overfull.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}
