//! Sending an event to the sockets that it is for.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{Arc, LazyLock},
};

use super::{Inner, Rooms, newest::Age};
use crate::{
    domain::{Room, SocketId},
    ports::{Class, Emit, Keep, ValueOf},
    realtime::{
        Session,
        outbox::{Pushed, Treatment},
        wire::Packet,
    },
};

/// Hashes what latest values are of: anew in every run, so that nobody can make two of them meet.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The most sockets that one event is seen to be sent to; it is sent to the others unseen.
const MAX_SEEN: usize = 100;

/// What became of an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Sockets for which it waits to be written, or stays where it will be read from.
    pub delivered: u64,
    /// Sockets that read too slowly for it.
    pub dropped: u64,
}

impl Rooms {
    /// Sends an event to each socket of its rooms once. `seal` makes the packet; what it is given
    /// becomes the last argument. None: a newer value was sent, or the same was said. `sent_to`: where
    /// somebody wants to know some of the sockets.
    pub fn emit(
        &self,
        emit: &Emit<'_>,
        seal: impl FnOnce(Option<&str>) -> Packet,
        sent_to: Option<&mut Vec<SocketId>>,
    ) -> Option<Tally> {
        let mut inner = self.inner.lock();
        let who_has_it = inner.admit(emit)?;
        let (except, without_them);
        let emit = if who_has_it.is_empty() {
            emit
        } else {
            except = [emit.except, &who_has_it].concat();
            without_them = emit.except(&except);
            &without_them
        };
        let logged = match &mut inner.recovery {
            Some(recovery) if emit.keep == Keep::Kept => Logging::At(recovery.next()),
            Some(_) | None => Logging::Not,
        };
        let packet = match (&mut inner.recovery, logged) {
            (Some(recovery), Logging::At(_)) => recovery.log(emit, seal),
            _ => seal(None),
        };
        let mut sending = Sending {
            packet: &packet,
            treatment: treatment(emit, logged),
            tally: Tally::default(),
            logged,
            position: emit.entry.map(|entry| entry.position),
            sent_to,
        };
        inner.fan_out(emit, &mut sending);
        Some(sending.tally)
    }

    /// The sockets in one of the rooms, or all where none is named, without those in the others.
    pub fn select(&self, to: &[Room], except: &[Room]) -> Vec<Arc<Session>> {
        let mut found = Vec::new();
        let mut inner = self.inner.lock();
        inner.visit((to, except, None), |session| found.push(session.clone()));
        found
    }
}

/// What a latest value is the value of: its key, whoever hears it, else its first room.
fn what(emit: &Emit<'_>) -> u64 {
    let (event, key) = (emit.event, emit.key);
    match emit.to.first() {
        Some(room) if key.is_empty() => KEYS.hash_one((event, room)),
        Some(_) | None => watched(ValueOf { event, key }),
    }
}

/// The same of what has a key.
pub(super) fn watched(of: ValueOf<'_>) -> u64 {
    KEYS.hash_one(of)
}

/// Whether an event can be recovered.
#[derive(Clone, Copy)]
enum Logging {
    Not,
    At(u64),
}

fn treatment<'a>(emit: &Emit<'a>, logged: Logging) -> Treatment<'a> {
    match (logged, emit.class, emit.entry) {
        // A client counts what it has received by offsets: nothing may overtake.
        (Logging::At(_), ..) => Treatment::Logged,
        (Logging::Not, Class::Durable, Some(entry)) => Treatment::Entry {
            feed: entry.feed,
            seq: entry.seq,
        },
        (Logging::Not, Class::Durable, None) => Treatment::Must,
        (Logging::Not, Class::Latest, _) => Treatment::Latest(what(emit)),
        (Logging::Not, Class::Passing, _) => Treatment::Passing,
    }
}

