//! Which devices of which users are there, and when the others were last seen.

use std::{
    collections::{HashMap, HashSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;

use super::users::Users;
use crate::{
    domain::{Presence, SocketId, Status, Timestamp, UserId},
    ports::{
        Arrival, ChangedUser, Departure, Known, PresenceStore, SeenUser, StoreResult,
        VERSIONS_PER_MS,
    },
    sparse,
};

/// How many users who have left are remembered; beyond it, who left first is forgotten.
const MAX_OFFLINE_USERS: usize = 100_000;

/// Presence by user; clones share it.
#[derive(Clone, Default)]
pub struct MemoryPresence(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    there: Users<There>,
    offline: Users<Timestamp>,
    /// The users of devices.
    owners: HashMap<SocketId, UserId>,
    version: u64,
    /// The newest change that is saved.
    saved: u64,
    /// Whether somebody has been told to restore what an earlier run knew.
    is_restored: bool,
}

/// A user with at least one device.
struct There {
    devices: HashSet<SocketId>,
    status: Status,
    last_seen: Timestamp,
}

impl There {
    fn presence(&self) -> Presence {
        Presence {
            status: self.status,
            last_seen: Some(self.last_seen),
            devices: self.devices.len(),
        }
    }
}

impl State {
    /// A version of its own for each change; it tells the time of the change, too.
    fn change(&mut self, at: Timestamp) -> u64 {
        self.version = versions_at(at).max(self.version + 1);
        self.version
    }

    fn presence(&self, user: &UserId) -> Presence {
        match self.there.get(user) {
            Some(there) => there.presence(),
            None => Presence {
                last_seen: self.offline.get(user).copied(),
                ..Presence::UNKNOWN
            },
        }
    }

    fn known(&self, user: &UserId) -> Known {
        let there = self.there.by_id.get(user).map(|(version, _)| *version);
        let offline = self.offline.by_id.get(user).map(|(version, _)| *version);
        Known {
            presence: self.presence(user),
            version: there.or(offline).unwrap_or(0),
        }
    }

    fn leave(&mut self, user: &UserId, at: Timestamp) {
        let version = self.change(at);
        self.there.remove(user);
        self.offline.put(user, at, version);
        self.offline.limit(MAX_OFFLINE_USERS);
    }

    fn changed_since(&self, version: u64, limit: usize) -> Vec<ChangedUser> {
        let range = (Bound::Excluded(version), Bound::Unbounded);
        // Each gives at most so many, and the first of both are wanted.
        let there = self.there.by_version.range(range).take(limit);
        let offline = self.offline.by_version.range(range).take(limit);
        let mut both: Vec<_> = there.chain(offline).collect();
        both.sort_unstable_by_key(|(version, _)| **version);
        let changed = both
            .into_iter()
            .take(limit)
            .map(|(version, user)| ChangedUser {
                user: user.clone(),
                presence: self.presence(user),
                version: *version,
            });
        changed.collect()
    }
}

/// What the versions of this time are greater than.
fn versions_at(time: Timestamp) -> u64 {
    u64::try_from(time.as_ms()).unwrap_or(0) * VERSIONS_PER_MS
}

#[async_trait]
impl PresenceStore for MemoryPresence {
    async fn arrive(
        &self,
        user: &UserId,
        device: &SocketId,
        at: Timestamp,
    ) -> StoreResult<Arrival> {
        let mut state = self.0.lock();
        state.owners.insert(device.clone(), user.clone());
        if let Some(there) = state.there.get_mut(user) {
            there.devices.insert(device.clone());
            there.last_seen = at;
            return Ok(Arrival::WasThere);
        }
        state.offline.remove(user);
        let there = There {
            devices: HashSet::from([device.clone()]),
            status: Status::Online,
            last_seen: at,
        };
        let version = state.change(at);
        state.there.put(user, there, version);
        Ok(Arrival::CameOnline { version })
    }

    async fn depart(
        &self,
        user: &UserId,
        device: &SocketId,
        at: Timestamp,
    ) -> StoreResult<Departure> {
        let mut state = self.0.lock();
        let Some(there) = state.there.get_mut(user) else {
            return Ok(Departure::StillThere);
        };
        if !there.devices.remove(device) {
            return Ok(Departure::StillThere);
        }
        let is_last = there.devices.is_empty();
        state.owners.remove(device);
        sparse::shrink(&mut state.owners);
        if !is_last {
            return Ok(Departure::StillThere);
        }
        state.leave(user, at);
        Ok(Departure::WentOffline(state.known(user)))
    }

    async fn set(
        &self,
        user: &UserId,
        status: Status,
        at: Timestamp,
    ) -> StoreResult<Option<Known>> {
        let mut state = self.0.lock();
        let Some(mut there) = state.there.remove(user) else {
            return Ok(None);
        };
        there.status = status;
        there.last_seen = at;
        let (version, presence) = (state.change(at), there.presence());
        state.there.put(user, there, version);
        Ok(Some(Known { presence, version }))
    }

    async fn is_vacant(&self) -> StoreResult<bool> {
        Ok(!std::mem::replace(&mut self.0.lock().is_restored, true))
    }

    async fn restore(&self, seen: Vec<SeenUser>, now: Timestamp) -> StoreResult<()> {
        let mut state = self.0.lock();
        let (gone, earlier): (Vec<_>, Vec<_>) = seen.into_iter().partition(|one| one.there);
        for one in &earlier {
            state.leave(&one.user, one.last_seen);
        }
        // Who has gone with the earlier run is news; the others are saved as they are.
        state.saved = versions_at(now).saturating_sub(1);
        for one in &gone {
            state.leave(&one.user, now);
        }
        Ok(())
    }

    async fn changed_since(&self, version: u64, limit: usize) -> StoreResult<Vec<ChangedUser>> {
        let state = self.0.lock();
        // A version that lies ahead of the clock has never been given.
        let now = versions_at(Timestamp::now().plus(Duration::from_millis(1)));
        let is_given = version <= state.version.max(now);
        Ok(state.changed_since(if is_given { version } else { 0 }, limit))
    }

    async fn known(&self, user: &UserId) -> StoreResult<Known> {
        Ok(self.0.lock().known(user))
    }

    async fn get(&self, users: &[UserId]) -> StoreResult<Vec<Presence>> {
        let state = self.0.lock();
        Ok(users.iter().map(|user| state.presence(user)).collect())
    }

    async fn owner(&self, device: &SocketId) -> StoreResult<Option<UserId>> {
        Ok(self.0.lock().owners.get(device).cloned())
    }

    async fn unsaved(&self, limit: usize) -> StoreResult<Vec<ChangedUser>> {
        let state = self.0.lock();
        Ok(state.changed_since(state.saved, limit))
    }

    async fn saved(&self, version: u64) -> StoreResult<()> {
        let mut state = self.0.lock();
        state.saved = state.saved.max(version);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_who_left_first_is_forgotten() {
        let mut state = State::default();
        let user = |number: usize| UserId::new(format!("user {number}")).unwrap();
        let time = |number: usize| Timestamp::from_ms(i64::try_from(number).unwrap());
        state.leave(&user(1), time(1));
        for number in 0..MAX_OFFLINE_USERS {
            state.leave(&user(number), time(number));
        }
        assert_eq!(state.presence(&user(0)).last_seen, Some(time(0)));
        state.leave(&user(MAX_OFFLINE_USERS), time(MAX_OFFLINE_USERS));
        assert_eq!(state.presence(&user(0)), Presence::UNKNOWN);
        assert_eq!(state.presence(&user(1)).last_seen, Some(time(1)));
        let offline = &state.offline;
        assert_eq!(offline.by_id.len(), offline.by_version.len());
    }
}
