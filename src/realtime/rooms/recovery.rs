//! Sockets that return: where they were, and what they missed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use super::{Inner, Member, Rooms, lost::Lost};
use crate::{
    domain::{Room, SocketId},
    ports::{Emit, Joined},
    realtime::{
        Session,
        connection::CloseReason,
        log::{Log, Logged, Offset},
        outbox::{Pushed, Treatment},
        wire::Packet,
    },
};

/// How a socket went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departed {
    /// For good.
    ForGood,
    /// Its transport dropped: it may come back.
    Dropped,
}

/// A socket that has come back.
#[derive(Debug)]
pub struct Resumed {
    /// The rooms in which it is the user's first device again.
    pub entered: Vec<Room>,
}

/// What became of the run that an offset is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It goes on, and all that came after is kept.
    Whole,
    /// It goes on, and something that came after is not kept any more.
    TooOld,
    /// It is another one. `now`: the next number of the log of this one.
    AnotherRun {
        /// The number.
        now: u64,
    },
}

/// What the store has for a socket.
#[derive(Debug)]
pub struct Stored {
    /// The packets.
    pub packets: Vec<Packet>,
    /// The newest entry that was looked at.
    pub position: u64,
    /// The log's next number before it was looked.
    pub log_from: u64,
}

/// What is needed to recover sessions of a namespace.
pub(super) struct Recovery {
    pub(super) log: Log,
    /// By the secret that their clients know.
    pub(super) lost: HashMap<Arc<str>, Lost>,
    pub(super) connected: HashMap<Arc<str>, SocketId>,
    /// Sessions that are not stored as they are.
    pub(super) changed: HashSet<Arc<str>>,
}

impl Recovery {
    pub(super) fn new(log: Log) -> Self {
        Self {
            log,
            lost: HashMap::new(),
            connected: HashMap::new(),
            changed: HashSet::new(),
        }
    }

    /// The number of the log's next packet.
    pub(super) fn next(&self) -> u64 {
        self.log.next()
    }

    /// Makes an event's packet with its offset, and keeps it.
    pub(super) fn log(
        &mut self,
        emit: &Emit<'_>,
        seal: impl FnOnce(Option<&str>) -> Packet,
    ) -> Packet {
        let position = emit.entry.map(|entry| entry.position);
        let offset = self.log.offset(position).to_string();
        let packet = seal(Some(&offset));
        self.log.push(packet.clone(), emit);
        packet
    }
}

impl Rooms {
    /// Whether this run sent what is called so, and has all that came after it.
    pub fn knows(&self, offset: &Offset) -> Known {
        let inner = self.inner.lock();
        match inner.recovery.as_ref().map(|recovery| &recovery.log) {
            Some(log) if !log.knows(offset) => Known::AnotherRun { now: log.next() },
            Some(log) if log.reaches(offset.next()) => Known::Whole,
            Some(_) | None => Known::TooOld,
        }
    }

    /// Brings a lost socket back: the welcome, then what it missed, then what comes. Nothing
    /// happens when it is not lost any more or the log does not reach back to the offset.
    pub fn resume(
        &self,
        session: &Arc<Session>,
        offset: &Offset,
        welcome: &Packet,
    ) -> Option<Resumed> {
        let mut inner = self.inner.lock();
        let recovery = inner.recovery.as_mut()?;
        let from = offset.next();
        if !recovery.log.knows(offset) || !recovery.log.reaches(from) {
            return None;
        }
        let lost = recovery.lost.remove(&**session.pid()?)?;
        session.connection().push(welcome, Treatment::Must);
        let resumed = inner.readmit(session, lost.rooms);
        session.set_lag(Some(from));
        inner.catch_up(session);
        Some(resumed)
    }

