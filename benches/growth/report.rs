//! The results in lines, and the same as JSON.

use serde_json::{Value, json};

use crate::{
    curves::Expected,
    measured::{Measured, Sized},
};

impl Expected {
    pub fn words(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::AtMostFlat => "at most flat",
            Self::AsTold => "at most as what is told",
        }
    }
}

pub fn print(measured: &Measured) {
    let curve = measured.curve;
    println!("{}: {}, {}", curve.name, curve.work, curve.unit);
    for point in &measured.points {
        if let Some(spread) = point.spread() {
            println!(
                "  {:>6} {:<15} {:>9.2} ({:.2}–{:.2})",
                point.size, curve.by, spread.median, spread.least, spread.greatest
            );
        }
    }
    if let Some(growth) = measured.growth() {
        let verdict = if growth.is_as(curve.expected) {
            "as it should be"
        } else {
            "NOT as it should be"
        };
        println!(
            "  last to first {:.2}×, to least {:.2}×, exponent {:+.2}: {}; expected: {}; {verdict}",
            growth.ratio,
            growth.rise,
            growth.exponent,
            growth.word(),
            curve.expected.words()
        );
    }
    let faults = measured.faults();
    if !faults.is_none() {
        println!("  {faults:?}");
    }
}

/// Everything, for programs.
pub fn json(curves: &[Measured]) -> Value {
    let point = |point: &Sized| {
        let spread = point.spread();
        json!({
            "size": point.size,
            "median": spread.map(|spread| spread.median),
            "least": spread.map(|spread| spread.least),
            "greatest": spread.map(|spread| spread.greatest),
            "rounds": point.figures.iter().map(|figure| figure.value).collect::<Vec<_>>(),
            "operations": point.operations(),
        })
    };
    let curve = |measured: &Measured| {
        let growth = measured.growth();
        let faults = measured.faults();
        json!({
            "name": measured.curve.name,
            "work": measured.curve.work,
            "unit": measured.curve.unit,
            "by": measured.curve.by,
            "expected": measured.curve.expected.words(),
            "lastToFirst": growth.map(|growth| growth.ratio),
            "lastToLeast": growth.map(|growth| growth.rise),
            "exponent": growth.map(|growth| growth.exponent),
            "isAsExpected": growth.map(|growth| growth.is_as(measured.curve.expected)),
            "points": measured.points.iter().map(point).collect::<Vec<_>>(),
            "lost": faults.lost,
            "doubled": faults.doubled,
            "disordered": faults.disordered,
            "invented": faults.invented,
        })
    };
    json!({ "curves": curves.iter().map(curve).collect::<Vec<_>>() })
}
