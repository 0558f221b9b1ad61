//! What each part is told of the configuration.

use std::{sync::Arc, time::Duration};

use super::WiringError;
use crate::{
    auth::{AuthOptions, Guests, JwksSource, WebhookGate, WebhookOptions},
    config::{self, Config, RoomAccess},
    domain::{Amount, FeedKind},
    ports::FeedStore,
    realtime::streams::StreamLimits,
    services::{Access, Audience, Gateway, KindRule, ProviderKey, Retention},
    stores::{
        Durable,
        postgres::{self, PostgresOptions},
        sqlite::{SqliteOptions, Synchronous},
    },
    webhook::WebhookKey,
};

/// How often streams are looked at: tokens that end, readers that take nothing.
const STREAM_TICK: Duration = Duration::from_millis(250);

pub(super) fn stream_limits(config: &Config) -> StreamLimits {
    StreamLimits {
        streams: config.sse.streams,
        per_user: config.sse.streams_per_user,
        pending_bytes: config.sse.pending_bytes,
        stall: config.sse.stall_limit(),
        keep_alive: config.sse.keep_alive(),
        retry_ms: config.sse.retry_ms,
        leeway: config.auth.leeway(),
        tick: STREAM_TICK,
    }
}

pub(super) fn retention(config: &config::Retention, feeds: Arc<dyn FeedStore>) -> Retention {
    let rule = |kind, hours: u64, entries| KindRule {
        kind,
        age: (hours > 0).then(|| Duration::from_secs(hours.saturating_mul(3_600))),
        entries,
    };
    let (notifications, orders) = (config.notification_entries, config.order_entries);
    Retention {
        feeds,
        rules: vec![
            rule(FeedKind::Room, config.room_hours, config.room_entries),
            rule(FeedKind::Direct, config.direct_hours, config.direct_entries),
            rule(FeedKind::User, config.notification_hours, notifications),
            rule(FeedKind::Vendor, config.order_hours, orders),
            rule(
                FeedKind::Channel,
                config.channel_hours,
                config.channel_entries,
            ),
        ],
        interval: config.interval(),
        step: config.step,
    }
}

pub(super) fn sqlite_options(store: &config::Store) -> SqliteOptions {
    SqliteOptions {
        path: store.file().into(),
        synchronous: match store.synchronous {
            config::Synchronous::Full => Synchronous::Full,
            config::Synchronous::Normal => Synchronous::Normal,
        },
        queue: store.queue,
        group: store.group,
        readers: store.readers,
        timeout: store.timeout(),
    }
}

pub(super) fn postgres_options(store: &config::Store, url: &str) -> PostgresOptions {
    PostgresOptions {
        url: url.to_owned(),
        synchronous: match store.synchronous {
            config::Synchronous::Full => postgres::Synchronous::Full,
            config::Synchronous::Normal => postgres::Synchronous::Normal,
        },
        group: store.group,
        readers: store.readers,
        timeout: store.timeout(),
    }
}

pub(super) fn auth_options(auth: &config::Auth) -> AuthOptions {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let file = given(&auth.jwks_file).map(|path| JwksSource::File(path.into()));
    AuthOptions {
        jwt_secret: given(auth.jwt_secret.expose()).map(String::into_bytes),
        jwks: file.or_else(|| given(&auth.jwks_url).map(JwksSource::Url)),
        jwks_refresh: auth.jwks_refresh(),
        issuer: given(&auth.issuer),
        audience: given(&auth.audience),
        leeway: auth.leeway(),
        guests: if auth.guests {
            Guests::Allowed
        } else {
            Guests::Refused
        },
        api_keys: auth.api_keys.digests().to_vec(),
    }
}

pub(super) fn audience(audience: config::Audience) -> Audience {
    match audience {
        config::Audience::Everyone => Audience::Everyone,
        config::Audience::Roommates => Audience::Roommates,
    }
}

pub(super) fn access(
    rooms: &config::Rooms,
    store: &Arc<dyn Durable>,
) -> Result<Access, WiringError> {
    Ok(match rooms.access {
        RoomAccess::Claims => Access::Claims,
        RoomAccess::Members => Access::Members(store.clone()),
        RoomAccess::Open => Access::Open,
        RoomAccess::Webhook => Access::Webhook(Arc::new(WebhookGate::new(WebhookOptions {
            url: rooms.webhook_url.clone(),
            key: key(&rooms.webhook_secret),
            timeout: rooms.webhook_timeout(),
            cache: rooms.webhook_cache(),
            cache_entries: rooms.webhook_cache_entries,
        })?)),
    })
}

pub(super) fn gateway(payments: &config::Payments) -> Gateway {
    match payments.gateway {
        config::Gateway::Simulated => Gateway::Simulated {
            delay: payments.delay(),
            decline_above: Amount::new(payments.decline_above),
        },
        config::Gateway::Webhook => Gateway::Webhook,
    }
}

pub(super) fn provider(payments: &config::Payments) -> Option<ProviderKey> {
    key(&payments.webhook_secret).map(|key| ProviderKey {
        key,
        tolerance: payments.webhook_tolerance(),
    })
}

pub(super) fn key(secret: &config::Secret) -> Option<WebhookKey> {
    WebhookKey::new(secret.expose())
}
