//! Which sockets are connected, whose they are, and which rooms they are in.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;

use super::Session;
use crate::{
    domain::{Room, SocketId, UserId},
    error::{Code, Error, Result},
    ports::{Joined, Left},
};

/// The index of one namespace.
#[derive(Default)]
pub struct Rooms {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sockets: HashMap<SocketId, Member>,
    rooms: HashMap<Room, Occupants>,
    users: HashMap<UserId, HashSet<SocketId>>,
}

struct Member {
    session: Arc<Session>,
    rooms: HashSet<Room>,
}

#[derive(Default)]
struct Occupants {
    sockets: HashSet<SocketId>,
    devices: HashMap<UserId, usize>,
}

impl Rooms {
    /// Adds a connected socket.
    pub fn insert(&self, session: Arc<Session>) {
        let mut inner = self.inner.lock();
        let id = session.id().clone();
        if let Some(user) = session.user_id() {
            let devices = inner.users.entry(user.clone()).or_default();
            devices.insert(id.clone());
        }
        let rooms = HashSet::new();
        inner.sockets.insert(id, Member { session, rooms });
    }

    /// Removes a socket, from its rooms too. A later one with the same id stays.
    pub fn remove(&self, session: &Arc<Session>) {
        let mut inner = self.inner.lock();
        let id = session.id();
        let is_it = |member: &Member| Arc::ptr_eq(&member.session, session);
        if !inner.sockets.get(id).is_some_and(is_it) {
            return;
        }
        let Some(member) = inner.sockets.remove(id) else {
            return;
        };
        for room in &member.rooms {
            inner.take_out(&member.session, room);
        }
        if let Some(user) = member.session.user_id()
            && let Some(devices) = inner.users.get_mut(user)
        {
            devices.remove(id);
            if devices.is_empty() {
                inner.users.remove(user);
            }
        }
    }

    /// Puts a socket into a room, up to `max` rooms, and runs `enter` under the same lock, so that
    /// nobody sees the one without the other.
    pub fn join(
        &self,
        id: &SocketId,
        room: &Room,
        max: usize,
        enter: impl FnOnce(),
    ) -> Result<Joined> {
        let mut inner = self.inner.lock();
        let Some(member) = inner.sockets.get_mut(id) else {
            return Err(Error::not_found("The socket has disconnected"));
        };
        if member.rooms.contains(room) {
            return Ok(Joined::Already);
        }
        if max > 0 && member.rooms.len() >= max {
            return Err(Error::new(Code::TooManyRooms, "Too many rooms joined"));
        }
        member.rooms.insert(room.clone());
        let session = member.session.clone();
        enter();
        let occupants = inner.rooms.entry(room.clone()).or_default();
        occupants.sockets.insert(id.clone());
        let Some(user) = session.user_id() else {
            return Ok(Joined::AnotherDevice);
        };
        let devices = occupants.devices.entry(user.clone()).or_default();
        *devices += 1;
        Ok(match devices {
            1 => Joined::FirstDevice,
            _ => Joined::AnotherDevice,
        })
    }

    /// Takes a socket out of a room and runs `exit` under the same lock.
    pub fn leave(&self, id: &SocketId, room: &Room, exit: impl FnOnce()) -> Left {
        let mut inner = self.inner.lock();
        let Some(member) = inner.sockets.get_mut(id) else {
            return Left::NotThere;
        };
        if !member.rooms.remove(room) {
            return Left::NotThere;
        }
        let session = member.session.clone();
        exit();
        inner.take_out(&session, room)
    }

    /// Whether the socket is in the room.
    pub fn is_in(&self, id: &SocketId, room: &Room) -> bool {
        let inner = self.inner.lock();
        inner
            .sockets
            .get(id)
            .is_some_and(|m| m.rooms.contains(room))
    }

    /// How many sockets are in the room.
    pub fn size(&self, room: &Room) -> usize {
        let inner = self.inner.lock();
        inner.rooms.get(room).map_or(0, |room| room.sockets.len())
    }

    /// How many sockets are connected.
    pub fn len(&self) -> usize {
        self.inner.lock().sockets.len()
    }

    /// The users in the room, sorted.
    pub fn users_in(&self, room: &Room) -> Vec<UserId> {
        let inner = self.inner.lock();
        let devices = inner.rooms.get(room).map(|room| &room.devices);
        let mut users: Vec<_> = devices
            .into_iter()
            .flat_map(|d| d.keys().cloned())
            .collect();
        users.sort();
        users
    }

    /// The rooms a socket is in.
    pub fn rooms_of(&self, id: &SocketId) -> Vec<Room> {
        let inner = self.inner.lock();
        let member = inner.sockets.get(id);
        member.map_or_else(Vec::new, |member| member.rooms.iter().cloned().collect())
    }

    /// The connected devices of a user.
    pub fn devices(&self, user: &UserId) -> Vec<Arc<Session>> {
        let inner = self.inner.lock();
        let ids = inner.users.get(user).into_iter().flatten();
        ids.filter_map(|id| inner.sockets.get(id))
            .map(|member| member.session.clone())
            .collect()
    }

    /// A connected socket.
    pub fn get(&self, id: &SocketId) -> Option<Arc<Session>> {
        let inner = self.inner.lock();
        inner.sockets.get(id).map(|member| member.session.clone())
    }

    /// Every connected socket.
    pub fn all(&self) -> Vec<Arc<Session>> {
        let inner = self.inner.lock();
        inner.sockets.values().map(|m| m.session.clone()).collect()
    }
}

impl Inner {
    fn take_out(&mut self, session: &Session, room: &Room) -> Left {
        let Some(occupants) = self.rooms.get_mut(room) else {
            return Left::NotThere;
        };
        occupants.sockets.remove(session.id());
        let mut left = Left::AnotherDevice;
        if let Some(user) = session.user_id()
            && let Some(devices) = occupants.devices.get_mut(user)
        {
            *devices -= 1;
            if *devices == 0 {
                occupants.devices.remove(user);
                left = Left::LastDevice;
            }
        }
        if occupants.sockets.is_empty() {
            self.rooms.remove(room);
        }
        left
    }
}
