//! The node's lease: kept, lost, and taken anew with all that the node has.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::{self, error::TryRecvError},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use uuid::Uuid;

use super::{
    super::{mirror::Link, scripts::SCRIPTS},
    RedisPresence,
};
use crate::ports::{StoreError, StoreResult};

/// How many changes are registered at once.
const BATCH: usize = 500;

/// How long to wait before a registration that failed begins again.
const RETRY: Duration = Duration::from_millis(50);

/// How many times a lease is renewed while it lasts.
const RENEWALS: u32 = 3;

/// How long a node waits that was not heard of for longer than its lease, as one that was stopped:
/// first it finds out which of its devices have gone.
const AFTER_LAPSE: Duration = Duration::from_millis(750);

/// The most earlier instances that are remembered; the others' leases end by themselves.
const MAX_EARLIER: usize = 16;

impl RedisPresence {
    /// Gives the node's place up: its devices stay for the grace window, for their clients to come
    /// back to other nodes, and nothing is written any more.
    pub async fn retire(&self) {
        let instance = {
            let mut mirror = self.0.mirror.lock();
            let instance = mirror.instance();
            mirror.link = Link::Retired;
            instance
        };
        self.0.is_settled.send_replace(false);
        self.0.doubts.notify_one();
        let Some(instance) = instance else { return };
        let grace = self.0.options.grace.as_millis().to_string();
        let args = vec![instance.to_string(), grace];
        if let Err(error) = SCRIPTS.retire.run(&self.0.redis, args).await {
            tracing::warn!(%error, "the lease is not given up; it ends by itself");
        }
        self.flush_told().await;
    }

    /// Keeps the lease; where there is doubt about it, registers what the node has, for ever.
    pub(super) async fn keep_lease(&self) {
        let mut reconnects = self.0.redis.made();
        let mut earlier: Vec<Arc<str>> = self.instance().into_iter().collect();
        let mut kept_at = Instant::now();
        let mut tick = interval(self.0.options.lease / RENEWALS);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let link = self.0.mirror.lock().link.clone();
            match link {
                Link::Retired => return,
                Link::Settled(instance) => {
                    tokio::select! {
                        () = self.0.doubts.notified() => {}
                        _ = tick.tick() => if self.renew(&instance).await {
                            kept_at = Instant::now();
                        },
                        event = reconnects.recv() => match event {
                            // Redis may have lost what it knew.
                            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                                self.doubt(&instance);
                            }
                            Err(broadcast::error::RecvError::Closed) => return,
                        },
                    }
                }
                Link::Away | Link::Renewing => {
                    if !self.0.redis.is_connected() {
                        // Whether one came or time passed, we look again.
                        let _ = timeout(RETRY, reconnects.recv()).await;
                        continue;
                    }
                    // What is registered from now on is registered with the newest connection.
                    while !matches!(
                        reconnects.try_recv(),
                        Err(TryRecvError::Empty | TryRecvError::Closed)
                    ) {}
                    if kept_at.elapsed() > self.0.options.lease {
                        sleep(AFTER_LAPSE).await;
                        self.0.mirror.lock().forget_wavering();
                    }
                    if let Err(error) = self.register(&mut earlier).await {
                        tracing::debug!(%error, "the node could not be registered; trying again");
                        self.0.mirror.lock().lose();
                        sleep(RETRY).await;
                    }
                    kept_at = Instant::now();
                }
            }
        }
    }

    /// Whether that was done; where not, there is doubt.
    async fn renew(&self, instance: &Arc<str>) -> bool {
        let lease = self.0.options.lease.as_millis().to_string();
        let renewed = self.write(instance, &SCRIPTS.renew, &[&lease]).await;
        renewed.is_ok()
    }

    /// Takes a new instance and registers all that the node has, then gives up earlier ones.
    async fn register(&self, earlier: &mut Vec<Arc<str>>) -> StoreResult<()> {
        let (instance, run) = self.take(earlier).await?;
        let known = earlier.clone();
        earlier.push(instance.clone());
        if earlier.len() > MAX_EARLIER {
            earlier.remove(0);
        }
        loop {
            self.register_all(&instance).await?;
            // From now on what is left of the earlier ones is nobody's.
            let mut args = vec![instance.to_string()];
            args.extend(known.iter().map(ToString::to_string));
            check(&SCRIPTS.finish.run(&self.0.redis, args).await?)?;
            let mut mirror = self.0.mirror.lock();
            if mirror.link == Link::Retired {
                return Ok(());
            }
            if mirror.settle(&instance, &run) {
                break;
            }
        }
        *earlier = vec![instance.clone()];
        let may_be_vacant = &self.0.may_be_vacant;
        may_be_vacant.store(true, std::sync::atomic::Ordering::Relaxed);
        self.0.is_settled.send_replace(true);
        self.0.deaths.notify_one();
        tracing::info!(%instance, "registered with Redis");
        Ok(())
    }

    async fn take(&self, earlier: &[Arc<str>]) -> StoreResult<(Arc<str>, String)> {
        let options = &self.0.options;
        let mut args = vec![
            options.node.clone(),
            options.lease.as_millis().to_string(),
            Uuid::now_v7().to_string(),
        ];
        args.extend(earlier.iter().map(ToString::to_string));
        let taken = SCRIPTS.take.run(&self.0.redis, args).await?;
        let [instance, run] = taken.as_slice() else {
            return Err(StoreError);
        };
        let mut mirror = self.0.mirror.lock();
        if mirror.link == Link::Retired {
            return Err(StoreError);
        }
        mirror.begin(run);
        Ok((instance.as_str().into(), run.clone()))
    }

    async fn register_all(&self, instance: &Arc<str>) -> StoreResult<()> {
        let node = format!("{}.", self.0.options.node);
        loop {
            let batch = self.0.mirror.lock().batch(BATCH);
            if batch.changes.is_empty() {
                return Ok(());
            }
            let changes = serde_json::to_string(&batch.changes).map_err(|_| StoreError)?;
            let args = vec![instance.to_string(), node.clone(), changes];
            let reply = SCRIPTS.register.run(&self.0.redis, args).await;
            match reply.and_then(|reply| check(&reply).map(|()| reply)) {
                Ok(reply) => self.tell(reply.get(1..).unwrap_or_default()),
                Err(error) => {
                    self.0.mirror.lock().take_back(batch);
                    return Err(error);
                }
            }
        }
    }
}

/// Whether the lease was held.
fn check(reply: &[String]) -> StoreResult<()> {
    match reply.first() {
        Some(first) if first != "lost" => Ok(()),
        _ => Err(StoreError),
    }
}
