//! The parts of a cluster.

mod heed;
mod options;

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinHandle};

use self::options::{bridge_options, ecosystem_options, queue_limits};
use crate::{
    bridge::{Announcer, Bridge},
    cluster::{Follower, FollowerOptions, Heard, Hearing, Incoming, Outgoing},
    config::{self, Config},
    ecosystem::Ecosystem,
    ports::{Commit, FeedStore, Notice, Peers, PresenceNews, SharedLimit, TOLD_PER_SECOND},
    realtime::{engine::EngineId, namespace::Hub},
    services::{Delivery, Services},
    stores::redis::{
        PresenceOptions, Redis, RedisOpenError, RedisOptions, RedisPlaces, RedisPresence,
    },
};

/// The most entries and events of other nodes that wait to be delivered.
const MAX_HEARD: usize = 65_536;

/// How long a node that stops waits until the others have been told what it had to tell.
const FLUSH: Duration = Duration::from_secs(2);

/// The way to the other nodes, and what they tell.
pub struct ClusterLink {
    /// Redis.
    pub redis: Redis,
    /// What they are told.
    pub outgoing: Outgoing,
    /// Whether they are heard.
    pub hearing: Hearing,
    bridge: Bridge,
    /// Node's servers and emitters.
    pub ecosystem: Ecosystem,
    /// Limits that hold over all nodes, by name.
    limits: Mutex<Vec<(&'static str, Arc<dyn SharedLimit>)>>,
    /// Who is where in the cluster.
    pub presence: RedisPresence,
    /// Connections of users and addresses.
    pub places: RedisPlaces,
    news: End<mpsc::UnboundedReceiver<PresenceNews>>,
    /// What tells workers of presence.
    pub announcer: Arc<Announcer>,
    heard: (mpsc::Sender<Heard>, End<mpsc::Receiver<Heard>>),
    notices: (
        mpsc::UnboundedSender<Notice>,
        End<mpsc::UnboundedReceiver<Notice>>,
    ),
}

/// An end of a channel, which is taken once.
type End<T> = Mutex<Option<T>>;

impl ClusterLink {
    /// Where several nodes are configured: begins to connect.
    pub(super) fn open(config: &Config, hub: &Arc<Hub>) -> Result<Option<Self>, RedisOpenError> {
        let cluster = &config.cluster;
        if !cluster.is_on() {
            return Ok(None);
        }
        let redis = Redis::open(&RedisOptions {
            url: cluster.redis_url.expose().to_owned(),
            prefix: cluster.prefix.clone(),
            timeout: cluster.redis_timeout(),
        })?;
        let (heard, to_hear) = mpsc::channel(MAX_HEARD);
        let (notices, to_heed) = mpsc::unbounded_channel();
        let node = EngineId::generate().as_str().to_owned();
        let hearing = Hearing::default();
        let options = bridge_options(config, node.clone());
        let bridge = Bridge::new(redis.clone(), hearing.clone(), options);
        let options = ecosystem_options(config, node.clone());
        let outgoing = Outgoing::new(node.clone(), queue_limits(config));
        let peers = Arc::new(outgoing.clone());
        let ecosystem = Ecosystem::new(redis.clone(), hub.clone(), peers, options);
        let presence = PresenceOptions {
            node: node.clone(),
            lease: cluster.lease(),
            grace: config.presence.grace(),
        };
        let (presence, news) = RedisPresence::open(redis.clone(), presence);
        Ok(Some(Self {
            presence,
            places: RedisPlaces::new(redis.clone(), node, cluster.lease()),
            news: Mutex::new(Some(news)),
            announcer: Arc::default(),
            redis,
            bridge,
            ecosystem,
            limits: Mutex::default(),
            outgoing,
            hearing,
            heard: (heard, Mutex::new(Some(to_hear))),
            notices: (notices, Mutex::new(Some(to_heed))),
        }))
    }

    /// From now on what callers use up of this limit counts on all nodes.
    pub fn share(&self, name: &'static str, limit: Arc<dyn SharedLimit>) {
        self.limits.lock().push((name, limit));
    }

