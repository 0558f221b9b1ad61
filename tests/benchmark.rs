//! The load generator of `benches/compare` proves what a server delivers, not only its speed; and
//! `benches/growth` draws each of its curves.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on has failed.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
#![allow(dead_code)] // The benchmark uses more of it.

use std::{error::Error, thread, time::Duration};

#[path = "../benches/compare/ask.rs"]
mod ask;
#[path = "../benches/growth/chart.rs"]
mod chart;
#[path = "../benches/compare/check.rs"]
mod check;
#[path = "../benches/compare/client.rs"]
mod client;
#[path = "../benches/growth/cpu.rs"]
mod cpu;
#[path = "../benches/compare/crowd.rs"]
mod crowd;
#[path = "../benches/growth/curves.rs"]
mod curves;
#[path = "../benches/growth/enter.rs"]
mod enter;
#[path = "../benches/growth/flap.rs"]
mod flap;
#[path = "../benches/compare/floor.rs"]
mod floor;
#[path = "../benches/compare/floor_words.rs"]
mod floor_words;
#[path = "../benches/compare/hall.rs"]
mod hall;
#[path = "../benches/growth/house.rs"]
mod house;
#[path = "../benches/growth/measured.rs"]
mod measured;
#[path = "../benches/growth/point.rs"]
mod point;
#[path = "../benches/compare/process.rs"]
mod process;
#[path = "../benches/growth/report.rs"]
mod report;
#[path = "../benches/compare/scene.rs"]
mod scene;
#[path = "../benches/compare/spread.rs"]
mod spread;
#[path = "../benches/compare/talk.rs"]
mod talk;
#[path = "../benches/growth/visit.rs"]
mod visit;
#[path = "../benches/compare/wire.rs"]
mod wire;

use ask::{Ask, Drive};
use check::{Faults, Sequence};
use curves::{CURVES, Expected};
use flap::Books;
use floor::{Delivery, Floor, deliver};
use measured::{Growth, measure};
use scene::{Plan, Round, Scene};
use talk::{Pace, Shape, Talk, Voice};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const MEMBERS: usize = 3;
const ROUND: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_millis(200);
/// The message that something becomes of, and the member.
const MESSAGE: u64 = 3;
const CAROL: usize = 2;
/// Curves are of so little, and so many are measured at the same time.
const DIVISOR: usize = 200;
const LANES: usize = 4;

/// A server that delivers in this way.
fn server(deliver: impl FnMut(&mut Delivery<'_>) + Send + 'static) -> std::net::SocketAddr {
    let floor = Floor::bind(deliver).unwrap();
    let address = floor.address().unwrap();
    // It serves as long as this process is there.
    thread::spawn(move || floor.run());
    address
}

fn round(voice: Voice, deliver: impl FnMut(&mut Delivery<'_>) + Send + 'static) -> Round {
    let shape = Shape {
        rooms: 1,
        members: MEMBERS,
        pace: Pace::Unacknowledged(8),
        voice,
    };
    let mut talk = Talk::open(&[server(deliver)], shape).unwrap();
    talk.patience = PATIENCE;
    talk.round(ROUND).unwrap()
}

fn faults(deliver: impl FnMut(&mut Delivery<'_>) + Send + 'static) -> Faults {
    round(Voice::Member, deliver).faults
}

#[test]
fn nothing_is_wrong_with_a_server_that_delivers_all_in_order() {
    for voice in [Voice::Member, Voice::Backend] {
        let round = round(voice, deliver);
        assert_eq!(round.faults, Faults::default());
        assert!(round.operations >= 8 * MEMBERS as u64, "{round:?}");
        assert_eq!(round.latencies.len() as u64, round.operations);
    }
}

#[test]
fn a_server_that_loses_a_message_is_caught() {
    let lossy = |delivery: &mut Delivery<'_>| {
        if (delivery.number, delivery.member) != (MESSAGE, CAROL) {
            deliver(delivery);
        }
    };
    let lost = Faults {
        lost: 1,
        ..Faults::default()
    };
    assert_eq!(faults(lossy), lost);
}

#[test]
fn a_server_that_delivers_a_message_twice_is_caught() {
    let doubling = |delivery: &mut Delivery<'_>| {
        if (delivery.number, delivery.member) == (MESSAGE, CAROL) {
            delivery.output.extend_from_slice(delivery.frame);
        }
        deliver(delivery);
    };
    let doubled = Faults {
        doubled: 1,
        ..Faults::default()
    };
    assert_eq!(faults(doubling), doubled);
}

#[test]
fn a_server_that_changes_the_order_is_caught() {
    let mut held = Vec::new();
    let swapping = move |delivery: &mut Delivery<'_>| match (delivery.number, delivery.member) {
        (MESSAGE, CAROL) => held = delivery.frame.to_vec(),
        (number, CAROL) if number == MESSAGE + 1 => {
            delivery.output.extend_from_slice(delivery.frame);
            delivery.output.append(&mut held);
        }
        _ => deliver(delivery),
    };
    let disordered = Faults {
        disordered: 1,
        ..Faults::default()
    };
    assert_eq!(faults(swapping), disordered);
}

