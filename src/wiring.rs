//! Which concrete parts serve the ports: the one place that names them.

mod options;
mod push;

use std::sync::Arc;

use tokio::{sync::mpsc, task::JoinHandle};

use self::options::{
    access, audience, auth_options, gateway, provider, retention, sqlite_options, stream_limits,
};
use crate::{
    auth::{Auth, AuthSetupError},
    config::{Config, ConfigError},
    ports::{Emitter, Sockets},
    realtime::{namespace::Hub, streams::StreamHub},
    services::{
        Channels, Chat, Direct, Emits, Inventory, KeyedLocks, Members, Notifications, Orders,
        Payments, PresenceKeeper, PresenceService, Services, Sessions, Sync, Tracking, Typing,
        Watch, deliver_commits,
    },
    stores::{
        memory::{MemoryOccupancy, MemoryPositions, MemoryPresence},
        sqlite::{OpenError, SqliteStore},
    },
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
    let occupancy = Arc::new(MemoryOccupancy::new(sockets.clone()));
    let presence = Arc::new(PresenceService::new(
        who_is_there,
        emitter.clone(),
        sockets.clone(),
        occupancy.clone(),
        audience(config.presence.audience),
        config.presence.grace(),
    ));
    let access = access(&config.rooms, &store)?;
    let chat = Arc::new(Chat {
        feeds: store.clone(),
        emitter: emitter.clone(),
        sockets: sockets.clone(),
        occupancy,
        moves: KeyedLocks::default(),
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
