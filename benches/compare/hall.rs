//! The books of a talk: what was sent, and who has heard what of it.

use std::{collections::VecDeque, time::Instant};

use crate::{
    Outcome,
    check::{Faults, Sequence},
    crowd::Heard,
    scene::Round,
    wire,
};

const MESSAGE: &[u8] = b"42[\"message:new\",";
/// What comes before the number of a message, and nowhere else.
const MARK: u8 = b'#';
const ACCEPTED: u16 = 202;

struct Room {
    /// The client whose messages are acknowledged.
    speaker: usize,
    sent: u64,
    acked: u64,
    /// All messages before this one are acknowledged and with every member.
    done: u64,
    /// How often those that follow were heard.
    heard: VecDeque<usize>,
}

pub struct Hall {
    members: usize,
    rooms: Vec<Room>,
    /// By client: the members of the first room, of the second, …
    sequences: Vec<Sequence>,
    began: Instant,
    /// Where the mark was last.
    mark: usize,
    round: Round,
    refused: Option<String>,
}

impl Hall {
    pub fn new(speakers: &[usize], members: usize) -> Self {
        let room = |speaker: &usize| Room {
            speaker: *speaker,
            sent: 0,
            acked: 0,
            done: 0,
            heard: VecDeque::new(),
        };
        Self {
            members,
            rooms: speakers.iter().map(room).collect(),
            sequences: (0..speakers.len() * members)
                .map(|_| Sequence::default())
                .collect(),
            began: Instant::now(),
            mark: 0,
            round: Round::default(),
            refused: None,
        }
    }

    /// The number and the content of a room's next message, which is sent now.
    pub fn next(&mut self, room: usize) -> (u64, String) {
        let room = &mut self.rooms[room];
        let number = room.sent;
        room.sent += 1;
        room.heard.push_back(0);
        let at = self.began.elapsed().as_nanos();
        (
            number,
            format!("#{number:09} {at:015} and so on, of usual length"),
        )
    }

    pub fn unacknowledged(&self, room: usize) -> u64 {
        self.rooms[room].sent - self.rooms[room].acked
    }

    /// Whether all messages of the room are acknowledged and with every member.
    pub fn is_done(&self, room: usize) -> bool {
        self.rooms[room].sent == self.rooms[room].done
    }

    pub fn is_all_done(&self) -> bool {
        (0..self.rooms.len()).all(|room| self.is_done(room))
    }

    pub fn hear(&mut self, client: usize, heard: &Heard<'_>) {
        match heard {
            Heard::Packet(packet) if packet.starts_with(MESSAGE) => self.message(client, packet),
            Heard::Packet([b'4', b'3', ack @ ..]) => {
                let (number, rest) = wire::digits(ack);
                if rest.starts_with(b"[{\"ok\":true") {
                    self.ack(client / self.members, number);
                } else {
                    self.refused = Some(String::from_utf8_lossy(ack).into_owned());
                }
            }
            // Who comes and goes, and what a socket is told of itself.
            Heard::Packet(_) => {}
            Heard::Answer(ACCEPTED) => {
                let speaks = |room: &Room| room.speaker == client;
                if let Some(room) = self.rooms.iter().position(speaks) {
                    self.ack(room, self.rooms[room].acked);
                }
            }
            Heard::Answer(status) => self.refused = Some(format!("status {status}")),
        }
    }

    fn message(&mut self, client: usize, packet: &[u8]) {
        if packet.get(self.mark) != Some(&MARK) {
            let found = packet.iter().position(|byte| *byte == MARK);
            self.mark = found.unwrap_or_default();
        }
        let (number, rest) = wire::digits(&packet[self.mark + 1..]);
        let (sent_at, _) = wire::digits(rest.get(1..).unwrap_or_default());
        let room = &mut self.rooms[client / self.members];
        let faults = &mut self.round.faults;
        if !self.sequences[client].hear(number, room.sent, faults) {
            return;
        }
        self.round.operations += 1;
        let latency = self.began.elapsed().as_nanos() - u128::from(sent_at);
        let micros = u32::try_from(latency / 1_000).unwrap_or(u32::MAX);
        self.round.latencies.push(micros);
        if let Some(count) = number.checked_sub(room.done) {
            // It is not done, so it stands there.
            room.heard[count as usize] += 1;
            room.advance(self.members);
        }
    }

    fn ack(&mut self, room: usize, number: u64) {
        let room = &mut self.rooms[room];
        if number == room.acked {
            room.acked += 1;
        } else {
            self.round.faults.disordered += 1;
        }
        room.advance(self.members);
    }

    /// What came of the round; what has not come is lost.
    pub fn end(&mut self) -> Outcome<Round> {
        if let Some(why) = self.refused.take() {
            return Err(format!("a message was refused: {why}").into());
        }
        let mut round = std::mem::take(&mut self.round);
        let mut faults = Faults::default();
        for (client, sequence) in self.sequences.iter_mut().enumerate() {
            sequence.end(self.rooms[client / self.members].sent, &mut faults);
        }
        for room in &mut self.rooms {
            faults.lost += room.sent - room.acked;
            (room.acked, room.done) = (room.sent, room.sent);
            room.heard.clear();
        }
        round.faults += faults;
        Ok(round)
    }
}

impl Room {
    fn advance(&mut self, members: usize) {
        while self.acked > self.done && self.heard.front() == Some(&members) {
            self.heard.pop_front();
            self.done += 1;
        }
    }
}
