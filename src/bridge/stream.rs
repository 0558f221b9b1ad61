//! Redis Streams, read as a consumer group: an entry is acknowledged when it has been taken up. Only
//! the node that holds the lease reads, so that entries take effect in their order.

use std::{collections::HashMap, time::Duration};

use fred::{
    interfaces::StreamsInterface,
    types::{
        Value,
        streams::{XReadResponse, XReadValue},
    },
};
use futures::{FutureExt, future::join_all};

use super::{
    BridgeOptions,
    lease::Lease,
    message::{self, Action},
    misfits::Misfits,
    perform::perform,
    queue::{Source, count},
};
use crate::{
    config::RelayRule,
    domain::{ClientId, ProductId},
    error::{Code, Error, Result},
    services::Services,
    stores::redis::{Link, Redis, failed},
};

/// The field that holds the message, where there are several.
const FIELD: &str = "data";

/// The consumer, whichever node it is.
const CONSUMER: &str = "roomcast";

/// How many entries are read at a time.
const AT_ONCE: u64 = 100;

/// The longest time for which a read waits for new entries, unless a command may take less than
/// twice as long.
const MAX_BLOCK: Duration = Duration::from_millis(500);

/// How often it is looked whether this node is to read.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long Redis or the store is left alone after a failure.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// An entry: its id and fields.
type StreamEntry = XReadValue<String, String, Vec<u8>>;

/// Reads one stream.
pub(super) struct StreamReader<'a> {
    pub redis: &'a Redis,
    pub lease: &'a Lease,
    pub options: &'a BridgeOptions,
    pub rule: &'a RelayRule,
    pub misfits: &'a Misfits,
    pub services: &'a Services,
}

