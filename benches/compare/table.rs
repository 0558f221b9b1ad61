//! The table of results, and the same as JSON.

use serde_json::{Value, json};

use crate::{
    rows::Who,
    run::{Column, Measured},
};

const WIDTHS: [usize; 6] = [53, 22, 22, 22, 9, 9];

fn line(cells: &[String; 6]) {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(WIDTHS) {
        line.push_str(&format!("{cell:<width$} "));
    }
    println!("{}", line.trim_end());
}

pub fn headline() {
    let names = ["work", "Roomcast", "Node", "floor", "Node/", "Roomcast/"];
    line(&names.map(str::to_owned));
    line(&["", "median (least–greatest)", "", "", "Roomcast", "floor"].map(str::to_owned));
}

pub fn print(measured: &Measured) {
    if measured.column(Who::Node).is_none() {
        return print_rates(measured);
    }
    let cell = |who| measured.column(who).map_or("–".to_owned(), value);
    let ratio = |one, other| {
        let ratio = measured.ratio(one, other);
        ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.1}×"))
    };
    line(&[
        format!("{}, {}", measured.row.work, measured.row.unit),
        cell(Who::Roomcast),
        cell(Who::Node),
        cell(Who::Floor),
        ratio(Who::Node, Who::Roomcast),
        ratio(Who::Roomcast, Who::Floor),
    ]);
    let latency = |who| {
        let latency = measured.column(who).and_then(Column::latency);
        latency.map_or(String::new(), |[half, most]| {
            format!("{half:.2} / {most:.2}")
        })
    };
    if !latency(Who::Roomcast).is_empty() {
        let [roomcast, node, floor] = [Who::Roomcast, Who::Node, Who::Floor].map(latency);
        let name = "  p50 / p99, ms".to_owned();
        line(&[name, roomcast, node, floor, String::new(), String::new()]);
    }
    complain(measured);
}

/// Of Roomcast alone, in some ways of working.
fn print_rates(measured: &Measured) {
    println!("{}, {}", measured.row.work, measured.row.unit);
    for column in &measured.columns {
        let Some(spread) = column.spread() else {
            continue;
        };
        println!(
            "  {:<16} {:>7.0} ({:.0}–{:.0}), {:.1} writes a commit",
            column.who.name(),
            spread.median,
            spread.least,
            spread.greatest,
            column.median(|figure| figure.writes_per_commit.unwrap_or_default()),
        );
    }
    for other in [Who::OneByOne, Who::Alone] {
        if let Some(ratio) = measured.ratio(Who::Roomcast, other) {
            println!("  {ratio:.1} times {}", other.name());
        }
    }
    complain(measured);
}

fn value(column: &Column) -> String {
    column.spread().map_or("–".to_owned(), |spread| {
        format!(
            "{:.2} ({:.2}–{:.2})",
            spread.median, spread.least, spread.greatest
        )
    })
}

fn complain(measured: &Measured) {
    for column in &measured.columns {
        let faults = column.faults();
        if !faults.is_none() {
            println!("  {}: {faults:?}", column.who.name());
        }
    }
}

/// Everything, for programs.
pub fn json(rows: &[Measured]) -> Value {
    let column = |column: &Column| {
        let spread = column.spread();
        let faults = column.faults();
        json!({
            "who": column.who.name(),
            "median": spread.map(|spread| spread.median),
            "rounds": column.figures.iter().map(|figure| figure.value).collect::<Vec<_>>(),
            "operations": column.figures.iter().map(|figure| figure.operations).sum::<u64>(),
            "perSecond": column.median(|figure| figure.per_second),
            "bytesPerOperation": column.median(|figure| figure.bytes_per_operation),
            "latencyMs": column.latency(),
            "writesPerCommit": column.figures.last().and_then(|figure| figure.writes_per_commit),
            "lost": faults.lost,
            "doubled": faults.doubled,
            "disordered": faults.disordered,
            "invented": faults.invented,
        })
    };
    let row = |row: &Measured| {
        json!({
            "name": row.row.name,
            "work": row.row.work,
            "unit": row.row.unit,
            "nodeToRoomcast": row.ratio(Who::Node, Who::Roomcast),
            "roomcastToFloor": row.ratio(Who::Roomcast, Who::Floor),
            "sides": row.columns.iter().map(column).collect::<Vec<_>>(),
        })
    };
    json!({ "rows": rows.iter().map(row).collect::<Vec<_>>() })
}
