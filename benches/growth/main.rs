//! How what Roomcast takes grows: with members, rooms, sockets and roommates, each as a curve.
//!
//! ```sh
//! cargo bench --bench growth
//! cargo bench --bench growth -- --curves broadcast,connect --rounds 3 --seconds 1
//! ```
//!
//! Counted is the CPU time of the server for each operation, at several sizes: a cost that is flat
//! by members is linear in them where it is that of one delivery. The curves are in `curves.rs`. For
//! each the median of the rounds is printed, with the least and the greatest, the last point over
//! the first and over the cheapest, and the exponent of the power that fits best: 0 is flat. Points have servers of their
//! own, and their turns in each round. Where little is there at first, it counts: beside 0 others a
//! room of 100 is 100 sockets.
//!
//! The clients are those of `benches/compare`, one thread with raw frames. All that is delivered is
//! checked, and that nobody hears what is not for them; it fails when something is lost, doubled,
//! out of order or never sent, never for the time that something takes. `--quick` makes everything
//! small, to see that it runs. `--json FILE` and `--picture FILE` say where the results go.
//! `ROOMCAST_BIN` is measured instead of this build. Linux only: it reads `/proc`.

#![allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
#![allow(clippy::cast_possible_truncation)] // Counts of what is in memory, and powers of ten.

use std::{error::Error, process::ExitCode, time::Duration};

mod chart;
#[path = "../compare/check.rs"]
mod check;
#[path = "../compare/client.rs"]
mod client;
mod cpu;
#[path = "../compare/crowd.rs"]
mod crowd;
mod curves;
mod enter;
mod flap;
#[path = "../compare/hall.rs"]
mod hall;
mod house;
mod measured;
#[path = "../compare/options.rs"]
mod options;
mod point;
#[path = "../compare/process.rs"]
#[allow(dead_code)] // That benchmark has other servers too.
mod process;
mod report;
#[path = "../compare/scene.rs"]
#[allow(dead_code)] // It says more of a round.
mod scene;
#[path = "../compare/spread.rs"]
mod spread;
#[path = "../compare/talk.rs"]
#[allow(dead_code)] // It has other paces.
mod talk;
mod visit;
#[path = "../compare/wire.rs"]
#[allow(dead_code)] // It has the server's side too.
mod wire;

use curves::CURVES;
use options::{Defaults, Options};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUND: Duration = Duration::from_millis(500);
const QUICK_ROUND: Duration = Duration::from_millis(50);

/// Measures; whether nothing was lost, doubled or out of order.
fn grow() -> Outcome<bool> {
    let options = Options::read(&Defaults {
        name: "growth",
        one: "curve",
        all: CURVES.iter().map(|curve| curve.name).collect(),
        round: ROUND,
        quick_round: QUICK_ROUND,
    })?;
    process::raise_open_files()?;
    let mut measured = Vec::new();
    for curve in CURVES.iter().filter(|curve| options.asks_for(curve.name)) {
        let result = measured::measure(curve, &options.plan, options.rounds);
        let result = result.map_err(|error| format!("{}: {error}", curve.name))?;
        report::print(&result);
        measured.push(result);
    }
    std::fs::write(&options.json, format!("{:#}\n", report::json(&measured)))?;
    std::fs::write(&options.picture, chart::draw(&measured))?;
    println!("{}\n{}", options.json.display(), options.picture.display());
    Ok(measured.iter().all(|curve| curve.faults().is_none()))
}

fn main() -> ExitCode {
    match grow() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
