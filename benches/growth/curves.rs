//! What grows, and what is done with it.

use std::net::SocketAddr;

use crate::{
    Outcome,
    crowd::Crowd,
    enter::{Asks, Enter},
    flap::Flap,
    house::{Beside, HOLDERS, Quiet, connect, hold, others},
    point::{Grown, Per, Point, Working, server},
    talk::{Pace, Shape, Talk, Voice},
    visit::{VISITORS, Visit},
};

/// Several messages for a member go out in one write where they can.
const IN_FLIGHT: Pace = Pace::Unacknowledged(8);
/// Each delivery is a write.
const ONE_BY_ONE: Pace = Pace::OneByOne;
const MEMBERS: &[usize] = &[10, 100, 1_000, 4_000];
/// In the room that others are beside.
const ROOM: usize = 100;
const SMALL_ROOM: usize = 10;

/// How the cost is to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Not at all.
    Flat,
    /// Not at all, and it falls while what is done once is much of it.
    AtMostFlat,
    /// As what is told does.
    AsTold,
}

pub struct Curve {
    pub name: &'static str,
    pub work: &'static str,
    pub unit: &'static str,
    /// What the sizes are of.
    pub by: &'static str,
    pub sizes: &'static [usize],
    /// What is there of it at the size 0.
    pub besides: usize,
    pub expected: Expected,
    pub open: fn(usize) -> Outcome<Box<dyn Point>>,
}

pub const CURVES: &[Curve] = &[
    Curve {
        name: "broadcast",
        work: "message:send to one room, 8 in flight",
        unit: "µs/delivery",
        by: "members",
        sizes: MEMBERS,
        besides: 0,
        expected: Expected::AtMostFlat,
        open: |members| broadcast(members, IN_FLIGHT, Voice::Member),
    },
    Curve {
        name: "broadcast_1",
        work: "message:send to one room, 1 in flight",
        unit: "µs/delivery",
        by: "members",
        sizes: MEMBERS,
        besides: 0,
        expected: Expected::AtMostFlat,
        open: |members| broadcast(members, ONE_BY_ONE, Voice::Member),
    },
    Curve {
        name: "emit",
        work: "POST /api/emit to one room, 8 in flight",
        unit: "µs/delivery",
        by: "members",
        sizes: MEMBERS,
        besides: 0,
        expected: Expected::AtMostFlat,
        open: |members| broadcast(members, IN_FLIGHT, Voice::Backend),
    },
    Curve {
        name: "beside_sockets",
        work: "message:send to a room of 100",
        unit: "µs/delivery",
        by: "other sockets",
        sizes: &[0, 1_000, 8_000],
        besides: ROOM,
        expected: Expected::Flat,
        open: |count| beside(|address| others(address, count)),
    },
    Curve {
        name: "beside_rooms",
        work: "message:send to a room of 100",
        unit: "µs/delivery",
        by: "other rooms",
        sizes: &[0, 1_000, 10_000],
        besides: ROOM,
        expected: Expected::Flat,
        open: |rooms| beside(|address| held(address, rooms)),
    },
    Curve {
        name: "join",
        work: "join:room (ack lists the users), leave:room",
        unit: "µs/both",
        by: "members",
        sizes: MEMBERS,
        besides: 0,
        expected: Expected::AsTold,
        open: |members| enter(members, 1, Asks::Both),
    },
    Curve {
        name: "join_unasked",
        work: "join:room without an ack, leave:room",
        unit: "µs/both",
        by: "members",
        sizes: MEMBERS,
        besides: 0,
        expected: Expected::Flat,
        open: |members| enter(members, 1, Asks::Leaving),
    },
    Curve {
        name: "join_rooms",
        work: "join:room, leave:room, 10 members",
        unit: "µs/both",
        by: "rooms it is in",
        sizes: &[1, 10, 100, 900],
        besides: 0,
        expected: Expected::Flat,
        open: |rooms| enter(SMALL_ROOM, rooms, Asks::Both),
    },
    Curve {
        name: "connect",
        work: "connect, sign in and say goodbye",
        unit: "µs",
        by: "connected",
        sizes: &[0, 1_000, 4_000, 8_000],
        besides: VISITORS,
        expected: Expected::Flat,
        open: |connected| {
            let server = server()?;
            let others = others(server.addresses[0], connected)?;
            let scene = Box::new(Visit::open(server.addresses[0])?);
            Working::boxed(server, Beside { scene, others }, Per::Operation)
        },
    },
    Curve {
        name: "presence",
        work: "a user goes, comes back: 4 events each",
        unit: "µs/delivery",
        by: "roommates",
        sizes: MEMBERS,
        besides: 0,
        expected: Expected::AtMostFlat,
        open: |roommates| {
            let server = server()?;
            let scene = Flap::open(server.addresses[0], roommates)?;
            Working::boxed(server, scene, Per::Operation)
        },
    },
    Curve {
        name: "idle",
        work: "nothing, with rooms of one or two",
        unit: "µs/s",
        by: "rooms",
        sizes: &[0, 1_000, 10_000],
        besides: HOLDERS,
        expected: Expected::Flat,
        open: |rooms| {
            let server = server()?;
            let others = held(server.addresses[0], rooms)?;
            let scene = Box::new(Quiet);
            Working::boxed(server, Beside { scene, others }, Per::Second)
        },
    },
    Curve {
        name: "idle_memory",
        work: "memory of rooms of one or two",
        unit: "bytes/room",
        by: "rooms",
        sizes: &[1_000, 10_000],
        besides: 0,
        expected: Expected::AtMostFlat,
        open: |rooms| Ok(Box::new(Grown { rooms })),
    },
];

fn broadcast(members: usize, pace: Pace, voice: Voice) -> Outcome<Box<dyn Point>> {
    let server = server()?;
    let shape = Shape {
        rooms: 1,
        members,
        pace,
        voice,
    };
    let scene = Talk::open(&server.addresses, shape)?;
    Working::boxed(server, scene, Per::Operation)
}

/// A room of [`ROOM`], beside others.
fn beside(others: impl FnOnce(SocketAddr) -> Outcome<Crowd>) -> Outcome<Box<dyn Point>> {
    let server = server()?;
    let others = others(server.addresses[0])?;
    let shape = Shape {
        rooms: 1,
        members: ROOM,
        pace: IN_FLIGHT,
        voice: Voice::Member,
    };
    let scene = Box::new(Talk::open(&server.addresses, shape)?);
    Working::boxed(server, Beside { scene, others }, Per::Operation)
}

/// As many sockets at all sizes, in so many rooms.
fn held(address: SocketAddr, rooms: usize) -> Outcome<Crowd> {
    let mut crowd = connect(address, "holder", HOLDERS)?;
    hold(&mut crowd, rooms)?;
    Ok(crowd)
}

fn enter(members: usize, rooms: usize, asks: Asks) -> Outcome<Box<dyn Point>> {
    let server = server()?;
    let scene = Enter::open(server.addresses[0], members, rooms, asks)?;
    Working::boxed(server, scene, Per::Operation)
}
