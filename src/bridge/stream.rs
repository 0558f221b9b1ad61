//! Redis Streams, read as a consumer group: an entry is acknowledged when it has been taken up.

use std::{collections::HashMap, time::Duration};

use fred::{
    clients::Client,
    interfaces::StreamsInterface,
    types::streams::{XReadResponse, XReadValue},
};
use futures::{FutureExt, future::join_all};
use tokio::time::Instant;

use super::{BridgeOptions, listen::Complaints, message, perform::perform, queue::count};
use crate::{
    config::RelayRule,
    domain::ClientId,
    error::{Code, Error, Result},
    services::Services,
    stores::redis::{Redis, failed},
};

/// What its entries are counted as.
const STREAM: &str = "stream";

/// The field that holds the message, where there are several.
const FIELD: &str = "data";

/// How many entries are read at a time.
const AT_ONCE: u64 = 100;

/// For how long a read waits for new entries; less than a command may take.
const BLOCK_MS: u64 = 500;

/// How long Redis or the store is left alone after a failure.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// An entry: its id and fields.
type StreamEntry = XReadValue<String, String, Vec<u8>>;

/// Reads one stream.
pub(super) struct StreamReader<'a> {
    pub redis: &'a Redis,
    pub options: &'a BridgeOptions,
    pub rule: &'a RelayRule,
    pub services: &'a Services,
}

impl StreamReader<'_> {
    /// Reads, for ever.
    pub async fn run(self) {
        // A read that waits would hold up all other commands of its connection.
        let client = self.redis.dedicated();
        let mut complaints = Complaints::default();
        let mut claimed_at: Option<Instant> = None;
        loop {
            let is_time = claimed_at.is_none_or(|at| at.elapsed() > self.options.claim_idle / 2);
            let entries = if is_time {
                claimed_at = Some(Instant::now());
                self.claim(&client).await
            } else {
                self.read(&client).await
            };
            match entries {
                Ok(entries) => self.take_up(&client, entries, &mut complaints).await,
                Err(error) => {
                    // The group may be gone with all of Redis.
                    self.make_group(&client).await;
                    let _ = failed("stream_read")(error);
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    /// The group begins with the first entry that the stream has.
    async fn make_group(&self, client: &Client) {
        let (stream, group) = (self.rule.stream.as_str(), self.options.group.as_str());
        // It fails where there is one.
        let _: std::result::Result<(), _> = client.xgroup_create(stream, group, "0", true).await;
    }

    async fn read(
        &self,
        client: &Client,
    ) -> std::result::Result<Vec<StreamEntry>, fred::error::Error> {
        let read: XReadResponse<String, String, String, Vec<u8>> = client
            .xreadgroup_map(
                self.options.group.as_str(),
                self.options.node.as_str(),
                Some(AT_ONCE),
                Some(BLOCK_MS),
                false,
                self.rule.stream.as_str(),
                ">",
            )
            .await?;
        Ok(read.into_values().flatten().collect())
    }

    /// Takes over what other nodes have not acknowledged for long.
    async fn claim(
        &self,
        client: &Client,
    ) -> std::result::Result<Vec<StreamEntry>, fred::error::Error> {
        let idle = u64::try_from(self.options.claim_idle.as_millis()).unwrap_or(u64::MAX);
        let (_, entries) = client
            .xautoclaim_values(
                self.rule.stream.as_str(),
                self.options.group.as_str(),
                self.options.node.as_str(),
                idle,
                "0-0",
                Some(AT_ONCE),
                false,
            )
            .await?;
        Ok(entries)
    }

    /// Takes entries up in their order, and acknowledges what is done or can never be.
    async fn take_up(
        &self,
        client: &Client,
        mut entries: Vec<StreamEntry>,
        complaints: &mut Complaints,
    ) {
        while !entries.is_empty() {
            let mut performing = Vec::with_capacity(entries.len());
            for (id, fields) in &entries {
                performing.push(self.perform(id, fields).boxed());
            }
            // They are polled in this order, which is the order in which they are stored.
            let outcomes = join_all(performing).await;
            let (mut settled, mut again) = (Vec::new(), Vec::new());
            for (entry, outcome) in entries.into_iter().zip(outcomes) {
                match outcome {
                    Err(error) if error.code() == Code::StoreUnavailable => again.push(entry),
                    Err(error) => {
                        count(STREAM, "invalid");
                        complaints.log(STREAM, error.message());
                        settled.push(entry.0);
                    }
                    Ok(()) => {
                        count(STREAM, "done");
                        settled.push(entry.0);
                    }
                }
            }
            if !settled.is_empty() {
                let (stream, group) = (self.rule.stream.as_str(), self.options.group.as_str());
                let acknowledged: std::result::Result<i64, _> =
                    client.xack(stream, group, settled).await;
                // They are claimed later, and found to be stored.
                let _ = acknowledged.map_err(failed("stream_ack"));
            }
            entries = again;
            if !entries.is_empty() {
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }

    async fn perform(&self, id: &str, fields: &HashMap<String, Vec<u8>>) -> Result<()> {
        let message = match fields.get(FIELD) {
            Some(message) => message,
            None if fields.len() == 1 => fields.values().next().ok_or_else(Error::internal)?,
            None => {
                let expected = format!("an entry needs a field {FIELD}, or only one");
                return Err(Error::invalid_payload(expected));
            }
        };
        let action = message::relayed(self.rule, "", message)?;
        // The same entry again is found to be stored.
        let key = ClientId::new(format!("stream:{}:{id}", self.rule.stream)).ok();
        perform(self.services, &action, key).await
    }
}
