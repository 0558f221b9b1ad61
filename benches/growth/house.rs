//! Who is there: crowds of users, and the rooms that they are in.

use std::{net::SocketAddr, time::Duration};

use crate::{
    Outcome,
    check::Faults,
    crowd::{Crowd, Heard},
    scene::{Round, Scene},
    wire,
};

/// How many sockets hold rooms in which nothing happens, whatever the number of rooms.
pub const HOLDERS: usize = 40;
/// In each room of those who have nothing to do with what is measured.
const OTHERS_IN_A_ROOM: usize = 10;
const SILENCE: Duration = Duration::from_millis(300);

/// Connects so many users of this name, each with one device.
pub fn connect(address: SocketAddr, name: &str, count: usize) -> Outcome<Crowd> {
    let mut crowd = Crowd::new()?;
    crowd.connect(&users(address, name, count)?)?;
    Ok(crowd)
}

/// Where they connect, and their tokens.
pub fn users(address: SocketAddr, name: &str, count: usize) -> Outcome<Vec<(SocketAddr, String)>> {
    let user = |number| Ok((address, wire::token(&format!("{name}-{number}"), None)?));
    (0..count).map(user).collect()
}

/// What asks to enter a room, with the ack id 0.
pub fn join(room: &str) -> String {
    format!("420[\"join:room\",\"{room}\"]")
}

/// So many users, all in one room.
pub fn members(address: SocketAddr, name: &str, room: &str, count: usize) -> Outcome<Crowd> {
    let mut crowd = connect(address, name, count)?;
    crowd.ask_all(&vec![join(room); count])?;
    crowd.settle(SILENCE)?;
    Ok(crowd)
}

/// So many users in rooms of their own, of a few members each.
pub fn others(address: SocketAddr, count: usize) -> Outcome<Crowd> {
    let mut crowd = connect(address, "other", count)?;
    let room = |number| join(&format!("other-{}", number / OTHERS_IN_A_ROOM));
    crowd.ask_all(&(0..count).map(room).collect::<Vec<_>>())?;
    crowd.settle(SILENCE)?;
    Ok(crowd)
}

/// Brings [`HOLDERS`] into so many rooms, each in its share: one or two are in a room.
pub fn hold(crowd: &mut Crowd, rooms: usize) -> Outcome<()> {
    let room = |number: usize| join(&format!("held-{number}"));
    for first in (0..rooms).step_by(HOLDERS) {
        let end = rooms.min(first + HOLDERS);
        crowd.ask_all(&(first..end).map(room).collect::<Vec<_>>())?;
        let is_second = first / HOLDERS % 2 == 1;
        if is_second && end == first + HOLDERS {
            let next = |holder| room(first + (holder + 1) % HOLDERS);
            crowd.ask_all(&(0..HOLDERS).map(next).collect::<Vec<_>>())?;
        }
    }
    crowd.settle(SILENCE)
}

/// Something that goes on beside others, who hear nothing of it.
pub struct Beside {
    pub scene: Box<dyn Scene + Send>,
    pub others: Crowd,
}

impl Scene for Beside {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let mut round = self.scene.round(time)?;
        let mut faults = Faults::default();
        let mut hear = |_, _: Heard<'_>| faults.invented += 1;
        while self.others.turn(Duration::ZERO, &mut hear)? {}
        round.faults += faults;
        Ok(round)
    }

    fn rest(&mut self) -> Outcome<()> {
        self.scene.rest()
    }
}

/// Nothing, for longer: what the server does by itself it does now and then.
pub struct Quiet;

const QUIET_ROUNDS: u32 = 4;

impl Scene for Quiet {
    fn round(&mut self, time: Duration) -> Outcome<Round> {
        let time = time * QUIET_ROUNDS;
        std::thread::sleep(time);
        Ok(Round {
            operations: u64::try_from(time.as_millis())?,
            seconds: time.as_secs_f64(),
            ..Round::default()
        })
    }

    fn rest(&mut self) -> Outcome<()> {
        Ok(())
    }
}
