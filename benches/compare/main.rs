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

use std::{error::Error, io::Read, path::PathBuf, process::ExitCode, time::Duration};

mod ask;
mod check;
mod client;
mod crowd;
mod floor;
mod floor_words;
mod hall;
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

use rows::ROWS;
use scene::Plan;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const QUICK_ROUND: Duration = Duration::from_millis(100);
const QUICK_DIVISOR: usize = 50;

struct Options {
    rows: Option<Vec<String>>,
    rounds: usize,
    plan: Plan,
    json: PathBuf,
    picture: PathBuf,
}

fn options() -> Outcome<Options> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut options = Options {
        rows: None,
        rounds: ROUNDS,
        plan: Plan {
            round: ROUND,
            divisor: 1,
        },
        json: folder.join("compare.json"),
        picture: folder.join("compare.svg"),
    };
    // As the other benchmarks have it.
    let mut is_quick = std::env::var_os("BENCH_DIVISOR").is_some();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--rows" => options.rows = Some(value()?.split(',').map(str::to_owned).collect()),
            "--rounds" => options.rounds = value()?.parse()?,
            "--seconds" => options.plan.round = Duration::try_from_secs_f64(value()?.parse()?)?,
            "--json" => options.json = value()?.into(),
            "--picture" => options.picture = value()?.into(),
            "--quick" => is_quick = true,
            // Cargo says so.
            "--bench" => {}
            _ => return Err(format!("what is {word}?").into()),
        }
    }
    if is_quick {
        options.rounds = 1;
        options.plan = Plan {
            round: QUICK_ROUND,
            divisor: QUICK_DIVISOR,
        };
    }
    Ok(options)
}

/// Compares; whether nothing was lost, doubled or out of order.
fn compare() -> Outcome<bool> {
    let options = options()?;
    let asked = options
        .rows
        .unwrap_or_else(|| ROWS.iter().map(|row| row.name.to_owned()).collect());
    if let Some(unknown) = asked
        .iter()
        .find(|name| ROWS.iter().all(|row| row.name != **name))
    {
        return Err(format!("there is no row {unknown}").into());
    }
    process::raise_open_files()?;
    table::headline();
    let mut measured = Vec::new();
    for row in ROWS
        .iter()
        .filter(|row| asked.iter().any(|name| name == row.name))
    {
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
