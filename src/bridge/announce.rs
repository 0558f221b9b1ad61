//! What the server tells workers: `presence:updates`.

use fred::interfaces::PubsubInterface;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::mpsc;

use super::queue::count;
use crate::{
    domain::{Status, Timestamp, UserId},
    ports::Announcements,
    stores::redis::{Redis, failed},
};

const CHANNEL: &str = "presence:updates";

/// The most messages that wait to be published.
const MAX_WAITING: usize = 10_000;

/// How many are published at a time.
const AT_ONCE: usize = 256;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PresenceUpdate<'a> {
    user_id: &'a UserId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Timestamp>,
}

/// Publishes on Redis what workers hear.
pub struct Announcer {
    waiting: mpsc::Sender<String>,
    to_tell: Mutex<Option<mpsc::Receiver<String>>>,
}

impl Default for Announcer {
    fn default() -> Self {
        let (waiting, to_tell) = mpsc::channel(MAX_WAITING);
        Self {
            waiting,
            to_tell: Mutex::new(Some(to_tell)),
        }
    }
}

impl Announcer {
    /// Publishes what waits, for ever.
    pub async fn run(&self, redis: &Redis) {
        let Some(mut to_tell) = self.to_tell.lock().take() else {
            return;
        };
        let mut taken = Vec::new();
        while to_tell.recv_many(&mut taken, AT_ONCE).await > 0 {
            let pipeline = redis.pipeline();
            for message in taken.drain(..) {
                // It is only queued here.
                let _: Result<(), _> = pipeline.publish(CHANNEL, message).await;
            }
            let told: Result<Vec<i64>, _> = pipeline.all().await;
            let _ = told.map_err(failed("presence_updates"));
        }
    }
}

impl Announcements for Announcer {
    fn presence(&self, user: &UserId, status: Status, last_seen: Option<Timestamp>) {
        let update = PresenceUpdate {
            user_id: user,
            status,
            last_seen,
        };
        let Ok(message) = serde_json::to_string(&update) else {
            return;
        };
        if self.waiting.try_send(message).is_err() {
            count(&CHANNEL.into(), "dropped");
        }
    }
}
