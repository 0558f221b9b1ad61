//! Which concrete parts serve the ports: the one place that names them.

mod admin;
mod backends;
mod cluster;
mod known;
mod options;
mod push;
mod store;

use std::sync::Arc;

use tokio::{sync::mpsc, task::JoinHandle};

pub use self::cluster::ClusterLink;
use self::{
    cluster::Live,
    known::Known,
    options::{access, audience, auth_options, gateway, provider, retention, stream_limits},
    store::open_store,
};
use crate::{
    admin::Admin,
    auth::{Auth, AuthSetupError},
    config::{Config, ConfigError},
    ecosystem::Alone,
    ports::{Emitter, NoAdmins, NoPeers, Peers, Servers, Sockets, StoreError},
    realtime::{
        namespace::{Hub, OwnSockets},
        streams::StreamHub,
    },
    services::{
        Channels, Chat, Delivery, Direct, Emits, Inventory, KeyedLocks, Lead, Members,
        Notifications, Orders, PaymentPorts, Payments, PresenceKeeper, PresencePorts,
        PresenceService, Resync, Services, Sessions, Sync, Tracking, Typing, Watch,
    },
    stores::{Durable, postgres, redis::RedisOpenError, sqlite},
};

/// Why the parts cannot be put together, in one line.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The SQLite file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// The PostgreSQL database.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
    /// What it holds.
    #[error("cannot read what is stored: {0}")]
    Read(StoreError),
    /// Redis.
    #[error(transparent)]
    Redis(#[from] RedisOpenError),
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
    pub store: Arc<dyn Durable>,
    /// Event streams.
    pub streams: Arc<StreamHub>,
    /// Live delivery; ends when the store has closed.
    pub delivery: JoinHandle<()>,
    /// The other nodes, if there may be any.
    pub cluster: Option<Arc<ClusterLink>>,
    /// The administrators' namespace, if there is one.
    pub admin: Option<Admin>,
}

/// Opens the store and builds the services around the hub.
pub async fn wire(config: &Config, hub: Arc<Hub>) -> Result<Wired, WiringError> {
    let (commits, committed) = mpsc::unbounded_channel();
    let store = open_store(config, commits).await?;
    let position = store.last_position().await.map_err(WiringError::Read)?;
    let auth = Auth::new(auth_options(&config.auth), store.clone()).await?;
    let streams = Arc::new(StreamHub::new(store.clone(), stream_limits(config)));
    let cluster = ClusterLink::open(config, &hub)?.map(Arc::new);
    if let Some(cluster) = &cluster {
        hub.relay_to(Arc::new(cluster.outgoing.clone()));
        if let Some(servers) = cluster.ecosystem.relay() {
            hub.tell_servers_by(servers);
        }
    }
    let alone = Arc::new(Alone::new(hub.clone()));
    let servers = match &cluster {
        Some(cluster) => cluster.ecosystem.servers(),
        None => alone.clone(),
    };
    let link = cluster.as_deref();
    let mut services = services(config, &auth, &store, &hub, &streams, link, servers)?;
    let admin = admin::admin(&config.admin, &hub, &mut services);
    let services = Arc::new(services);
    alone.begin(&services);
    let delivery = Delivery {
        emitter: Arc::new(OwnSockets(hub.clone())),
        streams: streams.clone(),
        push: services.push.clone(),
    };
    let delivery = if config.store.postgres().is_some() {
        cluster::follow(
            &config.cluster,
            Live {
                feeds: store.clone(),
                delivery,
                hub,
                position,
            },
            cluster.as_deref(),
            committed,
        )
    } else {
        tokio::spawn(delivery.run(committed))
    };
    Ok(Wired {
        auth,
        services,
        store,
        streams,
        delivery,
        cluster,
        admin,
    })
}

