//! The parts of offline push.

use std::sync::Arc;

use super::{WiringError, options::key};
use crate::{
    config,
    domain::PushTarget,
    outgoing::{HttpPush, WebPush, Webhook},
    ports::{PresenceStore, Sockets, Streams},
    realtime::streams::StreamHub,
    services::{IsOnline, Push, PushOptions, PushWays},
    stores::Durable,
};

/// Offline push as configured; without a webhook and without Web Push nothing is sent.
pub(super) fn push(
    config: &config::Push,
    store: &Arc<dyn Durable>,
    sockets: &Arc<dyn Sockets>,
    streams: &Arc<StreamHub>,
    elsewhere: Option<Arc<dyn PresenceStore>>,
) -> Result<Push, WiringError> {
    let hosts = Arc::new(config.hosts()?);
    let vapid = config.vapid()?;
    let options = PushOptions {
        public_key: vapid.as_ref().map(|vapid| vapid.public_key().to_owned()),
        hosts: hosts.clone(),
        attempts: config.attempts,
        backoff: config.backoff(),
        backoff_max: config.backoff_max(),
        in_flight: config.in_flight,
        max_pending: config.max_pending,
        dead_letters: config.dead_letters,
        subscriptions_per_user: config.subscriptions_per_user,
    };
    let webhook = (!config.webhook_url.is_empty()).then(|| {
        let key = key(&config.webhook_secret);
        Webhook::new(config.webhook_url.clone(), key, config.timeout())
    });
    let web_push = vapid.map(|vapid| WebPush::new(vapid, hosts, config.ttl(), config.timeout()));
    let out = HttpPush {
        webhook: webhook.transpose()?,
        web_push: web_push.transpose()?,
    };
    let to_webhook = out.webhook.as_ref().map(|_| PushTarget::Webhook);
    let to_browsers = out.web_push.as_ref().map(|_| PushTarget::Subscription);
    let targets: Vec<_> = to_webhook.into_iter().chain(to_browsers).collect();
    let ways = (!targets.is_empty()).then(|| PushWays {
        gateway: Arc::new(out),
        targets,
        is_online: is_online(sockets.clone(), streams.clone()),
        elsewhere,
    });
    Ok(Push::new(store.clone(), store.clone(), options, ways))
}

/// Online is who has a socket, or reads the very feed as an event stream.
fn is_online(sockets: Arc<dyn Sockets>, streams: Arc<StreamHub>) -> IsOnline {
    Box::new(move |user, feed| sockets.is_connected(user) || streams.is_read(feed))
}
