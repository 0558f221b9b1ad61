//! One user who goes and comes back, and roommates who hear of it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    check::{Faults, Sequence},
    crowd::{Crowd, Heard},
    house::{connect, join, members},
    scene::{Round, Scene},
};

const ROOM: &str = "hall";
const USER: &str = "alice";
/// What each roommate hears, in turns: the first two of going, the others of coming.
const NEWS: [(&str, &str); 4] = [
    ("42[\"user:left\",{\"userId\":\"alice-0\",", ""),
    (
        "42[\"presence:changed\",{\"userId\":\"alice-0\",",
        "\"status\":\"offline\"",
    ),
    ("42[\"user:joined\",{\"userId\":\"alice-0\",", ""),
    (
        "42[\"presence:changed\",{\"userId\":\"alice-0\",",
        "\"status\":\"online\"",
    ),
];
const NEWS_EACH_WAY: u64 = 2;

/// The books: what there was to hear, and who has heard what of it.
pub struct Books {
    told: u64,
    sequences: Vec<Sequence>,
    pub faults: Faults,
    pub heard: u64,
}

impl Books {
    pub fn new(roommates: usize) -> Self {
        Self {
            told: 0,
            sequences: (0..roommates).map(|_| Sequence::default()).collect(),
            faults: Faults::default(),
            heard: 0,
        }
    }

    /// The user goes, or comes back.
    pub fn turn(&mut self) {
        self.told += NEWS_EACH_WAY;
    }

    /// A roommate hears something. It is the latest of its kind: all is heard before more is told.
    pub fn hear(&mut self, roommate: usize, packet: &str) {
        let is_it =
            |(start, part): &(&str, &str)| packet.starts_with(start) && packet.contains(part);
        let kinds = NEWS.len() as u64;
        let number = NEWS.iter().position(is_it).and_then(|kind| {
            let last = self.told.checked_sub(1)?;
            last.checked_sub((last + kinds - kind as u64) % kinds)
        });
        let number = number.unwrap_or(u64::MAX);
        if self.sequences[roommate].hear(number, self.told, &mut self.faults) {
            self.heard += 1;
        }
    }

    pub fn is_all_heard(&self) -> bool {
        self.heard == self.told * self.sequences.len() as u64
    }
}

pub struct Flap {
    address: SocketAddr,
    roommates: Crowd,
    user: Option<Crowd>,
    books: Books,
}

impl Flap {
    pub fn open(address: SocketAddr, count: usize) -> Outcome<Self> {
        let mut flap = Self {
            address,
            roommates: members(address, "user", ROOM, count)?,
            user: None,
            books: Books::new(count),
        };
        flap.user = Some(flap.come()?);
        // They have not begun to count.
        flap.roommates.settle(Duration::from_millis(300))?;
        Ok(flap)
    }

    fn come(&self) -> Outcome<Crowd> {
        let mut user = connect(self.address, USER, 1)?;
        user.ask_all(&[join(ROOM)])?;
        Ok(user)
    }

    fn go_and_come(&mut self) -> Outcome<()> {
        if let Some(mut user) = self.user.take() {
            user.say(0, b"41");
            user.turn(Duration::ZERO, &mut |_, _| {})?;
        }
        self.until_all_hear()?;
        self.user = Some(self.come()?);
        self.until_all_hear()
    }

    fn until_all_hear(&mut self) -> Outcome<()> {
        self.books.turn();
        let books = &mut self.books;
        while !books.is_all_heard() {
            self.roommates.wait("roommates hear", |roommate, heard| {
                if let Heard::Packet(packet) = heard {
                    books.hear(roommate, &String::from_utf8_lossy(packet));
                }
            })?;
        }
        Ok(())
    }
}

impl Scene for Flap {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let began = Instant::now();
        let first = self.books.heard;
        while began.elapsed() < time {
            self.go_and_come()?;
        }
        Ok(Round {
            operations: self.books.heard - first,
            seconds: began.elapsed().as_secs_f64(),
            faults: std::mem::take(&mut self.books.faults),
            ..Round::default()
        })
    }

    fn rest(&mut self) -> Outcome<()> {
        Ok(())
    }
}
