//! A webhook of the operator's backend: JSON by POST, signed as Standard Webhooks lays down.

use std::time::Duration;

use reqwest::{Client, Response};

use crate::{domain::Timestamp, webhook::WebhookKey};

/// Why there is no answer. It shows no address.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The body cannot be signed.
    #[error("the request cannot be signed")]
    Unsigned,
    /// No answer within the time.
    #[error("timed out")]
    TimedOut,
    /// The connection cannot be made.
    #[error("cannot connect")]
    Connect,
    /// The address cannot be asked, or the connection broke.
    #[error("{0}")]
    Other(reqwest::Error),
}

impl From<reqwest::Error> for PostError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() {
            Self::Connect
        } else {
            // The address may hold a secret.
            Self::Other(error.without_url())
        }
    }
}

/// An address that is told things.
pub struct Webhook {
    client: Client,
    url: String,
    key: Option<WebhookKey>,
}

impl Webhook {
    /// `key` signs what is sent, if there is one; `timeout` is the longest wait for an answer.
    /// Fails when the TLS back end cannot be set up.
    pub fn new(
        url: String,
        key: Option<WebhookKey>,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: super::client(timeout)?,
            url,
            key,
        })
    }

    /// Posts a JSON body. `id` becomes `webhook-id`, by which receivers know repeats.
    pub async fn post(&self, id: &str, body: Vec<u8>) -> Result<Response, PostError> {
        let mut request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json");
        if let Some(key) = &self.key {
            let seconds = Timestamp::now().as_secs().to_string();
            let signature = key.sign(id, &seconds, &body);
            request = request
                .header("webhook-id", id)
                .header("webhook-timestamp", seconds)
                .header("webhook-signature", signature.ok_or(PostError::Unsigned)?);
        }
        Ok(request.body(body).send().await?)
    }
}
