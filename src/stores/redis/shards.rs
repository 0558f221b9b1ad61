//! Sharded channels. In a Redis Cluster each is heard at the server that has its slot, and a slot may
//! move.

use std::time::Duration;

use fred::{
    clients::Client,
    interfaces::{ClientLike, PubsubInterface},
};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How often it is tried to subscribe while there is no connection.
const SUBSCRIBE_INTERVAL: Duration = Duration::from_millis(50);

/// How often they are subscribed anew: Redis has forgotten those whose slot has moved, and does not
/// mind the others.
const ANEW_INTERVAL: Duration = Duration::from_secs(10);

/// The sharded channels that are wanted.
#[derive(Default)]
pub(super) struct Shards {
    wanted: Mutex<Vec<String>>,
    is_wanted: Notify,
}

impl Shards {
    /// More of them, in this order.
    pub fn want(&self, channels: Vec<String>) {
        self.wanted.lock().extend(channels);
        self.is_wanted.notify_one();
    }

    /// A connection was made, which has subscribed none.
    pub fn begin_anew(&self) {
        self.is_wanted.notify_one();
    }

    /// Subscribes whenever that is needed, for ever.
    pub async fn subscribe(&self, client: &Client) {
        loop {
            // Either way they are subscribed.
            let _ = tokio::time::timeout(ANEW_INTERVAL, self.is_wanted.notified()).await;
            while !client.is_connected() || self.subscribe_all(client).await.is_err() {
                tokio::time::sleep(SUBSCRIBE_INTERVAL).await;
            }
        }
    }

    async fn subscribe_all(&self, client: &Client) -> Result<(), fred::error::Error> {
        let wanted = self.wanted.lock().clone();
        if wanted.is_empty() {
            return Ok(());
        }
        for channel in wanted {
            // Each may be another server's.
            client.ssubscribe(channel).await?;
        }
        Ok(())
    }
}
