//! Connections of users and addresses, counted over all nodes. Each node notes how many it has; what
//! a node that has gone had counts no more.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Redis, scripts::SCRIPTS};
use crate::ports::{Places, StoreError, Taken, Whose};

/// How many notes are written at once.
const AT_ONCE: usize = 500;

/// How often a note that could not be written is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// For how many seconds a note stays that nobody writes again.
const KEPT_S: u64 = 24 * 3_600;

/// How often all notes are written again.
const REWRITE_INTERVAL: Duration = Duration::from_secs(3_600);

/// Counted connections; clones share them.
#[derive(Clone)]
pub struct RedisPlaces(Arc<Shared>);

struct Shared {
    redis: Redis,
    node: String,
    lease: Duration,
    mine: Mutex<Mine>,
    changed: Notify,
}

/// What this node has, and what of it Redis does not know.
#[derive(Default)]
struct Mine {
    counts: HashMap<String, u32>,
    stale: HashSet<String>,
}

impl RedisPlaces {
    /// `lease`: for how long the node counts as there after it was last heard of.
    pub fn new(redis: Redis, node: String, lease: Duration) -> Self {
        Self(Arc::new(Shared {
            redis,
            node,
            lease,
            mine: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// Says that the node is there, and notes what has changed, for ever.
    pub async fn run(&self) {
        tokio::join!(self.live(), self.note_changes());
    }

    async fn live(&self) {
        let mut tick = tokio::time::interval(self.0.lease / 3);
        let mut written_at = Instant::now();
        loop {
            tick.tick().await;
            let lease = self.0.lease.as_millis().to_string();
            let args = vec![self.0.node.clone(), lease];
            let Ok(reply) = SCRIPTS.alive.run(&self.0.redis, args).await else {
                continue;
            };
            let is_new = reply.first().is_some_and(|reply| reply == "new");
            if is_new || written_at.elapsed() > REWRITE_INTERVAL {
                // Redis may have lost what it knew, or is about to forget it.
                written_at = Instant::now();
                let mut mine = self.0.mine.lock();
                let all: Vec<_> = mine.counts.keys().cloned().collect();
                mine.stale.extend(all);
                self.0.changed.notify_one();
            }
        }
    }

    async fn note_changes(&self) {
        loop {
            self.0.changed.notified().await;
            while let Some(some) = self.stale() {
                let mut args = vec![self.0.node.clone(), KEPT_S.to_string()];
                for (whose, count) in &some {
                    args.extend([whose.clone(), count.to_string()]);
                }
                if SCRIPTS.note_places.run(&self.0.redis, args).await.is_err() {
                    let again = some.into_iter().map(|(whose, _)| whose);
                    self.0.mine.lock().stale.extend(again);
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    fn stale(&self) -> Option<Vec<(String, u32)>> {
        let mut mine = self.0.mine.lock();
        let some: Vec<_> = mine.stale.iter().take(AT_ONCE).cloned().collect();
        let count = |whose: &String| mine.counts.get(whose).copied().unwrap_or(0);
        let noted: Vec<_> = some.iter().map(|one| (one.clone(), count(one))).collect();
        for one in &some {
            mine.stale.remove(one);
        }
        (!noted.is_empty()).then_some(noted)
    }
}

#[async_trait]
impl Places for RedisPlaces {
    async fn take(&self, whose: Whose<'_>, limit: usize) -> Option<Taken> {
        let whose = whose.to_string();
        let mine = {
            let mut mine = self.0.mine.lock();
            let count = mine.counts.entry(whose.clone()).or_default();
            *count += 1;
            *count - 1
        };
        // From here on it is given back where nothing comes of it.
        let place = Place {
            shared: self.0.clone(),
            whose: whose.clone(),
        };
        let args = [self.0.node.clone(), whose, limit.to_string()];
        let more = [mine.to_string(), KEPT_S.to_string()];
        let args = args.into_iter().chain(more).collect();
        let answer = match self.0.redis.is_connected() {
            true => SCRIPTS.take_place.run(&self.0.redis, args).await,
            // Nobody waits for what is not there.
            false => Err(StoreError),
        };
        match answer {
            Ok(reply) if reply.first().is_some_and(|reply| reply == "full") => None,
            Ok(_) => Some(Box::new(place)),
            Err(_) => {
                self.0.mine.lock().stale.insert(place.whose.clone());
                self.0.changed.notify_one();
                Some(Box::new(place))
            }
        }
    }
}

/// A place that is taken.
struct Place {
    shared: Arc<Shared>,
    whose: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut mine = self.shared.mine.lock();
        if let Some(count) = mine.counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                mine.counts.remove(&self.whose);
            }
        }
        mine.stale.insert(std::mem::take(&mut self.whose));
        drop(mine);
        self.shared.changed.notify_one();
    }
}
