//! Asks the operator's backend whether a user may enter a room.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::Serialize;

use crate::{
    domain::{EntryId, RoomId, User, UserId},
    outgoing::Webhook,
    ports::{GateSilent, RoomGate},
    webhook::WebhookKey,
};

/// How to ask.
pub struct WebhookOptions {
    /// The address that is asked by POST.
    pub url: String,
    /// Signs the request as the Standard Webhooks specification lays down, if there is one.
    pub key: Option<WebhookKey>,
    /// The longest wait for an answer.
    pub timeout: Duration,
    /// How long an answer is used again.
    pub cache: Duration,
    /// The most answers kept.
    pub cache_entries: usize,
}

/// A backend that decides: status 2xx admits, 401, 403 and 404 refuse (both are remembered), and
/// anything else, a time-out too, is a failure, which refuses and is not remembered.
pub struct WebhookGate {
    webhook: Webhook,
    cache: Duration,
    cache_entries: usize,
    answers: Mutex<HashMap<(UserId, RoomId), Answer>>,
}

#[derive(Clone, Copy)]
struct Answer {
    admits: bool,
    until: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    user_id: &'a UserId,
    username: &'a str,
    room_id: &'a RoomId,
}

impl WebhookGate {
    /// A gate with its own connections. Fails when the TLS back end cannot be set up.
    pub fn new(options: WebhookOptions) -> Result<Self, reqwest::Error> {
        Ok(Self {
            webhook: Webhook::new(options.url, options.key, options.timeout)?,
            cache: options.cache,
            cache_entries: options.cache_entries,
            answers: Mutex::default(),
        })
    }

    fn remembered(&self, key: &(UserId, RoomId)) -> Option<bool> {
        let answers = self.answers.lock();
        let answer = answers.get(key)?;
        (answer.until > Instant::now()).then_some(answer.admits)
    }

    fn remember(&self, key: (UserId, RoomId), admits: bool) {
        let now = Instant::now();
        let mut answers = self.answers.lock();
        if answers.len() >= self.cache_entries {
            answers.retain(|_, answer| answer.until > now);
        }
        // What does not fit is asked again.
        if answers.len() < self.cache_entries {
            let until = now + self.cache;
            answers.insert(key, Answer { admits, until });
        }
    }

    async fn ask(&self, user: &User, room: &RoomId) -> Option<bool> {
        let question = Question {
            user_id: &user.id,
            username: &user.name,
            room_id: room,
        };
        let body = serde_json::to_vec(&question).ok()?;
        match self.webhook.post(EntryId::generate().as_str(), body).await {
            Ok(response) if response.status().is_success() => Some(true),
            Ok(response) if matches!(response.status().as_u16(), 401 | 403 | 404) => Some(false),
            Ok(response) => {
                let status = response.status().as_u16();
                tracing::warn!(status, "the room webhook did not answer the question");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the room webhook could not be asked");
                None
            }
        }
    }
}

#[async_trait]
impl RoomGate for WebhookGate {
    async fn admits(&self, user: &User, room: &RoomId) -> Result<bool, GateSilent> {
        let key = (user.id.clone(), room.clone());
        if let Some(admits) = self.remembered(&key) {
            return Ok(admits);
        }
        match self.ask(user, room).await {
            Some(admits) => {
                self.remember(key, admits);
                Ok(admits)
            }
            None => Err(GateSilent),
        }
    }
}