impl StreamReader<'_> {
    /// Reads, for ever.
    pub async fn run(self) {
        // A read that waits would hold up all other commands of its connection.
        let link = self.redis.dedicated(self.rule.stream.clone());
        let source = Source::from(self.rule.name());
        // What was given to somebody, and not acknowledged, comes before what is new.
        let mut is_behind = true;
        loop {
            if !self.lease.is_held() {
                is_behind = true;
                tokio::time::sleep(LOOK_INTERVAL).await;
                continue;
            }
            let entries = match is_behind {
                true => self.claim(&link).await,
                false => self.read(&link).await,
            };
            match entries {
                Ok(entries) => {
                    is_behind &= !entries.is_empty();
                    is_behind |= !self.take_up(&link, entries, &source).await;
                }
                Err(error) => {
                    // What was read may have been lost on its way.
                    is_behind = true;
                    // The group may be gone with all of Redis.
                    self.make_group(&link).await;
                    let _ = failed("stream_read")(error);
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    /// The group begins with the first entry that the stream has.
    async fn make_group(&self, link: &Link) {
        let (stream, group) = (self.rule.stream.as_str(), self.options.group.as_str());
        // It fails where there is one.
        let _: std::result::Result<(), _> =
            link.client().xgroup_create(stream, group, "0", true).await;
    }

    async fn read(&self, link: &Link) -> std::result::Result<Vec<StreamEntry>, fred::error::Error> {
        let block = MAX_BLOCK.min(self.options.timeout / 2);
        let block_ms = u64::try_from(block.as_millis()).unwrap_or(1).max(1);
        let read: Value = link
            .client()
            .xreadgroup(
                self.options.group.as_str(),
                CONSUMER,
                Some(AT_ONCE),
                Some(block_ms),
                false,
                self.rule.stream.as_str(),
                ">",
            )
            .await?;
        if read.is_null() {
            // Nothing new has come.
            return Ok(Vec::new());
        }
        let read: XReadResponse<String, String, String, Vec<u8>> = read.into_xread_response()?;
        Ok(read.into_values().flatten().collect())
    }

    /// The first entries that were given to somebody and not acknowledged.
    async fn claim(
        &self,
        link: &Link,
    ) -> std::result::Result<Vec<StreamEntry>, fred::error::Error> {
        let (_, entries) = link
            .client()
            .xautoclaim_values(
                self.rule.stream.as_str(),
                self.options.group.as_str(),
                CONSUMER,
                0,
                "0-0",
                Some(AT_ONCE),
                false,
            )
            .await?;
        Ok(entries)
    }

    /// Takes entries up in their order, and acknowledges what is done or can never be. Whether all of
    /// them are; else they are for whoever holds the lease now.
    async fn take_up(&self, link: &Link, mut entries: Vec<StreamEntry>, source: &Source) -> bool {
        while !entries.is_empty() {
            let Some(_working) = self.lease.begin().await else {
                return false;
            };
            let mut performing = Vec::with_capacity(entries.len());
            for (id, fields) in &entries {
                performing.push(self.perform(id, fields).boxed());
            }
            // They are polled in this order, which is the order in which they are stored.
            let outcomes = join_all(performing).await;
            let (mut settled, mut again) = (Vec::new(), Vec::new());
            let mut newer = Vec::new();
            for (entry, outcome) in entries.into_iter().zip(outcomes).rev() {
                match outcome {
                    // A newer value stands already.
                    Outcome::Away(Some(product)) if newer.contains(&product) => {
                        settled.push(entry.0);
                    }
                    Outcome::Away(_) => again.push(entry),
                    Outcome::Invalid(error) => {
                        self.misfits.note(source, error.message());
                        settled.push(entry.0);
                    }
                    Outcome::Done(product) => {
                        count(source, "done");
                        newer.extend(product);
                        settled.push(entry.0);
                    }
                }
            }
            if !settled.is_empty() && !self.acknowledge(link, settled).await {
                return false;
            }
            again.reverse();
            entries = again;
            if !entries.is_empty() {
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
        true
    }

    /// Acknowledges, however long it takes, so that nothing takes effect again after what comes later;
    /// whether it did before the lease was lost.
    async fn acknowledge(&self, link: &Link, settled: Vec<String>) -> bool {
        let (stream, group) = (self.rule.stream.as_str(), self.options.group.as_str());
        loop {
            let acknowledged: std::result::Result<i64, _> =
                link.client().xack(stream, group, settled.clone()).await;
            match acknowledged {
                Ok(_) => return true,
                Err(error) => {
                    let _ = failed("stream_ack")(error);
                }
            }
            if !self.lease.is_held() {
                return false;
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }

    async fn perform(&self, id: &str, fields: &HashMap<String, Vec<u8>>) -> Outcome {
        let action = match self.action(fields) {
            Ok(action) => action,
            Err(error) => return Outcome::Invalid(error),
        };
        let product = match &action {
            Action::Stock(product, _) => Some(product.clone()),
            _ => None,
        };
        // The same entry again is found to be stored.
        let key = ClientId::new(format!("stream:{}:{id}", self.rule.stream)).ok();
        match perform(self.services, &action, key).await {
            Ok(()) => Outcome::Done(product),
            Err(error) if error.code() == Code::StoreUnavailable => Outcome::Away(product),
            Err(error) => Outcome::Invalid(error),
        }
    }

    fn action(&self, fields: &HashMap<String, Vec<u8>>) -> Result<Action> {
        let message = match fields.get(FIELD) {
            Some(message) => message,
            None if fields.len() == 1 => fields.values().next().ok_or_else(Error::internal)?,
            None => {
                let expected = format!("an entry needs a field {FIELD}, or only one");
                return Err(Error::invalid_payload(expected));
            }
        };
        message::check_size(message, self.options.payload_bytes)?;
        message::relayed(self.rule, "", message)
    }
}

/// What became of an entry; with the product whose stock it says.
enum Outcome {
    Done(Option<ProductId>),
    /// The store cannot take it now.
    Away(Option<ProductId>),
    /// It can never be done.
    Invalid(Error),
}
