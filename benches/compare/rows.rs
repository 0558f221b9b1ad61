//! What is compared: the work, and who does it.

use std::time::Duration;

use crate::{
    Outcome,
    ask::{Ask, Drive},
    process::Server,
    scene::{Plan, Scene},
    side::{Counted, Idle, Served, Side},
    talk::{Pace, Shape, Talk, Voice},
};

const MEMBERS: usize = 1_000;
const CONNECTIONS: usize = 10_000;
const NODES: usize = 2;
const SENDERS: usize = 200;
const WATCHERS: usize = 3;
/// 40 a second.
const INTERVAL: Duration = Duration::from_millis(25);

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Roomcast,
    Node,
    Floor,
    /// Roomcast that commits each write alone.
    OneByOne,
    /// Roomcast with one sender.
    Alone,
}

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Self::Roomcast => "Roomcast",
            Self::Node => "Node",
            Self::Floor => "floor",
            Self::OneByOne => "one commit each",
            Self::Alone => "one sender",
        }
    }
}

pub struct Row {
    pub name: &'static str,
    pub work: &'static str,
    pub unit: &'static str,
    pub sides: &'static [Who],
    pub open: fn(Who, &Plan) -> Outcome<Box<dyn Side>>,
}

const ALL: &[Who] = &[Who::Roomcast, Who::Node, Who::Floor];
const SERVERS: &[Who] = &[Who::Roomcast, Who::Node];
const DURABLE: &[Who] = &[Who::Roomcast, Who::OneByOne, Who::Alone];

pub const ROWS: &[Row] = &[
    Row {
        name: "broadcast_8",
        work: "broadcast to 1,000 members, 8 in flight",
        unit: "µs/delivery",
        sides: ALL,
        open: |who, plan| {
            talk(
                who,
                1,
                one_room(plan, Pace::Unacknowledged(8), Voice::Member),
            )
        },
    },
    Row {
        name: "broadcast_1",
        work: "broadcast to 1,000 members, 1 in flight",
        unit: "µs/delivery",
        sides: ALL,
        open: |who, plan| talk(who, 1, one_room(plan, Pace::OneByOne, Voice::Member)),
    },
    Row {
        name: "emit_8",
        work: "a backend's emit to 1,000, 8 in flight",
        unit: "µs/delivery",
        sides: ALL,
        open: |who, plan| {
            talk(
                who,
                1,
                one_room(plan, Pace::Unacknowledged(8), Voice::Backend),
            )
        },
    },
    Row {
        name: "paced",
        work: "1,000 members, 40 messages a second",
        unit: "µs/delivery",
        sides: ALL,
        open: |who, plan| talk(who, 1, one_room(plan, Pace::Every(INTERVAL), Voice::Member)),
    },
    Row {
        name: "rooms_100",
        work: "100 rooms of 10, saturated",
        unit: "µs/delivery",
        sides: ALL,
        open: |who, plan| {
            let rooms = Shape {
                rooms: plan.scaled(100),
                members: 10,
                pace: Pace::OneByOne,
                voice: Voice::Member,
            };
            talk(who, 1, rooms)
        },
    },
    Row {
        name: "ack",
        work: "ack round trip",
        unit: "µs",
        sides: ALL,
        open: |who, _| {
            let server = start(who, 1)?;
            let scene = Ask::open(server.addresses[0])?;
            Ok(served(server, scene, Counted::Cpu))
        },
    },
    Row {
        name: "driver",
        work: "driver's POST with 3 watchers",
        unit: "µs",
        sides: ALL,
        open: |who, _| {
            let server = start(who, 1)?;
            let scene = Drive::open(server.addresses[0], WATCHERS)?;
            Ok(served(server, scene, Counted::Cpu))
        },
    },
    Row {
        name: "idle",
        work: "idle connection, resident, at 10,000",
        unit: "KB",
        sides: ALL,
        open: |who, plan| {
            let start: fn() -> Outcome<Server> = match who {
                Who::Node => Server::node,
                Who::Floor => Server::floor,
                _ => || Server::roomcast(&[]),
            };
            let connections = plan.scaled(CONNECTIONS);
            Ok(Box::new(Idle { start, connections }))
        },
    },
    Row {
        name: "two_nodes",
        work: "two nodes over Redis, saturated",
        unit: "µs/delivery",
        sides: SERVERS,
        open: |who, plan| {
            talk(
                who,
                NODES,
                one_room(plan, Pace::Unacknowledged(8), Voice::Member),
            )
        },
    },
    Row {
        name: "durable",
        work: "durable message:send, 200 senders",
        unit: "acked/s",
        sides: DURABLE,
        open: durable,
    },
];

fn one_room(plan: &Plan, pace: Pace, voice: Voice) -> Shape {
    Shape {
        rooms: 1,
        members: plan.scaled(MEMBERS),
        pace,
        voice,
    }
}

fn start(who: Who, nodes: usize) -> Outcome<Server> {
    match (who, nodes) {
        (Who::Node, 1) => Server::node(),
        (Who::Node, _) => Server::node_nodes(nodes),
        (Who::Floor, _) => Server::floor(),
        (Who::OneByOne, _) => Server::roomcast(&[("ROOMCAST_STORE__GROUP", "1")]),
        (_, 1) => Server::roomcast(&[]),
        _ => Server::roomcast_nodes(nodes),
    }
}

fn talk(who: Who, nodes: usize, shape: Shape) -> Outcome<Box<dyn Side>> {
    let server = start(who, nodes)?;
    let scene = Talk::open(&server.addresses, shape)?;
    let counted = match shape.pace {
        Pace::Every(_) => Counted::CpuAndLatency,
        _ if nodes > 1 => Counted::CpuAndLatency,
        _ => Counted::Cpu,
    };
    Ok(served(server, scene, counted))
}

/// Everybody sends in a room of their own and waits for the ack and for the message itself.
fn durable(who: Who, plan: &Plan) -> Outcome<Box<dyn Side>> {
    let senders = if who == Who::Alone {
        1
    } else {
        plan.scaled(SENDERS)
    };
    let shape = Shape {
        rooms: senders,
        members: 1,
        pace: Pace::OneByOne,
        voice: Voice::Member,
    };
    let server = start(who, 1)?;
    let scene = Talk::open(&server.addresses, shape)?;
    Ok(served(server, scene, Counted::Rate))
}

fn served(server: Server, scene: impl Scene + 'static, counted: Counted) -> Box<dyn Side> {
    Box::new(Served {
        server,
        scene: Box::new(scene),
        counted,
    })
}
