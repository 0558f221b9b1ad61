//! One socket that enters a room and leaves it, again and again.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    check::{Faults, Sequence},
    crowd::{Crowd, Heard},
    house::{Beside, join, members, users},
    scene::{Round, Scene},
    wire,
};

const ROOM: &str = "hall";
const MEMBER: &str = "user";
/// So many times it has entered and left and not yet heard that it has.
const IN_FLIGHT: u64 = 8;

/// What of it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Both; the ack of `join:room` lists the users in the room.
    Both,
    /// That it has left.
    Leaving,
}

/// The second device of a user who is in the room, so that nobody is to hear of it.
pub struct Enter {
    crowd: Crowd,
    asks: Asks,
    /// What is to be acknowledged, and what was.
    asked: u64,
    acks: Sequence,
}

impl Enter {
    /// `rooms`: so many others it is in already.
    pub fn open(address: SocketAddr, count: usize, rooms: usize, asks: Asks) -> Outcome<Beside> {
        let others = members(address, MEMBER, ROOM, count)?;
        let mut crowd = Crowd::new()?;
        crowd.connect(&users(address, MEMBER, 1)?)?;
        for number in 0..rooms {
            crowd.ask_all(&[join(&format!("other-{number}"))])?;
        }
        let enter = Self {
            crowd,
            asks,
            asked: 0,
            acks: Sequence::default(),
        };
        let scene = Box::new(enter);
        Ok(Beside { scene, others })
    }

    fn acks_each(&self) -> u64 {
        if self.asks == Asks::Both { 2 } else { 1 }
    }

    fn enter_and_leave(&mut self) {
        let entering = match self.asks {
            Asks::Both => self.next_ack().to_string(),
            Asks::Leaving => String::new(),
        };
        let enter = format!("42{entering}[\"join:room\",\"{ROOM}\"]");
        self.crowd.say(0, enter.as_bytes());
        let leave = format!("42{}[\"leave:room\",\"{ROOM}\"]", self.next_ack());
        self.crowd.say(0, leave.as_bytes());
    }

    fn next_ack(&mut self) -> u64 {
        self.asked += 1;
        self.asked - 1
    }
}

impl Scene for Enter {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let began = Instant::now();
        let first = self.asked;
        let mut left = 0;
        let mut faults = Faults::default();
        loop {
            while began.elapsed() < time && left < IN_FLIGHT * self.acks_each() {
                self.enter_and_leave();
                left += self.acks_each();
            }
            if left == 0 {
                break;
            }
            let (acks, asked) = (&mut self.acks, self.asked);
            self.crowd.wait("answers are due", |_, heard| {
                let Heard::Packet([b'4', b'3', ack @ ..]) = heard else {
                    faults.invented += 1;
                    return;
                };
                let (number, rest) = wire::digits(ack);
                if !rest.starts_with(b"[{\"ok\":true") {
                    faults.invented += 1;
                } else if acks.hear(number, asked, &mut faults) {
                    left -= 1;
                }
            })?;
        }
        self.acks.end(self.asked, &mut faults);
        Ok(Round {
            operations: (self.asked - first) / self.acks_each(),
            seconds: began.elapsed().as_secs_f64(),
            faults,
            ..Round::default()
        })
    }

    fn rest(&mut self) -> Outcome<()> {
        Ok(())
    }
}
