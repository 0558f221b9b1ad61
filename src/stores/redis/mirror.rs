//! What this node itself has of presence: it answers while Redis is away, and Redis is told of it
//! when there is any doubt about what Redis knows.

mod rooms;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use serde_json::{Value, json};

use self::rooms::Rooms;
use crate::{
    domain::{Presence, Room, SocketId, Status, Timestamp, UserId},
    sparse,
};

/// How Redis and the mirror stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Nothing is known of Redis.
    Away,
    /// What the node has is registered; what changes meanwhile follows.
    Renewing,
    /// Redis knows what the node has, under this instance.
    Settled(Arc<str>),
    /// The node has given its instance up for good.
    Retired,
}

/// A change to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stale {
    Device(UserId, SocketId),
    Pair(Room, UserId),
}

/// A user with a device on this node.
struct Mine {
    devices: HashSet<SocketId>,
    status: Status,
    last_seen: Timestamp,
    /// Whether the audience has heard that they are there.
    is_told: bool,
    /// Whether the audience has not heard of the status.
    is_status_news: bool,
}

/// What was registered at once, to be taken back where it failed.
pub(super) struct Batch {
    pub(super) changes: Vec<Value>,
    users: Vec<(UserId, bool)>,
    pairs: Vec<(Room, UserId)>,
}

/// The node's own devices and users in rooms.
pub(super) struct Mirror {
    pub(super) link: Link,
    /// What Redis called what it knows, when it last knew what the node has.
    run: Option<String>,
    users: HashMap<UserId, Mine>,
    owners: HashMap<SocketId, UserId>,
    /// Devices whose transports have ended.
    wavering: HashSet<SocketId>,
    pub(super) rooms: Rooms,
    stale: VecDeque<Stale>,
}

impl Mirror {
    pub(super) fn new() -> Self {
        Self {
            link: Link::Away,
            run: None,
            users: HashMap::new(),
            owners: HashMap::new(),
            wavering: HashSet::new(),
            rooms: Rooms::default(),
            stale: VecDeque::new(),
        }
    }

    /// The instance, where Redis knows what the node has.
    pub(super) fn instance(&self) -> Option<Arc<str>> {
        match &self.link {
            Link::Settled(instance) => Some(instance.clone()),
            Link::Away | Link::Renewing | Link::Retired => None,
        }
    }

    /// Notes a change; without an instance it is registered later.
    pub(super) fn note(&mut self, change: Stale) -> Option<Arc<str>> {
        if self.link == Link::Renewing {
            self.stale.push_back(change);
        }
        self.instance()
    }

    pub(super) fn arrive(&mut self, user: &UserId, device: &SocketId, at: Timestamp) {
        self.owners.insert(device.clone(), user.clone());
        self.wavering.remove(device);
        let mine = self.users.entry(user.clone()).or_insert_with(|| Mine {
            devices: HashSet::new(),
            status: Status::Online,
            last_seen: at,
            is_told: false,
            is_status_news: false,
        });
        mine.devices.insert(device.clone());
        mine.last_seen = at;
    }

    /// A device's transport has ended.
    pub(super) fn waver(&mut self, device: &SocketId) {
        if self.owners.contains_key(device) {
            self.wavering.insert(device.clone());
        }
    }

    /// Forgets the devices whose transports have ended: others have told that they are gone.
    pub(super) fn forget_wavering(&mut self) {
        for device in std::mem::take(&mut self.wavering) {
            if let Some(user) = self.owner(&device) {
                self.depart(&user, &device);
            }
        }
    }

    pub(super) fn depart(&mut self, user: &UserId, device: &SocketId) {
        self.wavering.remove(device);
        if self.owners.get(device) == Some(user) {
            self.owners.remove(device);
            sparse::shrink(&mut self.owners);
        }
        if let Some(mine) = self.users.get_mut(user) {
            mine.devices.remove(device);
            if mine.devices.is_empty() {
                self.users.remove(user);
                sparse::shrink(&mut self.users);
            }
        }
    }

    /// Sets the status of a user who has a device here; returns one of the devices.
    pub(super) fn set(&mut self, user: &UserId, status: Status, at: Timestamp) -> Option<SocketId> {
        let mine = self.users.get_mut(user)?;
        mine.status = status;
        mine.last_seen = at;
        mine.is_status_news = true;
        mine.devices.iter().next().cloned()
    }

