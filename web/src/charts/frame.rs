//! What every plotted chart shares: the canvas, the value axis, the time axis, notes on dotted lines, end labels.

use chrono::{DateTime, Utc};

use super::labels;
use super::scale::{Linear, Ticks, time_ticks};
use super::svg::Svg;

/// Name and description of a chart; `id` must be unique in its page.
#[derive(Clone, Copy, Debug)]
pub struct Caption<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub desc: &'a str,
}

/// One of the widths a chart is drawn for.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    pub class: &'static str,
    /// Keeps the ids of the two drawings apart.
    pub suffix: &'static str,
    pub width: f64,
    pub height: f64,
}

impl Canvas {
    pub fn open(&self, caption: &Caption<'_>) -> Svg {
        let id = format!("{}{}", caption.id, self.suffix);
        Svg::picture(self.class, self.width, self.height, &id, caption.title, caption.desc)
    }

    pub(super) fn is_slim(&self) -> bool {
        self.width < 400.0
    }
}

const SLIM: Canvas = Canvas { class: "slim", suffix: "n", width: 344.0, height: 250.0 };

/// Half a page, and a phone.
pub const HALF: [Canvas; 2] = [Canvas { class: "wide", suffix: "", width: 584.0, height: 270.0 }, SLIM];
/// Seven twelfths of a page, and a phone.
pub const LARGE: [Canvas; 2] =
    [Canvas { class: "wide lg", suffix: "", width: 690.0, height: 336.0 }, Canvas { height: 330.0, ..SLIM }];

/// A remark at an instant, above the plot on a dotted line.
#[derive(Clone, Debug)]
pub struct Note {
    pub at: DateTime<Utc>,
    pub text: String,
}

/// Size of ordinary text in a chart.
pub(super) const TEXT: f64 = 12.0;
/// Smallest vertical distance of two labels.
pub(super) const LABEL_GAP: f64 = 14.5;

/// The plotting area.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// What [`labels::width`] takes for a text of this class.
pub(super) fn text_size(class: &str) -> f64 {
    if class == "b" { TEXT * labels::BOLD } else { TEXT }
}

/// Width of the column of end labels, at most 42 % of the canvas.
pub(super) fn label_room(canvas: &Canvas, longest: f64) -> f64 {
    longest.min(canvas.width * 0.42)
}

/// Hairlines and numbers of the value axis; the unit stands once, above it.
pub(super) fn value_axis(svg: &mut Svg, plot: &Plot, ticks: &Ticks, y: &Linear, unit: &str) {
    for value in &ticks.values {
        let at = y.at(*value);
        let class = if *value == 0.0 { "base" } else { "grid" };
        svg.segment(class, (plot.left, at), (plot.right, at));
        svg.text(plot.left - 6.0, at + 4.0, "ax e", &ticks.label(*value));
    }
    if !unit.is_empty() {
        svg.text(0.0, 10.0, "ax", unit);
    }
}

/// Width of the widest tick label plus its gap, so that no number is cut.
pub(super) fn axis_room(ticks: &Ticks) -> f64 {
    let widest =
        ticks.values.iter().map(|value| labels::width(&ticks.label(*value), TEXT)).fold(0.0, f64::max);
    (widest + 8.0).max(24.0)
}

pub(super) fn time_axis(svg: &mut Svg, plot: &Plot, from: DateTime<Utc>, to: DateTime<Utc>, x: &Linear) {
    let most = (((plot.right - plot.left) / 66.0).floor() as usize).clamp(2, 8);
    for (at, label) in time_ticks(from, to, most) {
        let position = x.at(at.timestamp() as f64);
        svg.segment("base", (position, plot.bottom), (position, plot.bottom + 4.0));
        let half = labels::width(&label, TEXT) / 2.0;
        let middle = position.max(half);
        svg.text(middle, plot.bottom + 17.0, "ax m", &label);
    }
}

/// Where a centred text of this half width stands: as near to `at` as the plot allows, from its left edge if wider.
pub(super) fn middle_within(plot: &Plot, at: f64, half: f64) -> f64 {
    at.min(plot.right - half).max(plot.left + half)
}

/// Notes above the plot; one that would cover its neighbour keeps its line and loses its words.
pub(super) fn notes(svg: &mut Svg, plot: &Plot, notes: &[Note], x: &Linear) {
    let mut free_from = plot.left;
    for note in notes {
        let at = x.at(note.at.timestamp() as f64);
        if at < plot.left || at > plot.right {
            continue;
        }
        svg.segment("mark-line", (at, plot.top - 4.0), (at, plot.bottom));
        let half = labels::width(&note.text, TEXT) / 2.0;
        let middle = middle_within(plot, at, half);
        if middle - half >= free_from {
            svg.text(middle, plot.top - 9.0, "sm m", &note.text);
            free_from = middle + half + 6.0;
        }
    }
}

/// A label at the right end of a series.
pub(super) struct EndLabel {
    pub y: f64,
    pub text: String,
    /// Class of the text, e.g. `b`.
    pub class: &'static str,
    /// Class of a swatch before the text.
    pub swatch: Option<String>,
}

/// Draws labels moved apart, each joined to its series by a leader line that starts at `from_x`.
pub(super) fn end_labels(svg: &mut Svg, plot: &Plot, from_x: f64, room: f64, entries: &[EndLabel]) {
    let wanted: Vec<f64> = entries.iter().map(|entry| entry.y).collect();
    let placed = labels::apart(&wanted, LABEL_GAP, plot.top.min(plot.bottom), plot.bottom);
    let text_x = plot.right + 18.0;
    for (entry, at) in entries.iter().zip(placed) {
        let mut leader = super::svg::Path::default();
        leader.to(from_x + 3.0, entry.y).line(plot.right + 6.0, at).line(plot.right + 10.0, at);
        svg.path("lead-line", &leader);
        let swatch = entry.swatch.as_ref().map_or(0.0, |class| {
            svg.rect(class, text_x - 5.0, at - 4.0, 6.0, 8.0);
            6.0
        });
        let text = labels::shorten(&entry.text, text_size(entry.class), room - 18.0 - swatch + 2.0);
        svg.text(text_x - 4.0 + swatch + if swatch > 0.0 { 3.0 } else { 0.0 }, at + 4.0, entry.class, &text);
    }
}
