//! A point of a curve: a server with so much on it, and what that costs.

use std::time::Duration;

use crate::{
    Outcome,
    check::Faults,
    cpu::Cpu,
    house::{HOLDERS, connect, hold},
    process::Server,
    scene::Scene,
};

/// What is the heartbeats' is not counted as that of something else.
const SETTINGS: &[(&str, &str)] = &[("ROOMCAST_SOCKET__PING_INTERVAL_MS", "600000")];
/// Before its memory is read, for so many rounds' time.
const QUIET_ROUNDS: u32 = 2;

/// What one round gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figure {
    pub value: f64,
    pub operations: u64,
    pub faults: Faults,
}

pub trait Point: Send {
    fn round(&mut self, time: Duration) -> Outcome<Figure>;
}

/// What the processor time is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// In microseconds.
    Operation,
    /// The same, of the second.
    Second,
}

/// A server that works.
pub struct Working {
    cpu: Cpu,
    scene: Box<dyn Scene + Send>,
    per: Per,
    _server: Server,
}

/// A server with nobody on it.
pub fn server() -> Outcome<Server> {
    Server::roomcast(SETTINGS)
}

impl Working {
    pub fn boxed(
        server: Server,
        scene: impl Scene + Send + 'static,
        per: Per,
    ) -> Outcome<Box<dyn Point>> {
        let pid = server.pids().next().ok_or("no server")?;
        Ok(Box::new(Self {
            cpu: Cpu::of(pid),
            scene: Box::new(scene),
            per,
            _server: server,
        }))
    }
}

impl Point for Working {
    fn round(&mut self, time: Duration) -> Outcome<Figure> {
        let before = self.cpu.read_at_rest()?;
        let round = self.scene.round(time)?;
        let after = match self.per {
            Per::Operation => self.cpu.read_at_rest()?,
            Per::Second => self.cpu.read()?,
        };
        let micros = (after - before).as_secs_f64() * 1e6;
        let value = match self.per {
            Per::Operation => micros / round.operations.max(1) as f64,
            Per::Second => micros / round.seconds,
        };
        Ok(Figure {
            value,
            operations: round.operations,
            faults: round.faults,
        })
    }
}

/// A server of its own in each round, whose memory is read before and after there are so many
/// rooms.
pub struct Grown {
    pub rooms: usize,
}

impl Point for Grown {
    fn round(&mut self, time: Duration) -> Outcome<Figure> {
        let server = server()?;
        let mut crowd = connect(server.addresses[0], "holder", HOLDERS)?;
        // What the first rooms bring with them stays: tables, buffers, threads.
        hold(&mut crowd, HOLDERS)?;
        std::thread::sleep(time * QUIET_ROUNDS);
        let before = server.resident()?;
        hold(&mut crowd, HOLDERS + self.rooms)?;
        std::thread::sleep(time * QUIET_ROUNDS);
        let grown = server.resident()?.saturating_sub(before);
        Ok(Figure {
            value: grown as f64 / self.rooms as f64,
            operations: self.rooms as u64,
            ..Figure::default()
        })
    }
}
