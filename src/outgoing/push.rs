//! Pushes on their way out: to the operator's webhook, and encrypted to browsers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode, header};
use web_push_native::{Auth, p256::PublicKey};

use super::{PostError, Vapid, Webhook};
use crate::{
    domain::{Delivery, EndpointHosts, Subscription, Timestamp},
    ports::{PushGateway, Sent},
};

/// Pushes over HTTP.
pub struct HttpPush {
    /// The operator's backend, if it is told.
    pub webhook: Option<Webhook>,
    /// Browsers, if they are told.
    pub web_push: Option<WebPush>,
}

/// Web Push (RFC 8030): messages encrypted for browsers (RFC 8291).
pub struct WebPush {
    client: Client,
    vapid: Vapid,
    hosts: Arc<EndpointHosts>,
    ttl: Duration,
}

impl WebPush {
    /// `hosts`: where endpoints may be. `ttl`: how long after it was planned a message is of use;
    /// push services keep it for a browser that is off. `timeout`: the longest wait for an answer.
    /// Fails when the TLS back end cannot be set up.
    pub fn new(
        vapid: Vapid,
        hosts: Arc<EndpointHosts>,
        ttl: Duration,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: super::client(timeout)?,
            vapid,
            hosts,
            ttl,
        })
    }

    async fn send(&self, delivery: &Delivery, to: &Subscription) -> Sent {
        // The configuration may have changed since the browser subscribed.
        let endpoint = Subscription::endpoint(&to.endpoint);
        let Some(endpoint) = endpoint.ok().filter(|url| self.hosts.allow(url)) else {
            return Sent::Gone;
        };
        let Some(encrypted) = encrypt(&delivery.body, to) else {
            return failed("the message cannot be encrypted");
        };
        let Some(authorization) = self.vapid.authorization(&endpoint) else {
            return failed("the message cannot be signed");
        };
        let left = self
            .ttl
            .saturating_sub(delivery.created_at.age(Timestamp::now()));
        let request = self
            .client
            .post(endpoint)
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header("ttl", left.as_secs())
            .header("urgency", "normal")
            .body(encrypted);
        match request.send().await.map_err(PostError::from) {
            Ok(answer) if matches!(answer.status().as_u16(), 404 | 410) => Sent::Gone,
            answer => outcome(answer),
        }
    }
}

#[async_trait]
impl PushGateway for HttpPush {
    async fn send(&self, delivery: &Delivery) -> Sent {
        match (&delivery.subscription, &self.webhook, &self.web_push) {
            (None, Some(webhook), _) => {
                let body = delivery.body.clone().into_bytes();
                outcome(webhook.post(delivery.id.as_str(), body).await)
            }
            (Some(to), _, Some(web_push)) => web_push.send(delivery, to).await,
            (None, None, _) | (Some(_), _, None) => failed("nothing sends to this target"),
        }
    }
}

fn encrypt(message: &str, to: &Subscription) -> Option<Vec<u8>> {
    let key = PublicKey::from_sec1_bytes(&to.p256dh).ok()?;
    web_push_native::encrypt(message.into(), &key, &Auth::from(to.auth)).ok()
}

fn outcome(answer: Result<Response, PostError>) -> Sent {
    match answer {
        Ok(answer) if answer.status().is_success() => Sent::Accepted,
        Ok(answer) => Sent::Failed {
            error: format!("status {}", answer.status().as_u16()),
            retry_after: retry_after(&answer),
        },
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(error: &str) -> Sent {
    Sent::Failed {
        error: error.to_owned(),
        retry_after: None,
    }
}

/// `Retry-After` of an answer that may carry one: seconds, or a date.
fn retry_after(answer: &Response) -> Option<Duration> {
    let busy =
        answer.status() == StatusCode::TOO_MANY_REQUESTS || answer.status().is_server_error();
    let text = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    if !busy {
        return None;
    }
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Timestamp::now().age(Timestamp::from_ms(at.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry: &str) -> Response {
        let answer = axum::http::Response::builder()
            .status(status)
            .header("retry-after", retry)
            .body("");
        answer.unwrap().into()
    }

    #[test]
    fn a_busy_receiver_says_in_seconds_or_by_date_when_to_come_back() {
        assert_eq!(retry_after(&answer(429, "7")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&answer(503, "soon")), None);
        assert_eq!(retry_after(&answer(404, "7")), None);
        let past = retry_after(&answer(503, "Wed, 21 Oct 2015 07:28:00 GMT"));
        assert_eq!(past, Some(Duration::ZERO));
        let ahead = retry_after(&answer(503, "Thu, 01 Jan 2099 00:00:00 GMT"));
        assert!(ahead.unwrap() > Duration::from_secs(86_400));
    }
}
