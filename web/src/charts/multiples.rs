//! The same lines in one small panel each: one highlighted on its own base line, the others as grey context.

use chrono::{DateTime, Utc};

use super::scale::{Linear, Ticks};
use super::svg::{Path, Svg, escape};
use crate::format;

/// One panel. Shares are 0 to 1.
#[derive(Clone, Debug)]
pub struct Multiple {
    /// `s0` to `s9`.
    pub class: &'static str,
    pub shares: Vec<f64>,
}

const WIDTH: f64 = 152.0;
const BASE: f64 = 64.0;
const TOP: f64 = 6.0;

/// A hidden drawing that holds the grey lines once, and one panel per series that refers to it.
///
/// `id` must be unique in the page. Points from `partial_from` on are dashed.
pub fn multiples(
    id: &str,
    at: &[DateTime<Utc>],
    series: &[Multiple],
    partial_from: usize,
) -> (String, Vec<String>) {
    let highest = series
        .iter()
        .flat_map(|one| &one.shares)
        .copied()
        .filter(|share| share.is_finite())
        .fold(0.0, f64::max);
    let ticks = Ticks::cover(0.0, highest * 100.0);
    let y = Linear::new((0.0, ticks.last() / 100.0), (BASE, TOP));
    let x = Linear::new((0.0, at.len().saturating_sub(1).max(1) as f64), (2.0, WIDTH - 2.0));
    let complete = partial_from.min(at.len());
    let id = escape(id);
    let mut context =
        format!("<svg class=\"sprite\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><g id=\"{id}\">");
    for one in series {
        let mut path = Path::default();
        for (index, share) in one.shares.iter().enumerate().take(complete) {
            path.line(x.at(index as f64), y.at(*share));
        }
        context.push_str(&format!("<path class=\"ctx\" d=\"{}\"/>", path.data()));
    }
    context.push_str("</g></defs></svg>");
    let panels = series.iter().map(|one| panel(&id, one, at, complete, &ticks, &x, &y)).collect();
    (context, panels)
}

fn panel(
    id: &str,
    one: &Multiple,
    at: &[DateTime<Utc>],
    complete: usize,
    ticks: &Ticks,
    x: &Linear,
    y: &Linear,
) -> String {
    let mut svg = Svg::decoration("panel", "0 -8 152 88", false);
    let middle = y.at(ticks.last() / 200.0);
    svg.segment("grid", (0.0, middle), (WIDTH - 2.0, middle));
    svg.segment("grid", (0.0, TOP), (WIDTH - 2.0, TOP));
    svg.segment("base", (0.0, BASE), (WIDTH - 2.0, BASE));
    svg.reference(id);
    let (mut line, mut dashes) = (Path::default(), Path::default());
    for (index, share) in one.shares.iter().enumerate() {
        let (px, py) = (x.at(index as f64), y.at(*share));
        if index < complete {
            line.line(px, py);
        }
        if index + 1 >= complete {
            dashes.line(px, py);
        }
    }
    // Others is grey like its context; a heavier line tells it apart.
    let weight = if one.class == "s9" { " heavy" } else { "" };
    svg.path(&format!("ln {}{weight}", one.class), &line);
    if complete < at.len() {
        svg.path(&format!("ln thin dash {}", one.class), &dashes);
    }
    svg.text(0.0, TOP - 4.0, "ax", &format!("{}\u{a0}%", ticks.label(ticks.last())));
    if let (Some(first), Some(last)) = (at.first(), at.last()) {
        svg.text(0.0, 77.0, "ax", &format::month_year(first.date_naive()));
        svg.text(WIDTH - 2.0, 77.0, "ax e", &format::month_year(last.date_naive()));
    }
    svg.finish()
}

impl Svg {
    fn reference(&mut self, id: &str) {
        self.raw(&format!("<use href=\"#{id}\"/>"));
    }
}
