//! The picture for the README: how many times more Node takes, a bar for each row.

use crate::{rows::Who, run::Measured};

const WIDTH: usize = 720;
const LABEL_WIDTH: usize = 300;
const BAR_WIDTH: f64 = 330.0;
const ROW_HEIGHT: usize = 26;
const TOP: usize = 34;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}\
.t{font-weight:600}\
.b{fill:#0969da}\
.n{fill:#59636e}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.b{fill:#4493f8}.n{fill:#9198a1}}";

/// An SVG that reads on light and on dark ground.
pub fn draw(rows: &[Measured]) -> String {
    let ratios: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((row, row.ratio(Who::Node, Who::Roomcast)?)))
        .collect();
    let greatest = ratios.iter().map(|(_, ratio)| *ratio).fold(1.0, f64::max);
    let height = TOP + ROW_HEIGHT * ratios.len() + 4;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>How many times what Roomcast takes Node's socket.io takes</title>\n\
         <style>{STYLE}</style>\n\
         <text class=\"t\" x=\"0\" y=\"16\">What Node's socket.io takes for what Roomcast takes: \
         processor time, memory</text>\n"
    );
    for (number, (row, ratio)) in ratios.iter().enumerate() {
        let top = TOP + ROW_HEIGHT * number;
        let base = top + 14;
        let width = BAR_WIDTH * ratio / greatest;
        let end = LABEL_WIDTH as f64 + width + 8.0;
        picture.push_str(&format!(
            "<text x=\"0\" y=\"{base}\">{}</text>\
             <rect class=\"b\" x=\"{LABEL_WIDTH}\" y=\"{top}\" width=\"{width:.0}\" height=\"18\" rx=\"3\"/>\
             <text class=\"n\" x=\"{end:.0}\" y=\"{base}\">{ratio:.1}×</text>\n",
            row.row.work
        ));
    }
    picture.push_str("</svg>\n");
    picture
}
