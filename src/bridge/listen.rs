//! Hearing channels.

use sha2::{Digest, Sha256};
use tokio::sync::broadcast::error::RecvError;

use super::{
    BridgeOptions,
    lease::Lease,
    message::{self, Action, CHANNELS, PATTERNS},
    misfits::Misfits,
    queue::{Done, Message, Queue, Source, count},
};
use crate::{
    domain::{ClientId, EntryId, Timestamp},
    error::Result,
    stores::redis::{Redis, Told},
};

/// What is counted where messages were lost before they were read.
const LOST: &str = "lost";

/// Hears the channels of workers.
pub(super) struct Listener<'a> {
    pub redis: &'a Redis,
    pub lease: &'a Lease,
    pub options: &'a BridgeOptions,
    pub queue: &'a Queue,
    pub misfits: &'a Misfits,
}

impl Listener<'_> {
    /// Hears, for ever.
    pub async fn run(&self) {
        let marks = self.lease.marks();
        let (channels, patterns) = self.wanted(&marks);
        let mut told = self.redis.listen(channels, patterns);
        loop {
            match told.recv().await {
                Ok(Told::Message(heard)) => {
                    let payload = heard.value.as_bytes().unwrap_or_default();
                    if *heard.channel == *marks {
                        let mark = std::str::from_utf8(payload).ok();
                        let mark = mark.and_then(|mark| mark.parse().ok());
                        mark.map_or_else(
                            || self.queue.begin_anew(),
                            |mark| self.queue.set_mark(mark),
                        );
                    } else {
                        self.hear(&heard.channel, payload);
                    }
                }
                // Marks may have been missed.
                Ok(Told::Anew) => self.queue.begin_anew(),
                Ok(Told::Lost(_)) | Err(RecvError::Lagged(_)) => {
                    self.queue.begin_anew();
                    count(&LOST.into(), "lagged");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Channels and patterns.
    fn wanted(&self, marks: &str) -> (Vec<String>, Vec<String>) {
        let (mut channels, mut patterns) = (vec![marks.to_owned()], Vec::new());
        if self.options.channels {
            channels.extend(CHANNELS.map(str::to_owned));
            patterns.extend(PATTERNS.map(str::to_owned));
        }
        let rules = self.options.rules.iter();
        for rule in rules.filter(|rule| rule.stream.is_empty()) {
            match rule.pattern() {
                Some(pattern) => patterns.push(pattern),
                None => channels.push(rule.channel.clone()),
            }
        }
        (channels, patterns)
    }

    fn hear(&self, channel: &str, payload: &[u8]) {
        let Some((source, action)) = self.read(channel, payload) else {
            return;
        };
        match action {
            Ok(action) => {
                let name = Done {
                    mark: self.queue.mark(),
                    digest: digest(channel, payload),
                };
                let dropped = self.queue.push(Message {
                    name,
                    heard_at: Timestamp::now(),
                    action,
                    key: ClientId::new(format!("bridge:{}", EntryId::generate())).ok(),
                    source,
                });
                if let Some(dropped) = dropped.filter(|_| self.lease.is_held()) {
                    count(&dropped.source, "dropped");
                }
            }
            // Every node hears it; one says so.
            Err(error) if self.lease.is_held() => self.misfits.note(&source, error.message()),
            Err(_) => {}
        }
    }

    fn read(&self, channel: &str, payload: &[u8]) -> Option<(Source, Result<Action>)> {
        let read = |fits: &dyn Fn() -> Result<Action>| {
            message::check_size(payload, self.options.payload_bytes).and_then(|()| fits())
        };
        if self.options.channels
            && let Some(name) = message::built_in_name(channel)
        {
            let action = read(&|| message::built_in(name, channel, payload));
            return Some((name.into(), action));
        }
        let rules = self
            .options
            .rules
            .iter()
            .filter(|rule| rule.stream.is_empty());
        let mut fitting = rules.filter_map(|rule| Some((rule, rule.id_in(channel)?)));
        let (rule, id) = fitting.next()?;
        let action = read(&|| message::relayed(rule, id, payload));
        Some((rule.name().into(), action))
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
