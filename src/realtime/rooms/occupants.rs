//! Who is in one room. Most rooms are small: every socket has one of its own, and nearly every user.

use std::{collections::HashMap, sync::Arc};

use smallvec::SmallVec;

use crate::{
    domain::UserId,
    ports::{Joined, Left},
    realtime::Session,
    sparse::{self, is_sparse},
};

/// In a room of up to so many members a user's are found by looking at all of them, which takes less
/// than a table of their numbers.
const FEW: usize = 8;

/// The members of a room.
#[derive(Default)]
pub struct Occupants {
    members: SmallVec<[Arc<Session>; 1]>,
    /// How many of many members are each user's.
    #[allow(clippy::box_collection)] // Few rooms have it, and each has room for this.
    devices: Option<Box<HashMap<UserId, usize>>>,
}

impl Occupants {
    /// All of them.
    pub fn members(&self) -> &[Arc<Session>] {
        &self.members
    }

    /// The users among them, each once, in no order.
    pub fn users(&self) -> Vec<UserId> {
        if let Some(devices) = &self.devices {
            return devices.keys().cloned().collect();
        }
        let users = self.members.iter().filter_map(|member| member.user_id());
        let mut users: Vec<_> = users.cloned().collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Whether one of them is the user's.
    pub fn has(&self, user: &UserId) -> bool {
        match &self.devices {
            Some(devices) => devices.contains_key(user),
            None => self.members.iter().any(|m| m.user_id() == Some(user)),
        }
    }

    /// Adds one; its place, and what that means for its user.
    pub fn add(&mut self, session: &Arc<Session>) -> (usize, Joined) {
        let user = session.user_id();
        let joined = match user {
            Some(user) if !self.has(user) => Joined::FirstDevice,
            Some(_) | None => Joined::AnotherDevice,
        };
        let place = self.members.len();
        self.members.push(session.clone());
        if self.devices.is_none() && self.members.len() > FEW {
            self.devices = Some(Box::new(self.count()));
        } else if let (Some(devices), Some(user)) = (&mut self.devices, user) {
            *devices.entry(user.clone()).or_default() += 1;
        }
        (place, joined)
    }

    /// Takes one from its place, which is the last one's from then on.
    pub fn remove(&mut self, place: usize) -> Left {
        let session = self.members.swap_remove(place);
        let user = session.user_id();
        if let (Some(devices), Some(user)) = (&mut self.devices, user)
            && let Some(count) = devices.get_mut(user)
        {
            *count -= 1;
            if *count == 0 {
                devices.remove(user);
            }
        }
        self.shrink();
        match user {
            Some(user) if !self.has(user) => Left::LastDevice,
            Some(_) | None => Left::AnotherDevice,
        }
    }

    fn count(&self) -> HashMap<UserId, usize> {
        let mut devices = HashMap::new();
        for user in self.members.iter().filter_map(|member| member.user_id()) {
            *devices.entry(user.clone()).or_default() += 1;
        }
        devices
    }

    /// Gives back what a crowd needed. Where somebody comes and goes no table does.
    fn shrink(&mut self) {
        if is_sparse(self.members.len(), self.members.capacity()) {
            self.members.shrink_to_fit();
        }
        if self.members.len() <= FEW / 2 {
            self.devices = None;
        } else if let Some(devices) = &mut self.devices {
            sparse::shrink(devices);
        }
    }
}
