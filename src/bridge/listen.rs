//! Hearing channels.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use fred::interfaces::{EventInterface, PubsubInterface};
use sha2::{Digest, Sha256};
use tokio::sync::broadcast::error::RecvError;

use super::{
    BridgeOptions,
    message::{self, Action, CHANNELS, PATTERNS},
    queue::{Message, Queue, count},
};
use crate::{domain::Timestamp, error::Result, stores::redis::Redis};

/// How often it is tried to subscribe while Redis does not answer.
const SUBSCRIBE_INTERVAL: Duration = Duration::from_millis(500);

/// How often what does not fit is logged, of one channel.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// What messages of `[[relay]]` rules are counted as.
const RELAY: &str = "relay";

/// Hears the channels of workers.
pub(super) struct Listener<'a> {
    pub redis: &'a Redis,
    pub options: &'a BridgeOptions,
    pub queue: &'a Queue,
}

impl Listener<'_> {
    /// Hears, for ever.
    pub async fn run(&self) {
        let mut messages = self.redis.subscriber().message_rx();
        while let Err(error) = self.subscribe().await {
            tracing::debug!(%error, "cannot listen to workers; trying again");
            tokio::time::sleep(SUBSCRIBE_INTERVAL).await;
        }
        let mut complaints = Complaints::default();
        loop {
            match messages.recv().await {
                Ok(heard) => {
                    let payload = heard.value.as_bytes().unwrap_or_default();
                    self.hear(&heard.channel, payload, &mut complaints);
                }
                Err(RecvError::Lagged(_)) => count(RELAY, "lagged"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn subscribe(&self) -> std::result::Result<(), fred::error::Error> {
        let subscriber = self.redis.subscriber();
        let (mut channels, mut patterns) = (Vec::new(), Vec::new());
        if self.options.channels {
            channels.extend(CHANNELS.map(str::to_owned));
            patterns.extend(PATTERNS.map(str::to_owned));
        }
        for rule in self
            .options
            .rules
            .iter()
            .filter(|rule| rule.stream.is_empty())
        {
            match rule.pattern() {
                Some(pattern) => patterns.push(pattern),
                None => channels.push(rule.channel.clone()),
            }
        }
        if !channels.is_empty() {
            subscriber.subscribe(channels).await?;
        }
        if !patterns.is_empty() {
            subscriber.psubscribe(patterns).await?;
        }
        Ok(())
    }

    fn hear(&self, channel: &str, payload: &[u8], complaints: &mut Complaints) {
        let Some((source, action)) = self.read(channel, payload) else {
            return;
        };
        match action {
            Ok(action) => self.queue.push(Message {
                digest: digest(channel, payload),
                heard_at: Timestamp::now(),
                action,
                source,
            }),
            Err(error) => {
                count(source, "invalid");
                complaints.log(source, error.message());
            }
        }
    }

    fn read(&self, channel: &str, payload: &[u8]) -> Option<(&'static str, Result<Action>)> {
        let built_in = self
            .options
            .channels
            .then(|| message::built_in(channel, payload));
        if let Some(known) = built_in.flatten() {
            return Some(known);
        }
        let rules = self
            .options
            .rules
            .iter()
            .filter(|rule| rule.stream.is_empty());
        let mut fitting = rules.filter_map(|rule| Some((rule, rule.id_in(channel)?)));
        let (rule, id) = fitting.next()?;
        Some((RELAY, message::relayed(rule, id, payload)))
    }
}

/// The same on every node.
fn digest(channel: &str, payload: &[u8]) -> u64 {
    let digest = Sha256::new()
        .chain_update(channel)
        .chain_update([0])
        .chain_update(payload)
        .finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

/// What does not fit is logged once in a while.
#[derive(Default)]
pub(super) struct Complaints(HashMap<&'static str, Instant>);

impl Complaints {
    pub fn log(&mut self, source: &'static str, reason: &str) {
        let now = Instant::now();
        let is_new = |at: &Instant| now.duration_since(*at) > LOG_INTERVAL;
        if self.0.get(source).is_none_or(is_new) {
            self.0.insert(source, now);
            tracing::warn!(channel = source, reason, "a message does not fit");
        }
    }
}
