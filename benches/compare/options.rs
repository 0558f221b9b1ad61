//! What a benchmark is asked for.

use std::{path::PathBuf, time::Duration};

use super::{Outcome, scene::Plan};

const ROUNDS: usize = 5;
const QUICK_DIVISOR: usize = 50;

/// What a benchmark measures unless it is asked for something else.
pub struct Defaults {
    /// Its name.
    pub name: &'static str,
    /// What it measures one by one, in the singular.
    pub one: &'static str,
    /// Their names.
    pub all: Vec<&'static str>,
    /// How long a round takes.
    pub round: Duration,
    /// How long a quick one does.
    pub quick_round: Duration,
}

/// What it is to measure.
pub struct Options {
    asked: Option<Vec<String>>,
    pub rounds: usize,
    pub plan: Plan,
    pub json: PathBuf,
    pub picture: PathBuf,
}

impl Options {
    /// Reads the command line. Fails with what it does not know.
    pub fn read(defaults: &Defaults) -> Outcome<Self> {
        let Defaults { name, one, .. } = defaults;
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let mut options = Self {
            asked: None,
            rounds: ROUNDS,
            plan: Plan {
                round: defaults.round,
                divisor: 1,
            },
            json: folder.join(format!("{name}.json")),
            picture: folder.join(format!("{name}.svg")),
        };
        // As the other benchmarks have it.
        let mut is_quick = std::env::var_os("BENCH_DIVISOR").is_some();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.plan.round = Duration::try_from_secs_f64(value()?.parse()?)?,
                "--json" => options.json = value()?.into(),
                "--picture" => options.picture = value()?.into(),
                "--quick" => is_quick = true,
                // Cargo says so.
                "--bench" => {}
                _ if word == format!("--{one}s") => {
                    options.asked = Some(value()?.split(',').map(str::to_owned).collect());
                }
                _ => return Err(format!("what is {word}?").into()),
            }
        }
        if is_quick {
            options.rounds = 1;
            options.plan = Plan {
                round: defaults.quick_round,
                divisor: QUICK_DIVISOR,
            };
        }
        let mut asked = options.asked.iter().flatten();
        match asked.find(|asked| !defaults.all.contains(&asked.as_str())) {
            Some(unknown) => Err(format!("there is no {one} {unknown}").into()),
            None => Ok(options),
        }
    }

    /// Whether this is to be measured.
    pub fn asks_for(&self, name: &str) -> bool {
        let asked = self.asked.as_ref();
        asked.is_none_or(|asked| asked.iter().any(|asked| asked == name))
    }
}
