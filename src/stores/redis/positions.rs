//! The last position of each driver in the cluster.

mod local;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fred::interfaces::HashesInterface;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{
        Mutex,
        broadcast::{Receiver, error::TryRecvError},
    },
    time::{Instant, sleep},
};

use self::local::Local;
use super::{Redis, failed, scripts::SCRIPTS};
use crate::{
    domain::{DriverId, Position, Timestamp},
    ports::{PositionStore, StoreError, StoreResult},
};

/// How often positions are looked for that have lapsed.
const POLL: Duration = Duration::from_millis(500);

/// How many are taken at once.
const AT_ONCE: usize = 200;

/// Positions in Redis; clones share them. Those that came to this node are kept here, too: they
/// are what it knows while Redis is away, and are copied when it is back.
#[derive(Clone)]
pub struct RedisPositions(Arc<Shared>);

struct Shared {
    redis: Redis,
    poll: Duration,
    local: Local,
    /// Whether the last command was answered.
    is_up: AtomicBool,
    reconnects: Mutex<Receiver<()>>,
}

/// A position as Redis keeps it.
#[derive(Serialize, Deserialize)]
struct Stored {
    lat: f64,
    lng: f64,
    timestamp: i64,
    heading: Option<f64>,
    speed: Option<f64>,
    accuracy: Option<f64>,
}

impl RedisPositions {
    /// Positions that Redis keeps for all nodes.
    pub fn open(redis: Redis) -> Self {
        Self::with_poll(redis, POLL)
    }

    /// The same, looking for those that have lapsed this often.
    pub fn with_poll(redis: Redis, poll: Duration) -> Self {
        let reconnects = Mutex::new(redis.made());
        Self(Arc::new(Shared {
            redis,
            reconnects,
            poll,
            local: Local::default(),
            is_up: AtomicBool::new(true),
        }))
    }

    fn is_up(&self) -> bool {
        self.0.is_up.load(Ordering::Relaxed) && self.0.redis.is_connected()
    }

    /// Whether that was answered; what came in the meantime is not in Redis where it was not.
    fn note<T>(&self, answer: StoreResult<T>) -> Option<T> {
        if answer.is_err() {
            self.0.is_up.store(false, Ordering::Relaxed);
        }
        answer.ok()
    }

    /// Whether Redis has the position now, or another that is newer; nothing when Redis is away.
    async fn write(
        &self,
        driver: &DriverId,
        position: &Position,
        fresh_for: Duration,
    ) -> Option<bool> {
        let args = vec![
            driver.to_string(),
            position.timestamp.as_ms().to_string(),
            fresh_for.as_millis().to_string(),
            to_json(position)?,
        ];
        let reply = SCRIPTS.put_position.run(&self.0.redis, args).await;
        let reply = self.note(reply)?;
        Some(reply.first().is_some_and(|reply| reply == "kept"))
    }

    /// Copies what Redis has not been given; whether it has all now.
    async fn copy(&self) -> bool {
        let shared = &self.0;
        if !shared.redis.is_connected() {
            return false;
        }
        loop {
            let is_all = shared.local.uncopied(AT_ONCE, || {
                shared.is_up.store(true, Ordering::Relaxed);
            });
            if is_all.is_empty() {
                return true;
            }
            for (driver, position, until) in is_all {
                let left = until.saturating_duration_since(Instant::now());
                if self.write(&driver, &position, left).await.is_none() {
                    return false;
                }
                shared.local.copied(&driver, &position);
            }
        }
    }

    async fn lapsed_in_redis(&self) -> Option<Vec<(DriverId, Position)>> {
        let args = vec![AT_ONCE.to_string()];
        let rows = SCRIPTS.lapsed.run(&self.0.redis, args).await;
        let rows = self.note(rows)?;
        let rows = rows.as_chunks::<2>().0.iter();
        let lapsed = rows.filter_map(|[driver, stored]| {
            let driver = DriverId::new(driver.as_str()).ok()?;
            Some((driver, read(stored).ok()?))
        });
        Some(lapsed.collect())
    }
}

#[async_trait]
impl PositionStore for RedisPositions {
    async fn put(
        &self,
        driver: &DriverId,
        position: Position,
        fresh_for: Duration,
    ) -> StoreResult<bool> {
        let until = Instant::now() + fresh_for;
        if self.is_up()
            && let Some(is_kept) = self.write(driver, &position, fresh_for).await
        {
            if is_kept {
                self.0.local.put(driver, position, until, true);
            }
            return Ok(is_kept);
        }
        self.0.is_up.store(false, Ordering::Relaxed);
        Ok(self.0.local.put(driver, position, until, false))
    }

    async fn get(&self, driver: &DriverId) -> StoreResult<Option<Position>> {
        if !self.is_up() {
            return Ok(self.0.local.get(driver));
        }
        let (client, positions) = (self.0.redis.client(), self.0.redis.key("positions"));
        let stored = client.hget(positions, driver.as_str()).await;
        let stored: StoreResult<Option<String>> = stored.map_err(failed("hget"));
        match self.note(stored) {
            Some(stored) => stored.as_deref().map(read).transpose(),
            None => Ok(self.0.local.get(driver)),
        }
    }

    async fn lapsed(&self) -> StoreResult<Vec<(DriverId, Position)>> {
        let mut reconnects = self.0.reconnects.lock().await;
        let quiet = [TryRecvError::Empty, TryRecvError::Closed];
        loop {
            if !reconnects
                .try_recv()
                .is_err_and(|error| quiet.contains(&error))
            {
                // Redis may have lost what it knew.
                self.0.is_up.store(false, Ordering::Relaxed);
                self.0.local.forget_copies();
            }
            let is_up = self.is_up() || self.copy().await;
            // Those that Redis has, it tells one of the nodes.
            let here = self.0.local.lapse(Instant::now());
            let lapsed = match is_up {
                true => self.lapsed_in_redis().await.unwrap_or_default(),
                false => here,
            };
            if !lapsed.is_empty() {
                return Ok(lapsed);
            }
            sleep(self.0.poll).await;
        }
    }
}

fn to_json(position: &Position) -> Option<String> {
    let stored = Stored {
        lat: position.lat,
        lng: position.lng,
        timestamp: position.timestamp.as_ms(),
        heading: position.heading,
        speed: position.speed,
        accuracy: position.accuracy,
    };
    serde_json::to_string(&stored).ok()
}

/// Reads a position with its time before it, as the script compares it.
fn read(stored: &str) -> StoreResult<Position> {
    let (_, json) = stored.split_once(' ').ok_or(StoreError)?;
    let stored: Stored = serde_json::from_str(json).map_err(|_| StoreError)?;
    Ok(Position {
        lat: stored.lat,
        lng: stored.lng,
        timestamp: Timestamp::from_ms(stored.timestamp),
        heading: stored.heading,
        speed: stored.speed,
        accuracy: stored.accuracy,
    })
}
