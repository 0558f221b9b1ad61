//! Which concrete parts serve the ports: the one place that names them.

use std::sync::Arc;

use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    auth::{Auth, AuthOptions, AuthSetupError, Guests, JwksSource, WebhookGate, WebhookOptions},
    config::{self, Config, ConfigError, RoomAccess},
    domain::{Amount, PushTarget},
    outgoing::{HttpPush, WebPush, Webhook},
    ports::{Emitter, Sockets},
    realtime::namespace::Hub,
    services::{
        Access, Audience, Chat, Direct, Emits, Gateway, Inventory, KeyedLocks, Members, Payments,
        PresenceService, ProviderKey, Push, PushOptions, PushWays, Services, Sessions, Tracking,
        Typing, Watch, deliver_commits,
    },
    stores::{
        memory::{MemoryPositions, MemoryPresence},
        sqlite::{OpenError, SqliteOptions, SqliteStore, Synchronous},
    },
    webhook::WebhookKey,
};

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
    /// Live delivery; ends when the store has closed.
    pub delivery: JoinHandle<()>,
}

/// Opens the store and builds the services around the hub.
pub async fn wire(config: &Config, hub: Arc<Hub>) -> Result<Wired, WiringError> {
    let (commits, committed) = mpsc::unbounded_channel();
    let store = SqliteStore::open(&sqlite_options(&config.store), commits)?;
    let auth = Auth::new(auth_options(&config.auth), Arc::new(store.clone())).await?;
    let services = Arc::new(services(config, &auth, &store, hub.clone())?);
    let push = services.push.clone();
    let delivery = tokio::spawn(async move { deliver_commits(committed, &*hub, &push).await });
    Ok(Wired {
        auth,
        services,
        store,
        delivery,
    })
}

fn services(
    config: &Config,
    auth: &Auth,
    store: &SqliteStore,
    hub: Arc<Hub>,
) -> Result<Services, WiringError> {
    let emitter: Arc<dyn Emitter> = hub.clone();
    let sockets: Arc<dyn Sockets> = hub;
    let store = Arc::new(store.clone());
    let typing = Typing::new(emitter.clone(), sockets.clone(), config.typing.timeout());
    let typing = Arc::new(typing);
    let presence = Arc::new(PresenceService::new(
        Arc::new(MemoryPresence::default()),
        emitter.clone(),
        sockets.clone(),
        audience(config.presence.audience),
        config.presence.grace(),
    ));
    let chat = Arc::new(Chat {
        feeds: store.clone(),
        emitter: emitter.clone(),
        sockets: sockets.clone(),
        access: access(&config.rooms, &store)?,
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
        push: Arc::new(push(&config.push, &store, &sockets)?),
        watch: Arc::new(Watch {
            rules: config.watch_rules().into_iter().map(Arc::new).collect(),
            tracking: tracking.clone(),
            inventory: inventory.clone(),
            sockets: sockets.clone(),
            emitter: emitter.clone(),
        }),
        members: Arc::new(Members {
            store,
            chat: chat.clone(),
        }),
        emits: Arc::new(Emits { emitter }),
        sessions: Arc::new(Sessions {
            auth: auth.clone(),
            sockets,
        }),
        chat,
        typing,
        presence,
        tracking,
        inventory,
    })
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

fn push(
    push: &config::Push,
    store: &Arc<SqliteStore>,
    sockets: &Arc<dyn Sockets>,
) -> Result<Push, WiringError> {
    let hosts = Arc::new(push.hosts()?);
    let vapid = push.vapid()?;
    let options = PushOptions {
        public_key: vapid.as_ref().map(|vapid| vapid.public_key().to_owned()),
        hosts: hosts.clone(),
        attempts: push.attempts,
        backoff: push.backoff(),
        backoff_max: push.backoff_max(),
        in_flight: push.in_flight,
        max_pending: push.max_pending,
        dead_letters: push.dead_letters,
        subscriptions_per_user: push.subscriptions_per_user,
    };
    let webhook = (!push.webhook_url.is_empty()).then(|| {
        let (url, key) = (push.webhook_url.clone(), key(&push.webhook_secret));
        Webhook::new(url, key, push.timeout())
    });
    let web_push = vapid.map(|vapid| WebPush::new(vapid, hosts, push.ttl(), push.timeout()));
    let out = HttpPush {
        webhook: webhook.transpose()?,
        web_push: web_push.transpose()?,
    };
    let targets: Vec<_> = [
        out.webhook.is_some().then_some(PushTarget::Webhook),
        out.web_push.is_some().then_some(PushTarget::Subscription),
    ]
    .into_iter()
    .flatten()
    .collect();
    let sockets = sockets.clone();
    let ways = (!targets.is_empty()).then(|| PushWays {
        gateway: Arc::new(out),
        targets,
        is_online: Box::new(move |user| sockets.is_connected(user)),
    });
    Ok(Push::new(store.clone(), store.clone(), options, ways))
}

fn key(secret: &config::Secret) -> Option<WebhookKey> {
    WebhookKey::new(secret.expose())
}