/// One event on its way.
struct Sending<'a> {
    packet: &'a Packet,
    treatment: Treatment<'a>,
    tally: Tally,
    logged: Logging,
    /// The place among all entries of the one that it carries.
    position: Option<u64>,
    sent_to: Option<&'a mut Vec<SocketId>>,
}

impl Sending<'_> {
    fn send(&mut self, session: &Arc<Session>) {
        if session.has(self.position) {
            return;
        }
        if session.lags() {
            // It finds the event in the log, if it is there.
            match self.logged {
                Logging::At(_) => self.tally.delivered += 1,
                Logging::Not => self.tally.dropped += 1,
            }
            return;
        }
        let pushed = session.connection().push(self.packet, self.treatment);
        if let (Pushed::Queued | Pushed::KeptBack, Some(sent_to)) = (pushed, &mut self.sent_to)
            && sent_to.len() < MAX_SEEN
        {
            sent_to.push(session.id().clone());
        }
        match pushed {
            Pushed::Queued => self.tally.delivered += 1,
            Pushed::KeptBack => {
                self.tally.delivered += 1;
                if let Logging::At(index) = self.logged {
                    session.set_lag(Some(index));
                }
            }
            Pushed::Dropped | Pushed::OverBudget => self.tally.dropped += 1,
        }
    }
}

impl Inner {
    /// The own rooms of those who have what an event carries. None: it is not to be sent, since a newer
    /// value was, or since nothing else is said.
    fn admit(&mut self, emit: &Emit<'_>) -> Option<Vec<Room>> {
        let who_has_it = match emit.number {
            Some(number) => self.admit_value(emit, number)?,
            None => Vec::new(),
        };
        match emit.says {
            Some(says) if !self.newest.is_told(what(emit), says) => None,
            Some(_) | None => Some(who_has_it),
        }
    }

    fn admit_value(&mut self, emit: &Emit<'_>, number: u64) -> Option<Vec<Room>> {
        let of = what(emit);
        let one = match emit.to {
            [room] if self.sockets.contains_key(room.as_str()) => Some(room.as_str()),
            _ => None,
        };
        let age = self.newest.accept(of, number, one.is_none());
        match one {
            _ if age == Age::Old => None,
            None => Some(self.watchers.told(of, number, emit.to)),
            Some(one) => {
                let is_past = age == Age::Repeated;
                let is_shown = self.watchers.shows(of, one, number, is_past);
                is_shown.then(Vec::new)
            }
        }
    }

    fn fan_out(&mut self, emit: &Emit<'_>, sending: &mut Sending<'_>) {
        let whom = (emit.to, emit.except, emit.origin);
        self.visit(whom, |member| sending.send(member));
    }

    /// Visits the sockets in these rooms, each once; all, where there are none. Those in the other
    /// rooms, and the one socket, are left out.
    fn visit(
        &mut self,
        (to, except, origin): (&[Room], &[Room], Option<&SocketId>),
        mut visit: impl FnMut(&Arc<Session>),
    ) {
        let is_plain = except.is_empty() && origin.is_none();
        if is_plain && let [room] = to {
            return self.occupants(room).for_each(visit);
        }
        self.emits += 1;
        let number = self.emits;
        // Whoever is marked has been looked at.
        for member in except.iter().flat_map(|room| self.occupants(room)) {
            member.mark(number);
        }
        if let Some(member) = origin.and_then(|origin| self.sockets.get(origin)) {
            member.session.mark(number);
        }
        let each = |member: &Arc<Session>| {
            if member.mark(number) {
                visit(member);
            }
        };
        match to {
            [] => self.sockets.values().map(|m| &m.session).for_each(each),
            rooms => rooms
                .iter()
                .flat_map(|room| self.occupants(room))
                .for_each(each),
        }
    }

    fn occupants(&self, room: &Room) -> impl Iterator<Item = &Arc<Session>> {
        let occupants = self.rooms.get(room);
        occupants.into_iter().flat_map(|room| room.members())
    }
}
