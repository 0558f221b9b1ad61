//! What is measured: something that a server is made to do for a while, and what came of it.

use std::time::Duration;

use crate::{Outcome, check::Faults};

/// How long a round takes, and with how many clients.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub round: Duration,
    /// Clients are fewer by this factor.
    pub divisor: usize,
}

impl Plan {
    /// So many clients, or fewer.
    pub fn scaled(&self, count: usize) -> usize {
        (count / self.divisor).max(1)
    }
}

/// What came of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// What was done: deliveries, answers, requests.
    pub operations: u64,
    pub seconds: f64,
    /// What was read from the server.
    pub bytes: u64,
    /// From sending to hearing, in microseconds.
    pub latencies: Vec<u32>,
    pub faults: Faults,
}

pub trait Scene {
    /// Lets the server work for so long, and waits until all has come.
    fn round(&mut self, time: Duration) -> Outcome<Round>;

    /// Answers what the server asks while another one is measured.
    fn rest(&mut self) -> Outcome<()>;
}
