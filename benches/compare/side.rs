//! One of those that are measured in turns: a server, and what it is made to do.

use std::time::{Duration, Instant};

use crate::{
    Outcome,
    check::Faults,
    crowd::Crowd,
    process::Server,
    scene::{Plan, Round, Scene},
    wire,
};

/// Connections before those that are counted: what the first ones bring with them stays.
const FIRST_CONNECTIONS: usize = 100;
/// For so many rounds' time nothing happens before memory is read.
const QUIET_ROUNDS: u32 = 3;
const SILENCE: Duration = Duration::from_millis(500);
const GROUP_SIZE: &str = "roomcast_store_group_size";

/// What one round of one side gave.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// What is compared.
    pub value: f64,
    pub operations: u64,
    pub per_second: f64,
    pub bytes_per_operation: f64,
    /// Milliseconds to the half of the deliveries, and to 99 of 100.
    pub latency: Option<[f64; 2]>,
    pub writes_per_commit: Option<f64>,
    pub faults: Faults,
}

pub trait Side {
    fn round(&mut self, plan: &Plan) -> Outcome<Figure>;

    /// Keeps connections while other sides have their turns.
    fn rest(&mut self) -> Outcome<()>;
}

/// What is counted of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// CPU time of the server for each operation, in microseconds.
    Cpu,
    /// The same, and how long deliveries take.
    CpuAndLatency,
    /// Operations a second, and how many writes a commit has.
    Rate,
}

pub struct Served {
    pub server: Server,
    pub scene: Box<dyn Scene>,
    pub counted: Counted,
}

impl Served {
    fn writes_and_commits(&self) -> Outcome<[f64; 2]> {
        let read = |suffix| self.server.metric(&format!("{GROUP_SIZE}_{suffix}"));
        Ok([read("sum")?, read("count")?])
    }
}

impl Side for Served {
    fn round(&mut self, plan: &Plan) -> Outcome<Figure> {
        let is_rate = self.counted == Counted::Rate;
        let before = if is_rate {
            self.writes_and_commits()?
        } else {
            [0.0; 2]
        };
        let cpu = self.server.cpu()?;
        let round = self.scene.round(plan.round)?;
        let cpu = self.server.cpu()? - cpu;
        let mut figure = figure(&round);
        figure.value = cpu.as_secs_f64() * 1e6 / round.operations.max(1) as f64;
        if self.counted == Counted::CpuAndLatency {
            figure.latency = quantiles(round.latencies);
        }
        if is_rate {
            let after = self.writes_and_commits()?;
            figure.value = figure.per_second;
            figure.writes_per_commit = Some((after[0] - before[0]) / (after[1] - before[1]));
        }
        Ok(figure)
    }

    fn rest(&mut self) -> Outcome<()> {
        self.scene.rest()
    }
}

fn figure(round: &Round) -> Figure {
    Figure {
        operations: round.operations,
        per_second: round.operations as f64 / round.seconds,
        bytes_per_operation: round.bytes as f64 / round.operations.max(1) as f64,
        faults: round.faults,
        ..Figure::default()
    }
}

fn quantiles(mut micros: Vec<u32>) -> Option<[f64; 2]> {
    micros.sort_unstable();
    let at = |percent| {
        micros
            .get(micros.len() * percent / 100)
            .map(|us| f64::from(*us) / 1e3)
    };
    Some([at(50)?, at(99)?])
}

/// A server of its own in each round, whose memory is read before and after so many have
/// connected.
pub struct Idle {
    pub start: fn() -> Outcome<Server>,
    pub connections: usize,
}

impl Idle {
    fn connect(&self, server: &Server, count: usize) -> Outcome<Crowd> {
        let mut crowd = Crowd::new()?;
        let mut clients = Vec::with_capacity(count);
        for number in 0..count {
            let token = wire::token(&format!("user-{number}"), None)?;
            clients.push((server.addresses[0], token));
        }
        crowd.connect(&clients)?;
        Ok(crowd)
    }
}

impl Side for Idle {
    fn round(&mut self, plan: &Plan) -> Outcome<Figure> {
        let server = (self.start)()?;
        let mut first = self.connect(&server, FIRST_CONNECTIONS.min(self.connections))?;
        first.settle(SILENCE)?;
        drop(first);
        std::thread::sleep(plan.round);
        let before = server.resident()?;
        let mut crowd = self.connect(&server, self.connections)?;
        let began = Instant::now();
        while began.elapsed() < plan.round * QUIET_ROUNDS {
            crowd.turn(SILENCE, &mut |_, _| {})?;
        }
        let grown = server.resident()?.saturating_sub(before);
        Ok(Figure {
            value: grown as f64 / 1_024.0 / self.connections as f64,
            operations: self.connections as u64,
            ..Figure::default()
        })
    }

    fn rest(&mut self) -> Outcome<()> {
        Ok(())
    }
}
