//! The node's own users in rooms.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    domain::{Room, UserId},
    sparse,
};

/// A user in a room.
struct Pair {
    name: Arc<str>,
    /// Whether the others in the cluster have heard of it.
    is_told: bool,
}

/// Users by room, and rooms by user.
#[derive(Default)]
pub(in crate::stores::redis) struct Rooms {
    users: HashMap<Room, HashMap<UserId, Pair>>,
    rooms: HashMap<UserId, HashSet<Room>>,
}

impl Rooms {
    /// Whether that is new.
    pub(in crate::stores::redis) fn enter(
        &mut self,
        room: &Room,
        user: &UserId,
        name: &str,
    ) -> bool {
        let users = self.users.entry(room.clone()).or_default();
        if users.contains_key(user) {
            return false;
        }
        let (name, is_told) = (name.into(), false);
        users.insert(user.clone(), Pair { name, is_told });
        let rooms = self.rooms.entry(user.clone()).or_default();
        rooms.insert(room.clone());
        true
    }

    /// Whether the user was there.
    pub(in crate::stores::redis) fn leave(&mut self, room: &Room, user: &UserId) -> bool {
        let Some(users) = self.users.get_mut(room) else {
            return false;
        };
        let was_in = users.remove(user).is_some();
        if users.is_empty() {
            self.users.remove(room);
            sparse::shrink(&mut self.users);
        }
        if let Some(rooms) = self.rooms.get_mut(user) {
            rooms.remove(room);
            if rooms.is_empty() {
                self.rooms.remove(user);
                sparse::shrink(&mut self.rooms);
            }
        }
        was_in
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (Room, UserId)> {
        self.users.iter().flat_map(|(room, users)| {
            let users = users.keys();
            users.map(|user| (room.clone(), user.clone()))
        })
    }

    /// The others hear of it now; the user's name, and whether they had heard.
    pub(in crate::stores::redis) fn tell(
        &mut self,
        room: &Room,
        user: &UserId,
    ) -> Option<(Arc<str>, bool)> {
        let pair = self.users.get_mut(room)?.get_mut(user)?;
        Some((
            pair.name.clone(),
            std::mem::replace(&mut pair.is_told, true),
        ))
    }

    /// The others may not have heard of it.
    pub(super) fn untell_one(&mut self, room: &Room, user: &UserId) {
        let users = self.users.get_mut(room);
        if let Some(pair) = users.and_then(|users| users.get_mut(user)) {
            pair.is_told = false;
        }
    }

    /// The others may have heard that they have all gone.
    pub(super) fn untell(&mut self) {
        for pair in self.users.values_mut().flat_map(HashMap::values_mut) {
            pair.is_told = false;
        }
    }

    /// Sorted.
    pub(in crate::stores::redis) fn users_in(&self, room: &Room) -> Vec<UserId> {
        let users = self.users.get(room).into_iter().flat_map(HashMap::keys);
        let mut users: Vec<_> = users.cloned().collect();
        users.sort();
        users
    }

    /// Sorted.
    pub(in crate::stores::redis) fn rooms_of(&self, user: &UserId) -> Vec<Room> {
        let mut rooms: Vec<_> = self
            .rooms
            .get(user)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        rooms.sort();
        rooms
    }
}
