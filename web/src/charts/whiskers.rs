//! Shares with their intervals: a dot on a whisker per row, rank range and name at the left, numbers at the right.

use super::frame::{self, Canvas, Caption, Plot};
use super::labels;
use super::scale::{Linear, Ticks};

/// One row. Shares are 0 to 1 and `low <= share <= high`.
#[derive(Clone, Debug)]
pub struct Whisker {
    /// `1–2`
    pub rank: String,
    pub name: String,
    pub share: f64,
    pub low: f64,
    pub high: f64,
    /// `24 %` and `19 to 30`
    pub value: String,
    pub interval: String,
    /// May be first: drawn strong, the others grey.
    pub leads: bool,
}

const ROW: f64 = 26.0;

/// Wide and slim drawing of the rows, in the order given.
pub fn whiskers(caption: &Caption<'_>, rows: &[Whisker]) -> String {
    let height = ROW * rows.len().max(1) as f64 + 52.0;
    let canvases = [
        Canvas { class: "wide lg", suffix: "", width: 690.0, height },
        Canvas { class: "slim", suffix: "n", width: 344.0, height },
    ];
    canvases.iter().map(|canvas| draw(canvas, caption, rows)).collect()
}

/// Class of a row's texts.
const fn weight(row: &Whisker) -> &'static str {
    if row.leads { "b" } else { "" }
}

fn draw(canvas: &Canvas, caption: &Caption<'_>, rows: &[Whisker]) -> String {
    let mut svg = canvas.open(caption);
    let slim = canvas.is_slim();
    let name_at = 44.0;
    let widest =
        rows.iter().map(|row| labels::width(&row.name, frame::text_size(weight(row)))).fold(0.0, f64::max);
    let name_room = widest.min(if slim { 96.0 } else { 180.0 });
    let numbers = if slim { 40.0 } else { 118.0 };
    let plot = Plot {
        left: name_at + name_room + 14.0,
        right: canvas.width - numbers - 14.0,
        top: 24.0,
        bottom: canvas.height - 26.0,
    };
    let highest = rows.iter().map(|row| row.high).filter(|high| high.is_finite()).fold(0.0, f64::max);
    let ticks = Ticks::cover(0.0, (highest * 100.0).min(100.0));
    let x = Linear::new((0.0, ticks.last()), (plot.left, plot.right));
    svg.text(0.0, 10.0, "ax", "rank");
    svg.text(name_at, 10.0, "ax", "model");
    svg.text(plot.right + 14.0, 10.0, "ax", if slim { "share" } else { "share, interval" });
    let every = if slim && ticks.values.len() > 4 { 2 } else { 1 };
    for (index, value) in ticks.values.iter().enumerate() {
        let at = x.at(*value);
        svg.segment(if *value == 0.0 { "base" } else { "grid" }, (at, plot.top), (at, plot.bottom));
        if index % every == 0 {
            let sign = if index + every >= ticks.values.len() { "\u{a0}%" } else { "" };
            svg.text(at, plot.bottom + 17.0, "ax m", &format!("{}{sign}", ticks.label(*value)));
        }
    }
    for (index, row) in rows.iter().enumerate() {
        let y = plot.top + ROW * (index as f64 + 0.5);
        let strong = weight(row);
        svg.text(0.0, y + 4.0, strong, &row.rank);
        svg.text(
            name_at,
            y + 4.0,
            strong,
            &labels::shorten(&row.name, frame::text_size(strong), name_room + 8.0),
        );
        let (low, high) = (x.at(row.low * 100.0), x.at((row.high * 100.0).min(ticks.last())));
        let class = if row.leads { "whisk" } else { "whisk faint" };
        svg.segment(class, (low, y), (high, y));
        for end in [low, high] {
            svg.segment(class, (end, y - 4.0), (end, y + 4.0));
        }
        svg.circle(if row.leads { "dot" } else { "s9" }, x.at(row.share * 100.0), y, 4.5);
        svg.text(plot.right + 14.0, y + 4.0, strong, &row.value);
        if !slim {
            svg.text(plot.right + 58.0, y + 4.0, "sm", &row.interval);
        }
    }
    svg.finish()
}
