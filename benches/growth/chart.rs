//! The picture: a small panel for each curve, both of its axes by powers of ten.

use std::fmt::Write;

use crate::measured::Measured;

const COLUMNS: usize = 3;
const PANEL_WIDTH: f64 = 300.0;
const PANEL_HEIGHT: f64 = 210.0;
/// Around what is drawn in a panel.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 34.0;

const STYLE: &str = "\
text{font:11px system-ui,sans-serif;fill:#59636e}\
.t{font-size:12px;font-weight:600;fill:#1f2328}\
.g{stroke:#d1d9e0}\
.l{stroke:#0969da;stroke-width:2;fill:none}\
.s{stroke:#0969da}\
.p{fill:#0969da}\
@media(prefers-color-scheme:dark){text{fill:#9198a1}.t{fill:#f0f6fc}.g{stroke:#3d444d}\
.l,.s{stroke:#4493f8}.p{fill:#4493f8}}";

/// An axis over whole powers of ten.
struct Axis {
    first: i32,
    last: i32,
    start: f64,
    length: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, start: f64, length: f64) -> Self {
        let logs = values.filter(|value| *value > 0.0).map(f64::log10);
        let least = logs.clone().fold(f64::INFINITY, f64::min);
        let greatest = logs.fold(f64::NEG_INFINITY, f64::max);
        let (first, last) = if least.is_finite() {
            (least.floor() as i32, greatest.ceil() as i32)
        } else {
            (0, 1)
        };
        Self {
            first,
            last: last.max(first + 1),
            start,
            length,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let first = f64::from(self.first);
        let log = value.log10().max(first) - first;
        self.start + self.length * log / f64::from(self.last - self.first)
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        (self.first..=self.last).map(|power| {
            let value = 10_f64.powi(power);
            (self.at(value), value.to_string())
        })
    }
}

/// An SVG that reads on light and on dark ground.
pub fn draw(curves: &[Measured]) -> String {
    let rows = curves.len().div_ceil(COLUMNS);
    let width = PANEL_WIDTH * COLUMNS as f64;
    let height = PANEL_HEIGHT * rows as f64;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>How what Roomcast takes grows</title>\n<style>{STYLE}</style>\n"
    );
    for (number, measured) in curves.iter().enumerate() {
        let x = PANEL_WIDTH * (number % COLUMNS) as f64;
        let y = PANEL_HEIGHT * (number / COLUMNS) as f64;
        picture.push_str(&format!("<g transform=\"translate({x} {y})\">\n"));
        picture.push_str(&panel(measured));
        picture.push_str("</g>\n");
    }
    picture.push_str("</svg>\n");
    picture
}

fn panel(measured: &Measured) -> String {
    let curve = measured.curve;
    let points: Vec<_> = measured
        .points
        .iter()
        .filter_map(|point| Some((measured.place(point), point.spread()?)))
        .collect();
    let across = Axis::over(
        points.iter().map(|(size, _)| *size),
        LEFT,
        PANEL_WIDTH - LEFT - RIGHT,
    );
    let costs = points
        .iter()
        .flat_map(|(_, spread)| [spread.least, spread.greatest]);
    let up = Axis::over(costs, PANEL_HEIGHT - BOTTOM, TOP + BOTTOM - PANEL_HEIGHT);
    let besides = match curve.besides {
        0 => String::new(),
        besides => format!(", and {besides}"),
    };
    let mut panel = format!(
        "<text class=\"t\" x=\"8\" y=\"16\">{}</text><text x=\"8\" y=\"31\">{} by {}{besides}</text>\n",
        curve.work, curve.unit, curve.by
    );
    panel.push_str(&grid(&across, &up));
    let mut line = String::new();
    for (size, spread) in &points {
        let (x, y) = (across.at(*size), up.at(spread.median));
        let (low, high) = (up.at(spread.least), up.at(spread.greatest));
        let _ = write!(line, "{x:.1},{y:.1} ");
        let _ = writeln!(
            panel,
            "<path class=\"s\" d=\"M{x:.1} {low:.1}V{high:.1}\"/>\
             <circle class=\"p\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
        );
    }
    let _ = writeln!(
        panel,
        "<polyline class=\"l\" points=\"{}\"/>",
        line.trim_end()
    );
    panel
}

fn grid(across: &Axis, up: &Axis) -> String {
    let (right, bottom) = (PANEL_WIDTH - RIGHT, PANEL_HEIGHT - BOTTOM);
    let mut grid = String::new();
    for (x, label) in across.ticks() {
        let below = bottom + 15.0;
        let _ = writeln!(
            grid,
            "<path class=\"g\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
             <text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">{label}</text>"
        );
    }
    for (y, label) in up.ticks() {
        let (end, base) = (LEFT - 6.0, y + 4.0);
        let _ = writeln!(
            grid,
            "<path class=\"g\" d=\"M{LEFT} {y:.1}H{right}\"/>\
             <text x=\"{end}\" y=\"{base:.1}\" text-anchor=\"end\">{label}</text>"
        );
    }
    grid
}
