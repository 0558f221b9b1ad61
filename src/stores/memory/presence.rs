//! Which devices of which users are there, and when the others were last seen.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    domain::{Presence, SocketId, Status, Timestamp, UserId},
    ports::{Arrival, Departure, PresenceStore, StoreResult},
    sparse,
};

/// How many users who have left are remembered; beyond it, who left first is forgotten.
const MAX_OFFLINE_USERS: usize = 100_000;

/// Presence by user; clones share it.
#[derive(Clone, Default)]
pub struct MemoryPresence(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    there: HashMap<UserId, There>,
    offline: Offline,
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

/// Users who have left, with the order in which they did.
#[derive(Default)]
struct Offline {
    users: HashMap<UserId, Left>,
    order: BTreeMap<u64, UserId>,
    next: u64,
}

struct Left {
    turn: u64,
    last_seen: Timestamp,
}

impl Offline {
    fn remember(&mut self, user: &UserId, last_seen: Timestamp) {
        self.forget(user);
        let turn = self.next;
        self.next += 1;
        self.users.insert(user.clone(), Left { turn, last_seen });
        self.order.insert(turn, user.clone());
        if self.users.len() > MAX_OFFLINE_USERS
            && let Some((_, first)) = self.order.pop_first()
        {
            self.users.remove(&first);
        }
    }

    fn forget(&mut self, user: &UserId) {
        if let Some(left) = self.users.remove(user) {
            self.order.remove(&left.turn);
        }
    }

    fn presence(&self, user: &UserId) -> Presence {
        Presence {
            last_seen: self.users.get(user).map(|left| left.last_seen),
            ..Presence::UNKNOWN
        }
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
        state.offline.forget(user);
        let there = There {
            devices: HashSet::from([device.clone()]),
            status: Status::Online,
            last_seen: at,
        };
        state.there.insert(user.clone(), there);
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
        if !there.devices.remove(device) {
            return Ok(Departure::StillThere);
        }
        if !there.devices.is_empty() {
            return Ok(Departure::StillThere);
        }
        state.there.remove(user);
        sparse::shrink(&mut state.there);
        state.offline.remember(user, at);
        Ok(Departure::WentOffline(state.offline.presence(user)))
    }

    async fn set(
        &self,
        user: &UserId,
        status: Status,
        at: Timestamp,
    ) -> StoreResult<Option<Presence>> {
        let mut state = self.0.lock();
        Ok(state.there.get_mut(user).map(|there| {
            there.status = status;
            there.last_seen = at;
            there.presence()
        }))
    }

    async fn get(&self, users: &[UserId]) -> StoreResult<Vec<Presence>> {
        let state = self.0.lock();
        Ok(users
            .iter()
            .map(|user| match state.there.get(user) {
                Some(there) => there.presence(),
                None => state.offline.presence(user),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_who_left_first_is_forgotten() {
        let mut offline = Offline::default();
        let user = |number: usize| UserId::new(format!("user {number}")).unwrap();
        let time = |number: usize| Timestamp::from_ms(i64::try_from(number).unwrap());
        offline.remember(&user(1), time(1));
        for number in 0..MAX_OFFLINE_USERS {
            offline.remember(&user(number), time(number));
        }
        assert_eq!(offline.presence(&user(0)).last_seen, Some(time(0)));
        offline.remember(&user(MAX_OFFLINE_USERS), time(MAX_OFFLINE_USERS));
        assert_eq!(offline.presence(&user(0)), Presence::UNKNOWN);
        assert_eq!(offline.presence(&user(1)).last_seen, Some(time(1)));
        assert_eq!(offline.users.len(), offline.order.len());
    }
}
