//! Roomcast beside Node's socket.io and beside the floor, in turns, and what each of them takes.
//!
//! ```sh
//! cargo bench --bench compare
//! cargo bench --bench compare -- --rows broadcast_8,ack --rounds 3 --seconds 2
//! ```
//!
//! One thread of its own has all clients: raw frames over raw TCP, each delivery checked for what
//! is lost, doubled or out of order; it fails when something is. Counted is the CPU time of the
//! server, not what it gets done: clients and server share the machine. The rows are in `rows.rs`;
//! `--quick` makes everything small, to see that it runs. `--json FILE` and `--picture FILE` say
//! where the results go, and the bars for the README. `ROOMCAST_BIN` is measured instead of this
//! build. Linux only: it reads `/proc`. Two nodes need redis-server and PostgreSQL.

#![allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
#![allow(clippy::cast_possible_truncation)] // Counts of what is in memory.

use std::{error::Error, io::Read, process::ExitCode, time::Duration};

mod ask;
mod check;
mod client;
mod crowd;
mod floor;
mod floor_words;
mod hall;
mod options;
mod picture;
mod process;
mod rows;
mod run;
mod scene;
mod side;
mod spread;
mod table;
mod talk;
mod wire;

use options::{Defaults, Options};
use rows::ROWS;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUND: Duration = Duration::from_secs(3);
const QUICK_ROUND: Duration = Duration::from_millis(100);

/// Compares; whether nothing was lost, doubled or out of order.
fn compare() -> Outcome<bool> {
    let options = Options::read(&Defaults {
        name: "compare",
        one: "row",
        all: ROWS.iter().map(|row| row.name).collect(),
        round: ROUND,
        quick_round: QUICK_ROUND,
    })?;
    process::raise_open_files()?;
    table::headline();
    let mut measured = Vec::new();
    for row in ROWS.iter().filter(|row| options.asks_for(row.name)) {
        let result = run::measure(row, &options.plan, options.rounds);
        let result = result.map_err(|error| format!("{}: {error}", row.name))?;
        table::print(&result);
        measured.push(result);
    }
    std::fs::write(&options.json, format!("{:#}\n", table::json(&measured)))?;
    std::fs::write(&options.picture, picture::draw(&measured))?;
    println!("{}\n{}", options.json.display(), options.picture.display());
    let mut columns = measured.iter().flat_map(|row| &row.columns);
    Ok(columns.all(|column| column.faults().is_none()))
}

/// Is the floor for another process of this program, and ends with it.
fn be_floor() -> Outcome<bool> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let floor = floor::Floor::bind(floor::deliver)?;
    println!("listening on http://{}", floor.address()?);
    floor.run().map(|()| true)
}

fn main() -> ExitCode {
    let is_floor = std::env::args().nth(1).is_some_and(|word| word == "floor");
    match if is_floor { be_floor() } else { compare() } {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
