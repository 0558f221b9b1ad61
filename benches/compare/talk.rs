//! Rooms in which one speaks and all hear it: broadcasts, with so many in flight or at a pace.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    crowd::{Crowd, PATIENCE},
    hall::Hall,
    scene::{Round, Scene},
    wire::{self, API_KEY},
};

const TURN: Duration = Duration::from_millis(50);
const SILENCE: Duration = Duration::from_millis(500);

/// Who speaks in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Its first member, by `message:send`.
    Member,
    /// A backend, by `POST /api/emit`.
    Backend,
}

/// When the next message is sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// While fewer than so many of a room are not yet acknowledged.
    Unacknowledged(u64),
    /// When the last one of the room is acknowledged and with every member.
    OneByOne,
    /// As often as this, whatever became of the last one.
    Every(Duration),
}

#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub rooms: usize,
    /// In each room.
    pub members: usize,
    pub pace: Pace,
    pub voice: Voice,
}

pub struct Talk {
    crowd: Crowd,
    hall: Hall,
    shape: Shape,
    /// The client that speaks, by room.
    speakers: Vec<usize>,
    /// How long nothing may come at the end of a round until the rest counts as lost.
    pub patience: Duration,
}

impl Talk {
    /// Brings everybody into their rooms, on each of the servers alike.
    pub fn open(addresses: &[SocketAddr], shape: Shape) -> Outcome<Self> {
        let mut crowd = Crowd::new()?;
        let count = shape.rooms * shape.members;
        let mut clients = Vec::with_capacity(count);
        for (number, address) in (0..count).zip(addresses.iter().cycle()) {
            clients.push((*address, wire::token(&format!("user-{number}"), None)?));
        }
        crowd.connect(&clients)?;
        let joins: Vec<_> = (0..count)
            .map(|number| format!("420[\"join:room\",\"{}\"]", number / shape.members))
            .collect();
        crowd.ask_all(&joins)?;
        let mut speakers: Vec<_> = (0..shape.rooms).map(|room| room * shape.members).collect();
        if shape.voice == Voice::Backend {
            for speaker in &mut speakers {
                *speaker = crowd.line(addresses[0])?;
            }
        }
        crowd.settle(SILENCE)?;
        Ok(Self {
            crowd,
            hall: Hall::new(&speakers, shape.members),
            shape,
            speakers,
            patience: PATIENCE,
        })
    }

    /// Sends what is due; how long until more is, at most.
    fn speak(&mut self, due_at: &mut Instant) -> Duration {
        match self.shape.pace {
            Pace::Unacknowledged(most) => {
                for room in 0..self.shape.rooms {
                    while self.hall.unacknowledged(room) < most {
                        self.say(room);
                    }
                }
                TURN
            }
            Pace::OneByOne => {
                for room in 0..self.shape.rooms {
                    if self.hall.is_done(room) {
                        self.say(room);
                    }
                }
                TURN
            }
            Pace::Every(interval) => {
                let now = Instant::now();
                while *due_at <= now {
                    *due_at += interval;
                    self.say(0);
                }
                TURN.min(*due_at - now)
            }
        }
    }

    fn say(&mut self, room: usize) {
        let (number, content) = self.hall.next(room);
        let speaker = self.speakers[room];
        match self.shape.voice {
            Voice::Member => {
                let message = format!(
                    "42{number}[\"message:send\",{{\"roomId\":\"{room}\",\"content\":\"{content}\"}}]"
                );
                self.crowd.say(speaker, message.as_bytes());
            }
            Voice::Backend => {
                let body = format!(
                    "{{\"event\":\"message:new\",\"args\":[{{\"roomId\":\"{room}\",\"content\":\"{content}\"}}],\
                     \"to\":{{\"rooms\":[\"room:{room}\"]}}}}"
                );
                let request = wire::post("/api/emit", API_KEY, &body);
                self.crowd.request(speaker, request.as_bytes());
            }
        }
    }
}

impl Scene for Talk {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let began = Instant::now();
        let bytes = self.crowd.bytes();
        let (mut due_at, mut heard_at) = (began, began);
        loop {
            let is_over = began.elapsed() >= time;
            if is_over && (self.hall.is_all_done() || heard_at.elapsed() > self.patience) {
                break;
            }
            let wait = if is_over {
                TURN
            } else {
                self.speak(&mut due_at)
            };
            let hall = &mut self.hall;
            if self
                .crowd
                .turn(wait, &mut |client, heard| hall.hear(client, &heard))?
            {
                heard_at = Instant::now();
            }
        }
        let mut round = self.hall.end()?;
        round.seconds = began.elapsed().as_secs_f64();
        round.bytes = self.crowd.bytes() - bytes;
        Ok(round)
    }

    fn rest(&mut self) -> Outcome<()> {
        let hall = &mut self.hall;
        self.crowd.turn(Duration::ZERO, &mut |client, heard| {
            hall.hear(client, &heard)
        })?;
        Ok(())
    }
}
