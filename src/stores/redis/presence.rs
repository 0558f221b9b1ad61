//! Who is where in the cluster: devices, statuses and rooms in Redis, under each node's lease.
//!
//! A node writes as an *instance*, a new one whenever it is in doubt about what Redis knows of it:
//! its lease may have ended, a command failed, the connection was another one, Redis has lost all.
//! Then it registers all it has once more ([`Mirror`]), and only after that its earlier instances
//! are as good as dead. What an instance has that is dead, any node takes, a little at a time, so
//! that one node finds, and tells, that a user has gone.

mod lease;
mod occupancy;
mod reaper;
mod restore;
mod store;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, watch};

use super::{
    Redis,
    mirror::{Link, Mirror},
    scripts::Script,
};
use crate::{
    domain::{Room, Timestamp, UserId},
    ports::{PresenceNews, StoreResult},
};

/// Who the node is, and for how long it counts.
#[derive(Clone, Debug)]
pub struct PresenceOptions {
    /// The node's name.
    pub node: String,
    /// For how long the node counts as alive after it was last heard of.
    pub lease: Duration,
    /// For how long its devices count as there after it has stopped.
    pub grace: Duration,
}

/// Presence and occupancy in Redis; clones share them. While Redis is away they are what the node
/// itself knows, and never fail.
#[derive(Clone)]
pub struct RedisPresence(Arc<Shared>);

struct Shared {
    redis: Redis,
    options: PresenceOptions,
    mirror: Mutex<Mirror>,
    /// Wakes who registers what the node has.
    doubts: Notify,
    /// Wakes the reaper.
    deaths: Notify,
    is_settled: watch::Sender<bool>,
    news: mpsc::UnboundedSender<PresenceNews>,
    /// Users of whom it is told that they are offline, as the outbox says.
    told: Mutex<Vec<(UserId, String)>>,
    /// Whether Redis may have to be filled with what the durable store knows.
    may_be_vacant: AtomicBool,
}

/// Why a change was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unwritten {
    /// The instance has lost its lease: Redis is there, and what is missing follows.
    Lost,
    /// Redis is away.
    Failed,
}

impl RedisPresence {
    /// Presence as this node sees it, and what it finds out. Nothing is written before
    /// [`RedisPresence::run`] does its work.
    pub fn open(
        redis: Redis,
        mut options: PresenceOptions,
    ) -> (Self, mpsc::UnboundedReceiver<PresenceNews>) {
        // Control characters separate names in Redis.
        options.node = options.node.replace(char::is_control, "-");
        let (news, heard) = mpsc::unbounded_channel();
        let shared = Shared {
            redis,
            options,
            mirror: Mutex::new(Mirror::new()),
            doubts: Notify::new(),
            deaths: Notify::new(),
            is_settled: watch::Sender::new(false),
            news,
            told: Mutex::default(),
            may_be_vacant: AtomicBool::new(true),
        };
        (Self(Arc::new(shared)), heard)
    }

    /// Keeps the node's lease, and takes what dead nodes had, for ever.
    pub async fn run(&self) {
        tokio::join!(self.keep_lease(), self.reap_for_ever(), self.note_told());
    }

    /// The instance as which the node writes; none while it cannot.
    pub fn instance(&self) -> Option<Arc<str>> {
        self.0.mirror.lock().instance()
    }

    /// Whether Redis is connected, answers in time, and knows what this node has.
    pub fn is_up(&self) -> bool {
        self.0.redis.is_up() && self.instance().is_some()
    }

    /// Waits until Redis knows what this node has.
    pub async fn settled(&self) {
        let mut is_settled = self.0.is_settled.subscribe();
        // It cannot be closed while we are here.
        let _ = is_settled.wait_for(|is_settled| *is_settled).await;
    }

    /// The instance, where there is a connection.
    fn usable(&self) -> Option<Arc<str>> {
        let instance = self.instance()?;
        if self.0.redis.is_connected() {
            return Some(instance);
        }
        self.doubt(&instance);
        None
    }

    /// Writes a change as the instance.
    async fn write(
        &self,
        instance: &Arc<str>,
        script: &Script,
        args: &[&str],
    ) -> Result<Vec<String>, Unwritten> {
        let args = std::iter::once(&**instance).chain(args.iter().copied());
        let args = args.map(str::to_owned).collect();
        let written = match self.0.redis.is_connected() {
            true => script.run(&self.0.redis, args).await.ok(),
            false => None,
        };
        let failed = match written {
            Some(reply) if reply.first().is_some_and(|first| first == "lost") => Unwritten::Lost,
            Some(reply) => return Ok(reply),
            None => Unwritten::Failed,
        };
        self.doubt(instance);
        Err(failed)
    }

    /// Asks Redis, where it is known to answer.
    async fn read<T>(&self, ask: impl Future<Output = StoreResult<T>> + Send) -> Option<T> {
        let instance = self.usable()?;
        let answer = ask.await.ok();
        if answer.is_none() {
            self.doubt(&instance);
        }
        answer
    }

    /// What Redis knows of the instance is in doubt. A later instance is not.
    fn doubt(&self, instance: &Arc<str>) {
        let mut mirror = self.0.mirror.lock();
        if mirror.link == Link::Settled(instance.clone()) {
            mirror.lose();
            drop(mirror);
            tracing::warn!("what Redis knows of this node is in doubt; registering it again");
            self.0.is_settled.send_replace(false);
            self.0.doubts.notify_one();
        }
    }

    /// Hands on what scripts have found.
    fn tell(&self, rows: &[String]) {
        for row in rows {
            let news = serde_json::from_str::<Vec<Value>>(row).ok();
            let Some(news) = news.and_then(|row| self.news(&row)) else {
                tracing::error!("what a script found cannot be read");
                continue;
            };
            // Nobody hears it where nobody wants to.
            let _ = self.0.news.send(news);
        }
    }

    fn news(&self, row: &[Value]) -> Option<PresenceNews> {
        let part = |index: usize| row.get(index).and_then(Value::as_str);
        let user = |index| UserId::new(part(index)?).ok();
        Some(match part(0)? {
            "online" => PresenceNews::CameOnline(user(1)?),
            "changed" => PresenceNews::Changed(user(1)?),
            "offline" => {
                let user = user(1)?;
                self.note(&user, part(3)?.to_owned());
                let rooms = row.iter().skip(4).filter_map(Value::as_str);
                PresenceNews::WentOffline {
                    user,
                    last_seen: Timestamp::from_ms(part(2)?.parse().ok()?),
                    rooms: rooms.map(Room::named).collect(),
                }
            }
            kind @ ("entered" | "left") => {
                let (room, user, name) = (Room::named(part(1)?), user(2)?, part(3)?.into());
                match kind {
                    "entered" => PresenceNews::EnteredRoom { room, user, name },
                    _ => PresenceNews::LeftRoom { room, user, name },
                }
            }
            _ => return None,
        })
    }
}
