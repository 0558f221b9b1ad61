//! A node of a cluster, as far as presence knows it.

use std::{sync::Arc, time::Duration};

use roomcast::{
    domain::{Presence, Room, SocketId, Status, Timestamp},
    ports::{Arrival, Departure, Occupancy, PresenceNews, PresenceStore},
    stores::redis::{PresenceOptions, RedisPresence},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use crate::{
    backend::{room, user},
    redis_server::RedisServer,
};

/// For how long a node counts as alive.
pub const LEASE: Duration = Duration::from_millis(300);

/// For how long its devices stay when it has stopped.
pub const GRACE: Duration = Duration::from_millis(200);

/// How long a command may take.
pub const TIMEOUT: Duration = Duration::from_millis(300);

/// How long anything may take that must happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// After which everything has happened that is to happen.
pub const QUIET: Duration = Duration::from_millis(650);

pub struct Node {
    pub presence: RedisPresence,
    news: mpsc::UnboundedReceiver<PresenceNews>,
    run: JoinHandle<()>,
}

impl Node {
    /// A node that Redis knows.
    pub async fn start(server: &RedisServer, prefix: &str, name: &str) -> Self {
        let node = Self::lonely(server, prefix, name);
        let settled = timeout(PATIENCE, node.presence.settled()).await;
        settled.expect("Redis should know the node by now");
        node
    }

    /// A node, whether Redis is there or not.
    pub fn lonely(server: &RedisServer, prefix: &str, name: &str) -> Self {
        let redis = server.connect(prefix, TIMEOUT);
        let options = PresenceOptions {
            node: name.to_owned(),
            lease: LEASE,
            grace: GRACE,
        };
        let (presence, news) = RedisPresence::open(redis, options);
        let run = run(&presence);
        Self {
            presence,
            news,
            run,
        }
    }

    /// Stops doing anything, as a process that is killed or stopped.
    pub fn freeze(&self) {
        self.run.abort();
    }

    /// Goes on.
    pub fn thaw(&mut self) {
        self.run = run(&self.presence);
    }

    pub async fn arrives(&self, name: &str, device: &str) -> Arrival {
        let (user, device) = (user(name), SocketId::new(device).unwrap());
        let arrived = self.presence.arrive(&user, &device, Timestamp::now());
        arrived.await.unwrap()
    }

    pub async fn departs(&self, name: &str, device: &str) -> Departure {
        let (user, device) = (user(name), SocketId::new(device).unwrap());
        let departed = self.presence.depart(&user, &device, Timestamp::now());
        departed.await.unwrap()
    }

    /// The user's first device here has entered the lobby.
    pub async fn enters(&self, name: &str) -> bool {
        let (lobby, user, called) = (lobby(), user(name), name.to_uppercase());
        let entered = self.presence.entered(&lobby, &user, &called);
        entered.await.unwrap()
    }

    pub async fn sets(&self, name: &str, status: Status) -> Option<Presence> {
        let user = user(name);
        let set = self.presence.set(&user, status, Timestamp::now());
        set.await.unwrap().map(|known| known.presence)
    }

    pub async fn presence_of(&self, name: &str) -> Presence {
        self.presence.get(&[user(name)]).await.unwrap()[0]
    }

    pub async fn status_of(&self, name: &str) -> Status {
        self.presence_of(name).await.status
    }

    /// The next piece of news.
    pub async fn hears(&mut self) -> PresenceNews {
        let next = timeout(PATIENCE, self.news.recv()).await;
        next.expect("there should be news by now").unwrap()
    }

    /// All the news up to now.
    pub fn heard(&mut self) -> Vec<PresenceNews> {
        let mut heard = Vec::new();
        while let Ok(news) = self.news.try_recv() {
            heard.push(news);
        }
        heard
    }

    /// Waits until Redis knows the node under another name than this.
    pub async fn settles_after(&self, instance: Option<Arc<str>>) {
        let is_another = || self.presence.is_up() && self.presence.instance() != instance;
        self.waits_for("another instance", is_another).await;
    }

    pub async fn waits_for(&self, what: &str, is_there: impl Fn() -> bool) {
        let waiting = async {
            while !is_there() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("waited in vain for {what}"));
    }
}

pub fn lobby() -> Room {
    Room::chat(&room("lobby"))
}

fn run(presence: &RedisPresence) -> JoinHandle<()> {
    let presence = presence.clone();
    tokio::spawn(async move { Box::pin(presence.run()).await })
}

/// Whether the news are that the user has gone.
pub fn is_offline(news: &PresenceNews, name: &str) -> bool {
    matches!(news, PresenceNews::WentOffline { user: who, .. } if *who == user(name))
}