fn services(
    config: &Config,
    auth: &Auth,
    store: &Arc<dyn Durable>,
    hub: &Arc<Hub>,
    streams: &Arc<StreamHub>,
    cluster: Option<&ClusterLink>,
    servers: Arc<dyn Servers>,
) -> Result<Services, WiringError> {
    let peers: Arc<dyn Peers> = match cluster {
        Some(cluster) => Arc::new(cluster.outgoing.clone()),
        None => Arc::new(NoPeers),
    };
    let emitter: Arc<dyn Emitter> = hub.clone();
    let sockets: Arc<dyn Sockets> = hub.clone();
    let typing = Typing::new(emitter.clone(), sockets.clone(), config.typing.timeout());
    let typing = Arc::new(typing);
    let known = Known::of(cluster, &sockets);
    let presence_keeper = PresenceKeeper::new(known.presence.clone(), store.clone());
    let webhooks = Arc::new(backends::webhooks(config, store, &known, &sockets)?);
    let presence = Arc::new(PresenceService::new(
        PresencePorts {
            store: known.presence.clone(),
            emitter: emitter.clone(),
            sockets: sockets.clone(),
            occupancy: known.occupancy.clone(),
            announcements: known.announcements,
            webhooks: webhooks.clone(),
        },
        audience(config.presence.audience),
        config.presence.grace(),
    ));
    let emits = Arc::new(Emits {
        emitter: emitter.clone(),
    });
    let elsewhere = cluster.map(|_| known.presence.clone());
    let access = access(&config.rooms, store)?;
    let chat = Arc::new(Chat {
        feeds: store.clone(),
        emitter: emitter.clone(),
        sockets: sockets.clone(),
        occupancy: known.occupancy,
        moves: KeyedLocks::default(),
        access: access.clone(),
        members: store.clone(),
        typing: typing.clone(),
        presence: presence.clone(),
        webhooks: webhooks.clone(),
        content_chars: config.limits.content_chars,
        changes: KeyedLocks::default(),
    });
    let tracking = Arc::new(Tracking::new(
        known.positions,
        emitter.clone(),
        config.tracking.ttl(),
        config.tracking.positions_per_request,
    ));
    let inventory = Arc::new(Inventory::new(store.clone(), emitter.clone()));
    let sessions = Arc::new(Sessions {
        auth: auth.clone(),
        sockets: sockets.clone(),
        streams: streams.clone(),
        presence: known.presence.clone(),
        peers: peers.clone(),
    });
    Ok(Services {
        direct: Arc::new(Direct {
            feeds: store.clone(),
            content_chars: config.limits.content_chars,
        }),
        payments: Arc::new(Payments::new(
            PaymentPorts {
                store: store.clone(),
                feeds: store.clone(),
                sockets: sockets.clone(),
                presence: known.presence.clone(),
                emitter: emitter.clone(),
                peers: peers.clone(),
            },
            gateway(&config.payments),
            provider(&config.payments),
        )),
        push: Arc::new(push::push(
            &config.push,
            store,
            &sockets,
            streams,
            elsewhere,
        )?),
        watch: Arc::new(Watch {
            rules: config.watch_rules().into_iter().map(Arc::new).collect(),
            tracking: tracking.clone(),
            inventory: inventory.clone(),
            sockets: sockets.clone(),
            emitter,
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
            store: store.clone(),
            chat: chat.clone(),
            peers: peers.clone(),
        }),
        forwards: backends::forwards(&config.forward, &emits)?,
        webhooks,
        emits,
        resync: Arc::new(Resync {
            own: Arc::new(OwnSockets(hub.clone())),
            sockets,
            tracking: tracking.clone(),
            inventory: inventory.clone(),
            presence: presence.clone(),
            sessions: sessions.clone(),
        }),
        lead: Lead {
            leases: store.clone(),
            node: cluster.map_or("", |cluster| cluster.outgoing.node()).into(),
        },
        sessions,
        servers,
        admins: Arc::new(NoAdmins),
        chat,
        typing,
        presence,
        presence_keeper: Arc::new(presence_keeper),
        tracking,
        inventory,
    })
}