    /// The audience has heard of the user's status.
    pub(super) fn status_told(&mut self, user: &UserId) {
        if let Some(mine) = self.users.get_mut(user) {
            mine.is_status_news = false;
        }
    }

    /// The audience has heard, or is about to hear, that the user is there.
    pub(super) fn told(&mut self, user: &UserId) {
        if let Some(mine) = self.users.get_mut(user) {
            mine.is_told = true;
        }
    }

    pub(super) fn presence(&self, user: &UserId) -> Presence {
        self.users
            .get(user)
            .map_or(Presence::UNKNOWN, |mine| Presence {
                status: mine.status,
                last_seen: Some(mine.last_seen),
                devices: mine.devices.len(),
            })
    }

    pub(super) fn owner(&self, device: &SocketId) -> Option<UserId> {
        self.owners.get(device).cloned()
    }

    /// Begins to register all there is. `run`: what Redis calls what it knows.
    pub(super) fn begin(&mut self, run: &str) {
        let is_same_run = self.run.as_deref() == Some(run);
        self.link = Link::Renewing;
        if is_same_run {
            // What Redis does not know any more of these, it has said that it is gone.
            self.rooms.untell();
        }
        let devices = self.owners.iter();
        self.stale = devices
            .map(|(device, user)| Stale::Device(user.clone(), device.clone()))
            .chain(
                self.rooms
                    .pairs()
                    .map(|(room, user)| Stale::Pair(room, user)),
            )
            .collect();
    }

    /// The next changes to register, at most so many. They count as told.
    pub(super) fn batch(&mut self, limit: usize) -> Batch {
        let mut batch = Batch {
            changes: Vec::new(),
            users: Vec::new(),
            pairs: Vec::new(),
        };
        let next = self.stale.len().min(limit);
        let some: Vec<_> = self.stale.drain(..next).collect();
        for one in some {
            let change = match one {
                Stale::Device(user, device) => self.device(user, &device, &mut batch),
                Stale::Pair(room, user) => self.pair(room, user, &mut batch),
            };
            batch.changes.push(change);
        }
        batch
    }

    fn device(&mut self, user: UserId, device: &SocketId, batch: &mut Batch) -> Value {
        let mine = self.users.get_mut(&user);
        let mine = mine.filter(|mine| mine.devices.contains(device));
        let Some(mine) = mine else {
            let now = Timestamp::now().as_ms();
            return json!(["no device", user, device, now]);
        };
        let is_told = std::mem::replace(&mut mine.is_told, true);
        let is_news = std::mem::take(&mut mine.is_status_news);
        let (at, status) = (mine.last_seen.as_ms(), mine.status.as_str());
        let change = json!(["device", user, device, at, status, is_told, is_news]);
        if !is_told || is_news {
            batch.users.push((user, !is_told));
        }
        change
    }

    fn pair(&mut self, room: Room, user: UserId, batch: &mut Batch) -> Value {
        let Some((name, was_told)) = self.rooms.tell(&room, &user) else {
            return json!(["no pair", room.as_str(), user]);
        };
        let change = json!(["pair", room.as_str(), user, &*name, !was_told]);
        if !was_told {
            batch.pairs.push((room, user));
        }
        change
    }

    /// A batch has not been registered, or nobody knows whether it was.
    pub(super) fn take_back(&mut self, batch: Batch) {
        for (user, is_arrival) in batch.users {
            if let Some(mine) = self.users.get_mut(&user) {
                mine.is_told &= !is_arrival;
                // Who hears it twice is not harmed.
                mine.is_status_news |= !is_arrival;
            }
        }
        for (room, user) in batch.pairs {
            self.rooms.untell_one(&room, &user);
        }
    }

    /// All is registered, unless something has changed meanwhile.
    pub(super) fn settle(&mut self, instance: &Arc<str>, run: &str) -> bool {
        let is_all = self.stale.is_empty() && self.link == Link::Renewing;
        if is_all {
            self.run = Some(run.to_owned());
            self.link = Link::Settled(instance.clone());
        }
        is_all
    }

    /// Nothing is known of Redis any more.
    pub(super) fn lose(&mut self) {
        if self.link != Link::Retired {
            self.link = Link::Away;
            self.stale = VecDeque::new();
        }
    }
}