    /// Whether other nodes can be told, and are heard.
    pub fn is_up(&self) -> bool {
        self.presence.is_up() && !self.hearing.is_deaf()
    }

    /// Tells and hears, for ever.
    pub async fn run(&self, services: &Services) {
        let (deaf_since, to_read) = mpsc::unbounded_channel();
        let incoming = Incoming {
            deaf_since,
            outgoing: self.outgoing.clone(),
            hearing: self.hearing.clone(),
            heard: self.heard.0.clone(),
            notices: self.notices.0.clone(),
        };
        tokio::join!(
            self.outgoing.run(&self.redis),
            incoming.run(&self.redis),
            self.heed(services),
            async {
                self.presence.settled().await;
                self.resync(services, to_read).await;
            },
            self.tell_spent(),
            self.bridge.run(services),
            self.announcer.run(&self.redis),
            self.presence.run(),
            self.places.run(),
            self.tell_news(services),
        );
    }

    /// Hears emitters and Node's servers, and tells these, for ever. In a task of its own: what they
    /// ask for may take long, and this node's lease is renewed in the other.
    pub fn run_beside<'a>(&'a self, services: &'a Services) -> BoxFuture<'a, ()> {
        self.ecosystem.run(services)
    }

    /// Nothing is heard from here on; what others asked before is answered.
    pub async fn hear_no_more(&self) {
        self.redis.hear_no_more().await;
        self.ecosystem.flushed(FLUSH).await;
    }

    /// Tells what callers use up of the limits, for ever.
    async fn tell_spent(&self) {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / TOLD_PER_SECOND);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            for (name, limit) in &*self.limits.lock() {
                let by = limit.take_spent();
                if !by.is_empty() {
                    let limit = (*name).to_owned();
                    self.outgoing.tell(Notice::Spent { limit, by });
                }
            }
        }
    }

    fn spend(&self, name: &str, by: &[(String, u32)]) {
        for (_, limit) in self
            .limits
            .lock()
            .iter()
            .filter(|(known, _)| *known == name)
        {
            by.iter()
                .for_each(|(caller, count)| limit.spend(caller, *count));
        }
    }

    /// Tells what this node finds out of presence, for ever.
    async fn tell_news(&self, services: &Services) {
        let news = self.news.lock().take();
        if let Some(news) = news {
            services.chat.tell_news(news).await;
        }
    }

    /// Leaves what other nodes can take over at once. Devices count as there for the grace window:
    /// their clients are about to come back elsewhere.
    pub fn leave(&self) -> BoxFuture<'_, ()> {
        let leaving = async {
            self.bridge.release().await;
            self.presence.retire().await;
            tokio::join!(self.outgoing.flushed(FLUSH), self.ecosystem.flushed(FLUSH));
        };
        leaving.boxed()
    }
}

/// What live delivery in the order of positions needs.
pub(super) struct Live {
    pub feeds: Arc<dyn FeedStore>,
    pub delivery: Delivery,
    pub hub: Arc<Hub>,
    /// Of the newest entry: what comes after it is delivered.
    pub position: u64,
}

/// Delivers what any node commits, until the store has closed.
pub(super) fn follow(
    config: &config::Cluster,
    live: Live,
    cluster: Option<&ClusterLink>,
    committed: mpsc::UnboundedReceiver<Commit>,
) -> JoinHandle<()> {
    let heard = cluster.and_then(|cluster| cluster.heard.1.lock().take());
    let notices = cluster.map(|cluster| cluster.notices.0.clone());
    let others = cluster.map(|cluster| (cluster.outgoing.clone(), cluster.hearing.clone()));
    let follower = Follower {
        feeds: live.feeds,
        delivery: live.delivery,
        hub: live.hub,
        others,
        notices,
        servers: cluster.and_then(|cluster| cluster.ecosystem.emitter()),
        options: FollowerOptions {
            poll: config.poll(),
            gap: config.gap(),
        },
    };
    let heard = heard.unwrap_or_else(|| mpsc::channel(1).1);
    tokio::spawn(follower.run(committed, heard, live.position))
}