    /// Brings a socket back that an earlier run knew: the welcome, then what the store had for it,
    /// then what has come since. Nothing happens when the log does not reach back to that.
    pub fn resume_stored(
        &self,
        session: &Arc<Session>,
        rooms: &[Room],
        stored: &Stored,
        welcome: &Packet,
    ) -> Option<Resumed> {
        let mut inner = self.inner.lock();
        let is_connected = inner.sockets.contains_key(session.id());
        let recovery = inner.recovery.as_mut()?;
        let pid = session.pid()?;
        // Another connection of the same client may have been faster.
        let is_there = recovery.connected.contains_key(pid) || is_connected;
        if is_there || !recovery.log.reaches(stored.log_from) {
            return None;
        }
        recovery.lost.remove(pid);
        let connection = session.connection();
        connection.push(welcome, Treatment::Must);
        for packet in &stored.packets {
            connection.push(packet, Treatment::Must);
        }
        let since = stored.log_from;
        let resumed = inner.readmit(session, rooms.iter().map(|room| (room.clone(), since)));
        session.set_position(stored.position);
        session.set_lag(Some(since));
        inner.catch_up(session);
        Some(resumed)
    }

    /// Sends a socket that reads again what it has not been sent.
    pub fn relieve(&self, session: &Arc<Session>) {
        let inner = self.inner.lock();
        inner.catch_up(session);
    }
}

impl Inner {
    fn readmit(
        &mut self,
        session: &Arc<Session>,
        rooms: impl IntoIterator<Item = (Room, u64)>,
    ) -> Resumed {
        self.insert(session);
        let mut entered = Vec::new();
        for (room, since) in rooms {
            if self.seat(session, &room, Some(since)) == Joined::FirstDevice {
                entered.push(room);
            }
        }
        Resumed { entered }
    }

    /// Sends what stands in the log for the socket, as far as there is room.
    fn catch_up(&self, session: &Arc<Session>) {
        let (Some(recovery), Some(from)) = (&self.recovery, session.lag()) else {
            return;
        };
        let (Some(missed), Some(member)) =
            (recovery.log.since(from), self.sockets.get(session.id()))
        else {
            // What it lacks is gone: it must come back and be told so.
            session.connection().doom(CloseReason::OverBudget);
            return;
        };
        for logged in missed {
            if session.has(logged.position) || !is_for(logged, member) {
                continue;
            }
            let pushed = session.connection().push(&logged.packet, Treatment::Logged);
            if pushed == Pushed::KeptBack {
                session.set_lag(Some(logged.index));
                return;
            }
        }
        session.set_lag(None);
    }

    pub(super) fn note_change(&mut self, session: &Session) {
        if let (Some(recovery), Some(pid)) = (&mut self.recovery, session.pid()) {
            let id = session.id().clone();
            recovery.connected.insert(pid.clone(), id);
            recovery.changed.insert(pid.clone());
        }
    }

    pub(super) fn note_departure(&mut self, member: Member, departed: Departed) {
        let session = member.session;
        let (Some(recovery), Some(pid)) = (&mut self.recovery, session.pid()) else {
            return;
        };
        recovery.connected.remove(pid);
        recovery.changed.insert(pid.clone());
        if departed == Departed::Dropped {
            let rooms = member.rooms.iter();
            let lost = Lost {
                id: session.id().clone(),
                identity: session.identity(),
                rooms: rooms
                    .map(|(room, seat)| (room.clone(), seat.since))
                    .collect(),
                at: Instant::now(),
            };
            recovery.lost.insert(pid.clone(), lost);
        }
    }
}

/// Whether a packet was for the socket when it was sent, as far as its rooms tell.
fn is_for(logged: &Logged, member: &Member) -> bool {
    let is_in = |room: &Room| {
        let seat = member.rooms.get(room);
        seat.is_some_and(|seat| seat.since <= logged.index)
    };
    logged.origin.as_ref() != Some(member.session.id())
        && (logged.to.is_empty() || logged.to.iter().any(is_in))
        && !logged.except.iter().any(is_in)
}
