//! Which devices of which users are there, and when the others were last seen.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    domain::{Presence, SocketId, Status, Timestamp, UserId},
    ports::{
        Arrival, ChangedUser, Departure, PresenceStore, SeenUser, StoreResult, VERSIONS_PER_MS,
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
    version: u64,
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

/// Users, with the order in which they have changed.
struct Users<T> {
    by_id: HashMap<UserId, (u64, T)>,
    by_version: BTreeMap<u64, UserId>,
}

impl<T> Default for Users<T> {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            by_version: BTreeMap::new(),
        }
    }
}

impl<T> Users<T> {
    fn put(&mut self, user: &UserId, value: T, version: u64) {
        let earlier = self.by_id.insert(user.clone(), (version, value));
        if let Some((earlier, _)) = earlier {
            self.by_version.remove(&earlier);
        }
        self.by_version.insert(version, user.clone());
    }

    fn remove(&mut self, user: &UserId) -> Option<T> {
        let (version, value) = self.by_id.remove(user)?;
        self.by_version.remove(&version);
        sparse::shrink(&mut self.by_id);
        Some(value)
    }

    fn get(&self, user: &UserId) -> Option<&T> {
        self.by_id.get(user).map(|(_, value)| value)
    }

    fn get_mut(&mut self, user: &UserId) -> Option<&mut T> {
        self.by_id.get_mut(user).map(|(_, value)| value)
    }

    /// Forgets who has changed first, where there are more than so many.
    fn limit(&mut self, most: usize) {
        if self.by_id.len() > most
            && let Some((_, first)) = self.by_version.pop_first()
        {
            self.by_id.remove(&first);
        }
    }
}

impl State {
    /// A version of its own for each change; it tells the time of the change, too.
    fn change(&mut self, at: Timestamp) -> u64 {
        let at = u64::try_from(at.as_ms()).unwrap_or(0) * VERSIONS_PER_MS;
        self.version = at.max(self.version + 1);
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

    fn leave(&mut self, user: &UserId, at: Timestamp) {
        let version = self.change(at);
        self.there.remove(user);
        self.offline.put(user, at, version);
        self.offline.limit(MAX_OFFLINE_USERS);
    }
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
        Ok(Arrival::CameOnline)
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
        if !there.devices.remove(device) || !there.devices.is_empty() {
            return Ok(Departure::StillThere);
        }
        state.leave(user, at);
        Ok(Departure::WentOffline(state.presence(user)))
    }

    async fn set(
        &self,
        user: &UserId,
        status: Status,
        at: Timestamp,
    ) -> StoreResult<Option<Presence>> {
        let mut state = self.0.lock();
        let Some(mut there) = state.there.remove(user) else {
            return Ok(None);
        };
        there.status = status;
        there.last_seen = at;
        let (version, presence) = (state.change(at), there.presence());
        state.there.put(user, there, version);
        Ok(Some(presence))
    }

    async fn restore(&self, seen: Vec<SeenUser>, now: Timestamp) -> StoreResult<()> {
        let mut state = self.0.lock();
        let (gone, earlier): (Vec<_>, Vec<_>) = seen.into_iter().partition(|one| one.there);
        for one in &earlier {
            state.leave(&one.user, one.last_seen);
        }
        for one in &gone {
            state.leave(&one.user, now);
        }
        Ok(())
    }

    async fn changed_since(&self, version: u64, limit: usize) -> StoreResult<Vec<ChangedUser>> {
        let state = self.0.lock();
        // A version that lies ahead of the clock has never been given.
        let now = Timestamp::now().plus(Duration::from_millis(1)).as_ms();
        let now = u64::try_from(now).unwrap_or(0) * VERSIONS_PER_MS;
        let version = if version > state.version.max(now) {
            0
        } else {
            version
        };
        let range = (Bound::Excluded(version), Bound::Unbounded);
        // Each gives at most so many, and the first of both are wanted.
        let there = state.there.by_version.range(range).take(limit);
        let offline = state.offline.by_version.range(range).take(limit);
        let mut both: Vec<_> = there.chain(offline).collect();
        both.sort_unstable_by_key(|(version, _)| **version);
        let changed = both
            .into_iter()
            .take(limit)
            .map(|(version, user)| ChangedUser {
                user: user.clone(),
                presence: state.presence(user),
                version: *version,
            });
        Ok(changed.collect())
    }

    async fn get(&self, users: &[UserId]) -> StoreResult<Vec<Presence>> {
        let state = self.0.lock();
        Ok(users.iter().map(|user| state.presence(user)).collect())
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
