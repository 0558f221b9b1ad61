//! Runs the sides of a row in turns, and sums up what they gave.

use crate::{
    Outcome,
    check::Faults,
    rows::{Row, Who},
    scene::Plan,
    side::Figure,
    spread::Spread,
};

/// What a side gave in its rounds.
pub struct Column {
    pub who: Who,
    pub figures: Vec<Figure>,
}

impl Column {
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(self.figures.iter().map(|figure| figure.value))
    }

    /// Median milliseconds to the half of the deliveries, and to 99 of 100.
    pub fn latency(&self) -> Option<[f64; 2]> {
        let at = |n: usize| {
            let values = self
                .figures
                .iter()
                .filter_map(|figure| Some(figure.latency?[n]));
            Some(Spread::of(values)?.median)
        };
        Some([at(0)?, at(1)?])
    }

    pub fn median(&self, of: impl Fn(&Figure) -> f64) -> f64 {
        Spread::of(self.figures.iter().map(of)).map_or(0.0, |spread| spread.median)
    }

    pub fn faults(&self) -> Faults {
        let mut all = Faults::default();
        self.figures.iter().for_each(|figure| all += figure.faults);
        all
    }
}

/// A row that was measured.
pub struct Measured {
    pub row: &'static Row,
    pub columns: Vec<Column>,
}

impl Measured {
    pub fn column(&self, who: Who) -> Option<&Column> {
        self.columns.iter().find(|column| column.who == who)
    }

    /// By how much the one has more than the other.
    pub fn ratio(&self, one: Who, other: Who) -> Option<f64> {
        let median = |who| Some(self.column(who)?.spread()?.median);
        // Nothing can be said of what was too little to be counted.
        Some(median(one)? / median(other)?).filter(|ratio| ratio.is_finite())
    }
}

/// Measures a row: one side after the other in each of the rounds, after one that warms up.
pub fn measure(row: &'static Row, plan: &Plan, rounds: usize) -> Outcome<Measured> {
    let mut sides = Vec::new();
    let mut columns = Vec::new();
    for who in row.sides {
        sides.push((row.open)(*who, plan).map_err(|error| format!("{}: {error}", who.name()))?);
        columns.push(Column {
            who: *who,
            figures: Vec::new(),
        });
    }
    // Where each round has a server of its own, nothing is warm.
    let warm_up = usize::from(row.unit != "KB");
    for round in 0..rounds + warm_up {
        for number in 0..sides.len() {
            let name = columns[number].who.name();
            let figure = sides[number].round(plan);
            let figure = figure.map_err(|error| format!("{name}: {error}"))?;
            if round >= warm_up {
                columns[number].figures.push(figure);
            }
            for side in &mut sides {
                side.rest()?;
            }
        }
    }
    Ok(Measured { row, columns })
}
