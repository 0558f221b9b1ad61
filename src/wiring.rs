//! Which concrete parts serve the ports: the one place that names them.

mod push;

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    auth::{Auth, AuthOptions, AuthSetupError, Guests, JwksSource, WebhookGate, WebhookOptions},
    config::{self, Config, ConfigError, RoomAccess},
    domain::{Amount, FeedKind},
    ports::{Emitter, FeedStore, Sockets},
    realtime::{
        namespace::Hub,
        streams::{StreamHub, StreamLimits},
    },
    services::{
        Access, Audience, Channels, Chat, Direct, Emits, Gateway, Inventory, KeyedLocks, KindRule,
        Members, Notifications, Orders, Payments, PresenceKeeper, PresenceService, ProviderKey,
        Retention, Services, Sessions, Sync, Tracking, Typing, Watch, deliver_commits,
    },
    stores::{
        memory::{MemoryPositions, MemoryPresence},
        sqlite::{OpenError, SqliteOptions, SqliteStore, Synchronous},
    },
    webhook::WebhookKey,
};

/// How often streams are looked at: tokens that end, readers that take nothing.
const STREAM_TICK: Duration = Duration::from_millis(250);

/// Why the parts cannot be put together, in one line.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The database.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The keys.
    #[error(transparent)]
    Auth(#[from] AuthSetupError),
    /// The client for webhooks.
    #[error("cannot set up the webhook client: {0}")]
    Webhook(#[from] reqwest::Error),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Everything behind the events and the routes.
pub struct Wired {
    /// Who may connect.
    pub auth: Auth,
    /// What the server does.
    pub services: Arc<Services>,
    /// What is durable.
    pub store: SqliteStore,
    /// Event streams.
    pub streams: Arc<StreamHub>,
    /// Live delivery; ends when the store has closed.
    pub delivery: JoinHandle<()>,
}

/// Opens the store and builds the services around the hub.
pub async fn wire(config: &Config, hub: Arc<Hub>) -> Result<Wired, WiringError> {
    let (commits, committed) = mpsc::unbounded_channel();
    let store = SqliteStore::open(&sqlite_options(&config.store), commits)?;
    let auth = Auth::new(auth_options(&config.auth), Arc::new(store.clone())).await?;
    let streams = StreamHub::new(Arc::new(store.clone()), stream_limits(config));
    let streams = Arc::new(streams);
    let services = Arc::new(services(config, &auth, &store, &hub, &streams)?);
    let (readers, push) = (streams.clone(), services.push.clone());
    let deliver = async move { deliver_commits(committed, &*hub, &*readers, &push).await };
    let delivery = tokio::spawn(deliver);
    Ok(Wired {
        auth,
        services,
        store,
        streams,
        delivery,
    })
}

fn services(
    config: &Config,
    auth: &Auth,
    store: &SqliteStore,
    hub: &Arc<Hub>,
    streams: &Arc<StreamHub>,
) -> Result<Services, WiringError> {
    let emitter: Arc<dyn Emitter> = hub.clone();
    let sockets: Arc<dyn Sockets> = hub.clone();
    let store = Arc::new(store.clone());
    let typing = Typing::new(emitter.clone(), sockets.clone(), config.typing.timeout());
    let typing = Arc::new(typing);
    let who_is_there = Arc::new(MemoryPresence::default());
    let presence_keeper = PresenceKeeper::new(who_is_there.clone(), store.clone());
    let presence = Arc::new(PresenceService::new(
        who_is_there,
        emitter.clone(),
        sockets.clone(),
        audience(config.presence.audience),
        config.presence.grace(),
    ));
    let access = access(&config.rooms, &store)?;
    let chat = Arc::new(Chat {
        feeds: store.clone(),
        emitter: emitter.clone(),
        sockets: sockets.clone(),
        access: access.clone(),
        members: store.clone(),
        typing: typing.clone(),
        presence: presence.clone(),
        content_chars: config.limits.content_chars,
        changes: KeyedLocks::default(),
    });
    let tracking = Arc::new(Tracking::new(
        Arc::new(MemoryPositions::default()),
        emitter.clone(),
        config.tracking.ttl(),
        config.tracking.positions_per_request,
    ));
    let inventory = Arc::new(Inventory::new(store.clone(), emitter.clone()));
    Ok(Services {
        direct: Arc::new(Direct {
            feeds: store.clone(),
            content_chars: config.limits.content_chars,
        }),
        payments: Arc::new(Payments::new(
            store.clone(),
            store.clone(),
            sockets.clone(),
            emitter.clone(),
            gateway(&config.payments),
            provider(&config.payments),
        )),
        push: Arc::new(push::push(&config.push, &store, &sockets, streams)?),
        watch: Arc::new(Watch {
            rules: config.watch_rules().into_iter().map(Arc::new).collect(),
            tracking: tracking.clone(),
            inventory: inventory.clone(),
            sockets: sockets.clone(),
            emitter: emitter.clone(),
        }),
        notifications: Arc::new(Notifications {
            feeds: store.clone(),
        }),
        orders: Arc::new(Orders {
            feeds: store.clone(),
        }),
        channels: Arc::new(Channels {
            feeds: store.clone(),
        }),
        sync: Arc::new(Sync {
            feeds: store.clone(),
            members: store.clone(),
            access,
            presence: presence.clone(),
        }),
        retention: Arc::new(retention(&config.retention, store.clone())),
        members: Arc::new(Members {
            store,
            chat: chat.clone(),
        }),
        emits: Arc::new(Emits { emitter }),
        sessions: Arc::new(Sessions {
            auth: auth.clone(),
            sockets,
            streams: streams.clone(),
        }),
        chat,
        typing,
        presence,
        presence_keeper: Arc::new(presence_keeper),
        tracking,
        inventory,
    })
}

fn stream_limits(config: &Config) -> StreamLimits {
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

fn retention(config: &config::Retention, feeds: Arc<dyn FeedStore>) -> Retention {
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

fn sqlite_options(store: &config::Store) -> SqliteOptions {
    SqliteOptions {
        path: store.path.clone().into(),
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

fn auth_options(auth: &config::Auth) -> AuthOptions {
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

fn audience(audience: config::Audience) -> Audience {
    match audience {
        config::Audience::Everyone => Audience::Everyone,
        config::Audience::Roommates => Audience::Roommates,
    }
}

fn access(rooms: &config::Rooms, store: &Arc<SqliteStore>) -> Result<Access, WiringError> {
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

fn gateway(payments: &config::Payments) -> Gateway {
    match payments.gateway {
        config::Gateway::Simulated => Gateway::Simulated {
            delay: payments.delay(),
            decline_above: Amount::new(payments.decline_above),
        },
        config::Gateway::Webhook => Gateway::Webhook,
    }
}

fn provider(payments: &config::Payments) -> Option<ProviderKey> {
    key(&payments.webhook_secret).map(|key| ProviderKey {
        key,
        tolerance: payments.webhook_tolerance(),
    })
}

fn key(secret: &config::Secret) -> Option<WebhookKey> {
    WebhookKey::new(secret.expose())
}