#[test]
fn a_driver_whose_report_reaches_a_watcher_twice_is_noticed() {
    let doubling = |delivery: &mut Delivery<'_>| {
        if (delivery.number, delivery.member) == (MESSAGE, CAROL) {
            delivery.output.extend_from_slice(delivery.frame);
        }
        deliver(delivery);
    };
    let mut drive = Drive::open(server(doubling), MEMBERS).unwrap();
    let round = drive.round(ROUND).unwrap();
    assert_eq!((round.faults.doubled, round.faults.lost), (1, 0));
    let mut drive = Drive::open(server(deliver), MEMBERS).unwrap();
    let round = drive.round(ROUND).unwrap();
    assert_eq!(round.faults, Faults::default());
    assert!(round.operations > MESSAGE, "{round:?}");
}

#[test]
fn each_answer_belongs_to_its_question() {
    let round = Ask::open(server(deliver)).unwrap().round(ROUND).unwrap();
    assert_eq!(round.faults, Faults::default());
    assert!(round.operations > 1, "{round:?}");
}

#[test]
fn what_never_came_is_lost_once_and_what_comes_late_is_out_of_order() {
    let mut faults = Faults::default();
    let mut alice = Sequence::default();
    for number in [0, 2, 5, 1, 5] {
        alice.hear(number, 7, &mut faults);
    }
    alice.end(7, &mut faults);
    let expected = Faults {
        lost: 3,
        doubled: 1,
        disordered: 1,
        invented: 0,
    };
    assert_eq!(faults, expected);
    alice.end(7, &mut faults);
    assert_eq!(faults, expected);
}

#[test]
fn what_nobody_sent_is_invented() {
    let mut faults = Faults::default();
    assert!(!Sequence::default().hear(1, 1, &mut faults));
    assert_eq!(faults.invented, 1);
}

#[test]
fn every_curve_is_measured_and_drawn_and_nothing_on_it_is_lost() {
    let plan = Plan {
        round: ROUND / 4,
        divisor: DIVISOR,
    };
    let lane = |lane| {
        for curve in CURVES.iter().skip(lane).step_by(LANES) {
            let measured = measure(curve, &plan, 1).unwrap();
            assert_eq!(measured.faults(), Faults::default(), "{}", curve.name);
            assert_eq!(measured.points.len(), curve.sizes.len());
            for point in &measured.points {
                assert!(point.operations() > 0, "{} at {}", curve.name, point.size);
            }
            let picture = chart::draw(&[measured]);
            assert_eq!(picture.matches("<circle").count(), curve.sizes.len());
        }
    };
    thread::scope(|scope| {
        for number in 0..LANES {
            scope.spawn(move || lane(number));
        }
    });
}

#[test]
fn a_cost_that_doubles_with_the_size_grows_and_one_that_stays_is_flat() {
    let linear = Growth::of(&[(10.0, 3.0), (100.0, 30.0), (1_000.0, 300.0)]).unwrap();
    assert!((linear.exponent - 1.0).abs() < 1e-9 && (linear.ratio - 100.0).abs() < 1e-9);
    assert_eq!(linear.word(), "grows");
    let same = Growth::of(&[(10.0, 3.0), (100.0, 3.1), (1_000.0, 3.0)]).unwrap();
    assert_eq!(same.word(), "flat");
    let shared = Growth::of(&[(10.0, 30.0), (100.0, 6.0), (1_000.0, 3.0)]).unwrap();
    assert_eq!(shared.word(), "falls");
    let late = Growth::of(&[(10.0, 30.0), (1_000.0, 3.0), (4_000.0, 12.0)]).unwrap();
    assert!(shared.is_as(Expected::AtMostFlat) && !late.is_as(Expected::AtMostFlat));
    assert!(Growth::of(&[(10.0, 3.0)]).is_none());
}

#[test]
fn a_roommate_who_hears_twice_that_alice_has_gone_or_too_early_that_she_is_back_is_noticed() {
    let gone = r#"42["presence:changed",{"userId":"alice-0","status":"offline"}]"#;
    let left = r#"42["user:left",{"userId":"alice-0","username":"alice-0","roomId":"hall"}]"#;
    let back = r#"42["presence:changed",{"userId":"alice-0","status":"online"}]"#;
    let mut books = Books::new(1);
    books.turn();
    for packet in [gone, left, gone, back] {
        books.hear(0, packet);
    }
    assert!(books.is_all_heard());
    let expected = Faults {
        lost: 0,
        doubled: 1,
        disordered: 1,
        invented: 1,
    };
    assert_eq!(books.faults, expected);
}
