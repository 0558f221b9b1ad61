//! Devices and statuses in Redis.

use async_trait::async_trait;
use fred::interfaces::HashesInterface;

use super::{
    super::{failed, mirror::Stale, scripts::SCRIPTS},
    RedisPresence,
};
use crate::{
    domain::{Presence, SocketId, Status, Timestamp, UserId},
    ports::{
        Arrival, ChangedUser, Departure, Known, PresenceStore, SeenUser, StoreError, StoreResult,
    },
};

/// The most users who are asked for at once.
const AT_ONCE: usize = 500;

#[async_trait]
impl PresenceStore for RedisPresence {
    async fn arrive(
        &self,
        user: &UserId,
        device: &SocketId,
        at: Timestamp,
    ) -> StoreResult<Arrival> {
        let instance = {
            let mut mirror = self.0.mirror.lock();
            mirror.arrive(user, device, at);
            mirror.note(Stale::Device(user.clone(), device.clone()))
        };
        let Some(instance) = instance else {
            return Ok(Arrival::WasThere);
        };
        let at = at.as_ms().to_string();
        let args = [user.as_str(), device.as_str(), &at];
        let Ok(reply) = self.write(&instance, &SCRIPTS.arrive, &args).await else {
            return Ok(Arrival::WasThere);
        };
        self.0.mirror.lock().told(user);
        Ok(match reply.as_slice() {
            [reply, version] if reply == "came online" => Arrival::CameOnline {
                version: number(version)?,
            },
            _ => Arrival::WasThere,
        })
    }

    async fn depart(
        &self,
        user: &UserId,
        device: &SocketId,
        at: Timestamp,
    ) -> StoreResult<Departure> {
        let instance = {
            let mut mirror = self.0.mirror.lock();
            mirror.depart(user, device);
            mirror.note(Stale::Device(user.clone(), device.clone()))
        };
        let Some(instance) = instance else {
            return Ok(Departure::StillThere);
        };
        let ms = at.as_ms().to_string();
        let args = [user.as_str(), device.as_str(), &ms];
        let Ok(reply) = self.write(&instance, &SCRIPTS.depart, &args).await else {
            return Ok(Departure::StillThere);
        };
        let [reply, stamp, version] = reply.as_slice() else {
            return Ok(Departure::StillThere);
        };
        debug_assert_eq!(reply, "offline");
        self.note(user, stamp.clone());
        Ok(Departure::WentOffline(Known {
            presence: Presence {
                status: Status::Offline,
                last_seen: Some(at),
                devices: 0,
            },
            version: number(version)?,
        }))
    }

    fn waver(&self, device: &SocketId) {
        self.0.mirror.lock().waver(device);
    }

    async fn set(
        &self,
        user: &UserId,
        status: Status,
        at: Timestamp,
    ) -> StoreResult<Option<Known>> {
        let instance = {
            let mut mirror = self.0.mirror.lock();
            match mirror.set(user, status, at) {
                Some(device) => mirror.note(Stale::Device(user.clone(), device)),
                None => mirror.instance(),
            }
        };
        let Some(instance) = instance else {
            return Ok(None);
        };
        let at = at.as_ms().to_string();
        let args = [user.as_str(), status.as_str(), &at];
        let Ok(reply) = self.write(&instance, &SCRIPTS.set, &args).await else {
            return Ok(None);
        };
        self.0.mirror.lock().status_told(user);
        match reply.as_slice() {
            [_, status, seen, devices, version] => Ok(Some(Known {
                presence: presence(status, seen, devices)?,
                version: number(version)?,
            })),
            _ => Ok(None),
        }
    }

    async fn is_vacant(&self) -> StoreResult<bool> {
        self.claim_restoring().await
    }

    async fn restore(&self, seen: Vec<SeenUser>, _now: Timestamp) -> StoreResult<()> {
        self.restore_all(seen).await
    }

    async fn changed_since(&self, version: u64, limit: usize) -> StoreResult<Vec<ChangedUser>> {
        let args = vec![version.to_string(), limit.to_string()];
        let ask = SCRIPTS.changed.run(&self.0.redis, args);
        match self.read(ask).await {
            Some(rows) => changes(&rows),
            // They come when Redis is back.
            None => Ok(Vec::new()),
        }
    }

    async fn get(&self, users: &[UserId]) -> StoreResult<Vec<Presence>> {
        let mut found = Vec::with_capacity(users.len());
        for some in users.chunks(AT_ONCE) {
            let args = some.iter().map(ToString::to_string).collect();
            let ask = SCRIPTS.get.run(&self.0.redis, args);
            if let Some(rows) = self.read(ask).await {
                let rows = rows.as_chunks::<4>().0.iter();
                for [status, seen, devices, _] in rows {
                    found.push(presence(status, seen, devices)?);
                }
            } else {
                let mirror = self.0.mirror.lock();
                found.extend(some.iter().map(|user| mirror.presence(user)));
            }
        }
        Ok(found)
    }

    async fn known(&self, user: &UserId) -> StoreResult<Known> {
        let ask = SCRIPTS.get.run(&self.0.redis, vec![user.to_string()]);
        let rows = self.read(ask).await;
        Ok(match rows.as_deref() {
            Some([status, seen, devices, version]) => Known {
                presence: presence(status, seen, devices)?,
                version: version.parse().unwrap_or(0),
            },
            _ => Known {
                presence: self.0.mirror.lock().presence(user),
                version: 0,
            },
        })
    }

    async fn owner(&self, device: &SocketId) -> StoreResult<Option<UserId>> {
        let (client, owners) = (self.0.redis.client(), self.0.redis.key("owners"));
        let ask = async {
            let owner = client.hget(owners, device.as_str()).await;
            owner.map_err(failed("hget"))
        };
        let owner: Option<Option<String>> = self.read(ask).await;
        Ok(match owner {
            Some(owner) => owner.and_then(|owner| UserId::new(owner).ok()),
            None => self.0.mirror.lock().owner(device),
        })
    }

    async fn unsaved(&self, limit: usize) -> StoreResult<Vec<ChangedUser>> {
        self.read_unsaved(limit).await
    }

    async fn saved(&self, version: u64) -> StoreResult<()> {
        let args = vec![version.to_string()];
        SCRIPTS.saved.run(&self.0.redis, args).await.map(|_| ())
    }
}

fn number(text: &str) -> StoreResult<u64> {
    text.parse().map_err(|_| StoreError)
}

/// Nothing but empty texts stands for a user who is not known.
fn presence(status: &str, seen: &str, devices: &str) -> StoreResult<Presence> {
    if status.is_empty() {
        return Ok(Presence::UNKNOWN);
    }
    Ok(Presence {
        status: Status::named(status).ok_or(StoreError)?,
        last_seen: Some(Timestamp::from_ms(seen.parse().map_err(|_| StoreError)?)),
        devices: devices.parse().map_err(|_| StoreError)?,
    })
}

pub(super) fn changes(rows: &[String]) -> StoreResult<Vec<ChangedUser>> {
    let rows = rows.as_chunks::<5>().0.iter();
    rows.map(|[user, version, status, seen, devices]| {
        Ok(ChangedUser {
            user: UserId::new(user.as_str()).map_err(|_| StoreError)?,
            presence: presence(status, seen, devices)?,
            version: number(version)?,
        })
    })
    .collect()
}
