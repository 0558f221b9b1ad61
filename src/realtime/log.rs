//! What was sent to a namespace's sockets of late, so that one whose transport dropped can be sent
//! what it missed (connection state recovery, as socket.io-client 4.6 and later know it).

use std::{
    collections::VecDeque,
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

use super::wire::Packet;
use crate::{
    domain::{Room, SocketId},
    ports::Emit,
};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct LogLimits {
    /// For how long.
    pub window: Duration,
    /// The most bytes of packets.
    pub bytes: usize,
}

/// What clients call an event that they have received; they bring the last one when they return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Which run of the server sent it; empty for what was read from the store.
    pub run: String,
    /// Its number in that run's log.
    pub index: u64,
    /// The newest stored entry at that time, by its place among all.
    pub position: u64,
}

impl Offset {
    /// The number of the packet that comes after it.
    pub fn next(&self) -> u64 {
        self.index.saturating_add(1)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.run, self.index, self.position)
    }
}

impl FromStr for Offset {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let offset = Self {
            run: next()?.to_owned(),
            index: next()?.parse().map_err(|_| ())?,
            position: next()?.parse().map_err(|_| ())?,
        };
        if parts.next().is_some() {
            Err(())
        } else {
            Ok(offset)
        }
    }
}

/// A packet that was sent.
pub struct Logged {
    /// Its number.
    pub index: u64,
    /// The packet.
    pub packet: Packet,
    /// The rooms that it was for; none for every socket.
    pub to: Box<[Room]>,
    /// The rooms that it was not for.
    pub except: Box<[Room]>,
    /// The socket that it was not for.
    pub origin: Option<SocketId>,
    /// The place among all stored entries of the one that it carries.
    pub position: Option<u64>,
    at: Instant,
}

/// Packets in the order in which they were sent.
pub struct Log {
    run: String,
    limits: LogLimits,
    packets: VecDeque<Logged>,
    bytes: usize,
    next: u64,
    position: u64,
}

impl Log {
    /// An empty log. `position`: the newest stored entry's place.
    pub fn new(limits: LogLimits, position: u64) -> Self {
        Self {
            run: format!("{:08x}", rand::random::<u32>()),
            limits,
            packets: VecDeque::new(),
            bytes: 0,
            next: 0,
            position,
        }
    }

    /// How long sessions can be recovered.
    pub fn window(&self) -> Duration {
        self.limits.window
    }

    /// The number of the next packet.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What the next packet, with this entry if it carries one, is called.
    pub fn offset(&self, position: Option<u64>) -> Offset {
        Offset {
            run: self.run.clone(),
            index: self.next,
            position: position.unwrap_or(self.position),
        }
    }

    /// Whether this run sent what is called so.
    pub fn knows(&self, offset: &Offset) -> bool {
        offset.run == self.run
    }

    /// Adds a packet; returns its number.
    pub fn push(&mut self, packet: Packet, emit: &Emit<'_>) -> u64 {
        let at = Instant::now();
        self.trim(at);
        let index = self.next;
        let position = emit.entry.map(|entry| entry.position);
        self.next += 1;
        self.position = position.unwrap_or(self.position);
        self.bytes += packet.size();
        self.packets.push_back(Logged {
            index,
            packet,
            to: emit.to.into(),
            except: emit.except.into(),
            origin: emit.origin.cloned(),
            position,
            at,
        });
        index
    }

    fn trim(&mut self, now: Instant) {
        while let Some(first) = self.packets.front() {
            if now - first.at <= self.limits.window && self.bytes <= self.limits.bytes {
                return;
            }
            self.bytes -= first.packet.size();
            self.packets.pop_front();
        }
        self.packets.shrink_to(64);
    }

    /// Forgets what is too old.
    pub fn sweep(&mut self) {
        self.trim(Instant::now());
    }

    /// Whether all packets from this number on are kept.
    pub fn reaches(&self, index: u64) -> bool {
        self.since(index).is_some()
    }

    /// The packets from this number on; none if some of them are no longer kept, or were never sent.
    pub fn since(&self, index: u64) -> Option<impl Iterator<Item = &Logged>> {
        let first = self.packets.front().map_or(self.next, |first| first.index);
        let skip = usize::try_from(index.checked_sub(first)?).ok()?;
        (index <= self.next).then(|| self.packets.iter().skip(skip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Class;

    fn log(bytes: usize) -> Log {
        let window = Duration::from_secs(60);
        Log::new(LogLimits { window, bytes }, 7)
    }

    fn push(log: &mut Log) -> u64 {
        let emit = Emit::new(Class::Passing, &[], "event", &());
        log.push(Packet::control('4', "x"), &emit)
    }

    #[test]
    fn what_is_kept_is_found_by_its_number_and_what_is_not_is_no_silent_hole() {
        let mut log = log(3 * 4);
        for expected in 0..10 {
            assert_eq!(push(&mut log), expected);
        }
        let numbers = |from| {
            Some(
                log.since(from)?
                    .map(|logged| logged.index)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(numbers(8), Some(vec![8, 9]));
        assert_eq!(numbers(10), Some(vec![]));
        assert_eq!(numbers(1), None);
        assert_eq!(numbers(11), None);
    }

    #[test]
    fn an_offset_is_read_as_it_was_written_and_nothing_else_is_one() {
        let log = log(100);
        let offset = log.offset(None);
        assert_eq!(offset.to_string().parse(), Ok(offset.clone()));
        assert!(log.knows(&offset));
        assert_eq!(offset.position, 7);
        for wrong in ["", "a", "a.1", "a.b.c", "a.1.2.3", "a.1.-2"] {
            assert!(wrong.parse::<Offset>().is_err(), "{wrong}");
        }
    }
}
