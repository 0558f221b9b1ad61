//! One client that asks and waits for its answer; and a driver who reports where it is, to three
//! watchers.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    check::{Faults, Sequence},
    crowd::{Crowd, Heard},
    scene::{Round, Scene},
    wire,
};

const DRIVER: &str = "driver-1";
const NO_CONTENT: u16 = 204;
/// As each of the servers tells it.
const LOCATION: &str = "42[\"location-update\",{\"driverId\":\"driver-1\",\"lat\":";
/// Degrees are told in steps of a millionth from here, and so give reports their numbers.
const FIRST_LATITUDE: u64 = 10_000_000;
const LATITUDE_PLACES: usize = 6;

/// One socket that asks, and asks again when it was answered.
pub struct Ask {
    crowd: Crowd,
    asked: u64,
}

impl Ask {
    pub fn open(address: SocketAddr) -> Outcome<Self> {
        let mut crowd = Crowd::new()?;
        crowd.connect(&[(address, wire::token("alice", None)?)])?;
        Ok(Self { crowd, asked: 0 })
    }
}

impl Scene for Ask {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let began = Instant::now();
        let (first, bytes) = (self.asked, self.crowd.bytes());
        let mut faults = Faults::default();
        while began.elapsed() < time {
            let number = self.asked;
            self.asked += 1;
            self.crowd
                .say(0, format!("42{number}[\"presence:get\",[]]").as_bytes());
            let mut is_answered = false;
            while !is_answered {
                self.crowd.wait("an answer is due", |_, heard| {
                    let Heard::Packet([b'4', b'3', ack @ ..]) = heard else {
                        return;
                    };
                    match wire::digits(ack) {
                        (ack, rest) if ack == number && rest.starts_with(b"[{\"ok\":true") => {
                            faults.doubled += u64::from(is_answered);
                            is_answered = true;
                        }
                        _ => faults.invented += 1,
                    }
                })?;
            }
        }
        Ok(Round {
            operations: self.asked - first,
            seconds: began.elapsed().as_secs_f64(),
            bytes: self.crowd.bytes() - bytes,
            latencies: Vec::new(),
            faults,
        })
    }

    fn rest(&mut self) -> Outcome<()> {
        self.crowd.turn(Duration::ZERO, &mut |_, _| {}).map(drop)
    }
}

/// A driver whose next report goes out when the last was answered and all watchers have it.
pub struct Drive {
    crowd: Crowd,
    line: usize,
    token: String,
    sequences: Vec<Sequence>,
    sent: u64,
}

impl Drive {
    pub fn open(address: SocketAddr, watchers: usize) -> Outcome<Self> {
        let mut crowd = Crowd::new()?;
        let mut clients = Vec::new();
        for number in 0..watchers {
            clients.push((address, wire::token(&format!("user-{number}"), None)?));
        }
        crowd.connect(&clients)?;
        let watch = format!("420[\"watch-delivery\",\"{DRIVER}\"]");
        crowd.ask_all(&vec![watch; watchers])?;
        let line = crowd.line(address)?;
        Ok(Self {
            crowd,
            line,
            token: wire::token(DRIVER, Some("driver"))?,
            sequences: (0..watchers).map(|_| Sequence::default()).collect(),
            sent: 0,
        })
    }

    /// Reports once, and waits for all that comes of it.
    fn report(&mut self, faults: &mut Faults) -> Outcome<()> {
        let latitude = FIRST_LATITUDE + self.sent;
        let (degrees, millionths) = (latitude / 1_000_000, latitude % 1_000_000);
        let body =
            format!("{{\"lat\":{degrees}.{millionths:06},\"lng\":13.404954,\"heading\":90}}");
        let path = format!("/api/driver/{DRIVER}/location");
        let request = wire::post(&path, &self.token, &body);
        self.crowd.request(self.line, request.as_bytes());
        self.sent += 1;
        let mut left = self.sequences.len() + 1;
        let mut refused = None;
        while left > 0 && refused.is_none() {
            let (sequences, sent) = (&mut self.sequences, self.sent);
            self.crowd
                .wait("a report is due", |client, heard| match heard {
                    Heard::Answer(NO_CONTENT) => left = left.saturating_sub(1),
                    Heard::Answer(status) => refused = Some(status),
                    Heard::Packet(packet) => {
                        let Some(told) = packet.strip_prefix(LOCATION.as_bytes()) else {
                            return;
                        };
                        if sequences[client].hear(report_number(told), sent, faults) {
                            left = left.saturating_sub(1);
                        }
                    }
                })?;
        }
        refused.map_or(Ok(()), |status| {
            Err(format!("a report was answered by {status}").into())
        })
    }
}

/// The number of the report that has this latitude.
fn report_number(latitude: &[u8]) -> u64 {
    let (mut value, rest) = wire::digits(latitude);
    let mut places = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit());
    for _ in 0..LATITUDE_PLACES {
        // JSON has no zeros at the end.
        value = value * 10 + places.next().map_or(0, |digit| u64::from(digit - b'0'));
    }
    value.wrapping_sub(FIRST_LATITUDE)
}

impl Scene for Drive {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let began = Instant::now();
        let (first, bytes) = (self.sent, self.crowd.bytes());
        let mut faults = Faults::default();
        while began.elapsed() < time {
            self.report(&mut faults)?;
        }
        for sequence in &mut self.sequences {
            sequence.end(self.sent, &mut faults);
        }
        Ok(Round {
            operations: self.sent - first,
            seconds: began.elapsed().as_secs_f64(),
            bytes: self.crowd.bytes() - bytes,
            latencies: Vec::new(),
            faults,
        })
    }

    fn rest(&mut self) -> Outcome<()> {
        self.crowd.turn(Duration::ZERO, &mut |_, _| {}).map(drop)
    }
}
