//! Which sockets are connected, whose they are, which rooms they are in, and what is sent to them.
//!
//! One lock guards a namespace's index: what is sent to a room reaches all of its members in one
//! order, and whoever joins is sent what comes after its join and nothing before.

mod changes;
mod devices;
mod fanout;
mod looks;
mod lost;
mod newest;
mod occupants;
mod recovery;
mod seats;
mod watchers;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use parking_lot::Mutex;

pub use self::{
    changes::Changes,
    fanout::Tally,
    recovery::{Departed, Known, Resumed, Stored},
};
use self::{
    devices::Devices,
    newest::Newest,
    occupants::Occupants,
    recovery::Recovery,
    seats::{Seat, Seats},
    watchers::Watchers,
};
use super::{
    Session,
    log::{Log, LogLimits},
    outbox::Treatment,
    wire::Packet,
};
use crate::{
    domain::{FeedId, Room, SocketId, UserId},
    error::{Code, Error, Result},
    ports::{Joined, Left, ValueOf},
    sparse,
};

/// The rooms that a socket is in without having joined them: that of its id, and its user's.
pub const OWN_ROOMS: usize = 2;

/// The index of one namespace.
#[derive(Default)]
pub struct Rooms {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sockets: HashMap<SocketId, Member>,
    rooms: HashMap<Room, Occupants>,
    users: HashMap<UserId, Devices>,
    /// How many emits there have been that had to look at each socket once.
    emits: u64,
    /// The latest values that were sent.
    newest: Newest,
    /// Who was sent one by itself.
    watchers: Watchers,
    /// Where sessions can be recovered.
    recovery: Option<Recovery>,
}

struct Member {
    session: Arc<Session>,
    rooms: Seats,
}

impl Rooms {
    /// From now on sessions can be recovered. `position`: the newest stored entry's place.
    pub fn keep_log(&self, limits: LogLimits, position: u64) {
        let log = Log::new(limits, position);
        self.inner.lock().recovery = Some(Recovery::new(log));
    }

    /// Adds a connected socket with its own rooms; the welcome is the first that it is sent.
    pub fn enter(&self, session: &Arc<Session>, own: &[Room; OWN_ROOMS], welcome: &Packet) {
        let mut inner = self.inner.lock();
        inner.insert(session);
        for room in own {
            inner.seat(session, room, None);
        }
        session.connection().push(welcome, Treatment::Must);
    }

    /// Removes a socket, from its rooms too; returns those in which it was the user's last device.
    /// A later one with the same id stays.
    pub fn remove(&self, session: &Arc<Session>, departed: Departed) -> Vec<Room> {
        let mut inner = self.inner.lock();
        let id = session.id();
        let is_it = |member: &Member| Arc::ptr_eq(&member.session, session);
        if !inner.sockets.get(id).is_some_and(is_it) {
            return Vec::new();
        }
        let Some(member) = inner.sockets.remove(id) else {
            return Vec::new();
        };
        let rooms = member.rooms.iter();
        let last_in = rooms
            .filter(|(room, seat)| inner.unseat(room, *seat) == Left::LastDevice)
            .map(|(room, _)| room.clone())
            .collect();
        if let Some(user) = session.user_id()
            && let Some(devices) = inner.users.get_mut(user)
            && devices.remove(id)
        {
            inner.users.remove(user);
            sparse::shrink(&mut inner.users);
        }
        sparse::shrink(&mut inner.sockets);
        inner.note_departure(member, departed);
        last_in
    }

    /// Puts a socket into a room, up to `max` rooms.
    pub fn join(&self, id: &SocketId, room: &Room, max: usize) -> Result<Joined> {
        self.inner.lock().join(id, room, max)
    }

    /// The same for a socket that will be sent the latest value by itself: the room does not bring it
    /// once more.
    pub fn watch(&self, id: &SocketId, room: &Room, max: usize, of: ValueOf<'_>) -> Result<Joined> {
        let mut inner = self.inner.lock();
        let joined = inner.join(id, room, max)?;
        if joined != Joined::Already {
            inner.watchers.begin(fanout::watched(of), id, room);
        }
        Ok(joined)
    }

    /// Takes a socket out of a room.
    pub fn leave(&self, id: &SocketId, room: &Room) -> Left {
        let mut inner = self.inner.lock();
        let Some(member) = inner.sockets.get_mut(id) else {
            return Left::NotThere;
        };
        let Some(seat) = member.rooms.remove(room) else {
            return Left::NotThere;
        };
        let session = member.session.clone();
        if let Some(room) = room.chat_id() {
            session.connection().forget_feed(&FeedId::Room(room));
        }
        inner.note_change(&session);
        inner.unseat(room, seat)
    }

    /// How many sockets are connected.
    pub fn len(&self) -> usize {
        self.inner.lock().sockets.len()
    }

    /// The connected devices of a user.
    pub fn devices(&self, user: &UserId) -> Vec<Arc<Session>> {
        let inner = self.inner.lock();
        let devices = inner.users.get(user).into_iter();
        let ids = devices.flat_map(Devices::iter);
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
    fn insert(&mut self, session: &Arc<Session>) {
        let id = session.id().clone();
        if let Some(user) = session.user_id() {
            match self.users.entry(user.clone()) {
                Entry::Occupied(devices) => devices.into_mut().add(id.clone()),
                Entry::Vacant(none) => {
                    none.insert(Devices::One(id.clone()));
                }
            }
        }
        let member = Member {
            session: session.clone(),
            rooms: Seats::default(),
        };
        self.sockets.insert(id, member);
        self.note_change(session);
    }

    fn join(&mut self, id: &SocketId, room: &Room, max: usize) -> Result<Joined> {
        let Some(member) = self.sockets.get(id) else {
            return Err(Error::not_found("The socket has disconnected"));
        };
        if member.rooms.get(room).is_some() {
            return Ok(Joined::Already);
        }
        if max > 0 && member.rooms.len() >= max + OWN_ROOMS {
            crate::telemetry::limited(Code::TooManyRooms);
            return Err(Error::new(Code::TooManyRooms, "Too many rooms joined"));
        }
        let session = member.session.clone();
        let joined = self.seat(&session, room, None);
        self.note_change(&session);
        Ok(joined)
    }

    /// Adds a socket, which is not in the room, to it. `since`: where it returns to a room, the
    /// first packet that is for it.
    fn seat(&mut self, session: &Arc<Session>, room: &Room, since: Option<u64>) -> Joined {
        let next = self.recovery.as_ref().map_or(0, Recovery::next);
        let since = since.unwrap_or(next);
        let occupants = self.rooms.entry(room.clone()).or_default();
        let (place, joined) = occupants.add(session);
        if let Some(member) = self.sockets.get_mut(session.id()) {
            member.rooms.insert(room.clone(), Seat { place, since });
        }
        joined
    }

    /// Takes a socket off its seat; the last occupant takes it.
    fn unseat(&mut self, room: &Room, seat: Seat) -> Left {
        let Some(occupants) = self.rooms.get_mut(room) else {
            return Left::NotThere;
        };
        let left = occupants.remove(seat.place);
        if let Some(moved) = occupants.members().get(seat.place)
            && let Some(member) = self.sockets.get_mut(moved.id())
        {
            member.rooms.replace(room, seat.place);
        }
        if occupants.members().is_empty() {
            self.rooms.remove(room);
            sparse::shrink(&mut self.rooms);
        }
        left
    }
}
