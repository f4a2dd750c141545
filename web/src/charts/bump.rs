//! Ranks over time: one line per row of the newest week, place one on top. A place beyond the depth
//! lies below the last row, where the line runs out of sight and comes back.

use chrono::{DateTime, Utc};

use super::frame::{self, Canvas, Caption, Plot};
use super::labels;
use super::scale::Linear;
use super::svg::Path;

/// One row. `class` is `s0` to `s9`, or `ctx` for context in grey.
#[derive(Clone, Debug)]
pub struct Bump {
    pub label: String,
    pub class: &'static str,
    /// Place per week; None where it had none.
    pub ranks: Vec<Option<usize>>,
}

const ROW: f64 = 22.0;

/// Wide and slim drawing of the first `depth` places.
pub fn bump(caption: &Caption<'_>, at: &[DateTime<Utc>], rows: &[Bump], depth: usize) -> String {
    let height = ROW * depth.max(2) as f64 + 44.0;
    let canvases = [
        Canvas { class: "wide lg", suffix: "", width: 690.0, height },
        Canvas { class: "slim", suffix: "n", width: 344.0, height },
    ];
    canvases.iter().map(|canvas| draw(canvas, caption, at, rows, depth)).collect()
}

/// Class of a row's label.
fn weight(row: &Bump) -> &'static str {
    if row.class == "ctx" { "sm" } else { "b" }
}

fn draw(canvas: &Canvas, caption: &Caption<'_>, at: &[DateTime<Utc>], rows: &[Bump], depth: usize) -> String {
    let mut svg = canvas.open(caption);
    let (Some(first), Some(last)) = (at.first(), at.last()) else { return svg.finish() };
    let longest =
        rows.iter().map(|row| labels::width(&row.label, frame::text_size(weight(row)))).fold(0.0, f64::max);
    let room = frame::label_room(canvas, longest + 40.0);
    let plot = Plot { left: 26.0, right: canvas.width - room, top: 14.0, bottom: canvas.height - 28.0 };
    let x = Linear::new((first.timestamp() as f64, last.timestamp() as f64), (plot.left, plot.right));
    let place = |rank: usize| plot.top + ROW * (rank as f64 - 0.5);
    for rank in 1..=depth {
        svg.text(plot.left - 12.0, place(rank) + 4.0, "ax e", &rank.to_string());
    }
    let (context, front): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.class == "ctx");
    for row in context.into_iter().chain(front) {
        let is_context = row.class == "ctx";
        let mut path = Path::default();
        let mut dots = Vec::new();
        let weeks: Vec<f64> = at.iter().map(|week| x.at(week.timestamp() as f64)).collect();
        let seen = |rank: &Option<usize>| rank.filter(|rank| (1..=depth).contains(rank));
        // Half a row below the last place, half way to the week in which it was out of sight.
        let below = plot.top + ROW * depth as f64 + 4.0;
        let mut before: Option<(f64, Option<f64>)> = None;
        for (week, rank) in weeks.iter().zip(&row.ranks) {
            let now = seen(rank).map(place);
            match (before, now) {
                (Some((_, Some(_))), Some(y)) => {
                    path.line(*week, y);
                }
                (Some((past, None)), Some(y)) => {
                    path.to((past + week) / 2.0, below);
                    path.line(*week, y);
                }
                (None, Some(y)) => {
                    path.to(*week, y);
                }
                (Some((past, Some(_))), None) => {
                    path.line((past + week) / 2.0, below);
                }
                (_, None) => {}
            }
            dots.extend(now.map(|y| (*week, y)));
            before = Some((*week, now));
        }
        svg.path(&if is_context { "ctx".to_owned() } else { format!("ln {}", row.class) }, &path);
        if !is_context {
            for (px, py) in dots {
                svg.circle(row.class, px, py, 2.5);
            }
        }
        if let Some(rank) = row.ranks.last().copied().flatten().filter(|rank| (1..=depth).contains(rank)) {
            let class = weight(row);
            svg.text(plot.right + 8.0, place(rank) + 4.0, "ax", &rank.to_string());
            let text = labels::shorten(&row.label, frame::text_size(class), room - 28.0);
            svg.text(plot.right + 24.0, place(rank) + 4.0, class, &text);
        }
    }
    frame::time_axis(&mut svg, &plot, *first, *last, &x);
    svg.finish()
}
