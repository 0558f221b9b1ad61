//! Clients that connect, sign in, say goodbye and are gone.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    crowd::Crowd,
    house::users,
    scene::{Round, Scene},
};

/// So many come at a time.
pub const VISITORS: usize = 50;
/// In one round, so that ports do not run out: each stays taken for a minute.
const MOST: u64 = 3_000;

pub struct Visit {
    visitors: Vec<(SocketAddr, String)>,
}

impl Visit {
    pub fn open(address: SocketAddr) -> Outcome<Self> {
        let visitors = users(address, "visitor", VISITORS)?;
        Ok(Self { visitors })
    }
}

impl Scene for Visit {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let began = Instant::now();
        let mut operations = 0;
        while began.elapsed() < time && operations < MOST {
            let mut crowd = Crowd::new()?;
            // Each is welcomed, or it fails.
            crowd.connect(&self.visitors)?;
            for visitor in 0..self.visitors.len() {
                crowd.say(visitor, b"41");
            }
            crowd.turn(Duration::ZERO, &mut |_, _| {})?;
            operations += self.visitors.len() as u64;
        }
        Ok(Round {
            operations,
            seconds: began.elapsed().as_secs_f64(),
            ..Round::default()
        })
    }

    fn rest(&mut self) -> Outcome<()> {
        Ok(())
    }
}
