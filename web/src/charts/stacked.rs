//! Shares over time as a stack that fills 100 %, with a direct label for each band.

use chrono::{DateTime, Utc};

use super::frame::{self, Canvas, Caption, EndLabel, LARGE, Note, Plot};
use super::labels;
use super::scale::{Linear, Ticks};
use super::svg::Path;

/// One band, bottom first. Shares are 0 to 1; the sum of all bands at one instant is at most 1.
#[derive(Clone, Debug)]
pub struct Band100 {
    pub label: String,
    /// `s0` to `s9`.
    pub class: &'static str,
    pub shares: Vec<f64>,
}

#[derive(Clone, Debug)]
pub struct Stacked<'a> {
    pub caption: Caption<'a>,
    pub at: &'a [DateTime<Utc>],
    pub bands: &'a [Band100],
    /// Points from here on are incomplete: drawn as dashes, without area.
    pub partial_from: usize,
    pub notes: &'a [Note],
}

/// Class of a band's label: the lowest band is what the chart is about.
const fn weight(index: usize) -> &'static str {
    if index == 0 { "b" } else { "" }
}

impl Stacked<'_> {
    pub fn render(&self) -> String {
        LARGE.iter().map(|canvas| self.draw(canvas)).collect()
    }

    fn draw(&self, canvas: &Canvas) -> String {
        let mut svg = canvas.open(&self.caption);
        let longest = self
            .bands
            .iter()
            .enumerate()
            .map(|(index, band)| labels::width(&band.label, frame::text_size(weight(index))))
            .fold(0.0, f64::max);
        let room = frame::label_room(canvas, longest + 28.0);
        let plot = Plot { left: 44.0, right: canvas.width - room, top: 24.0, bottom: canvas.height - 24.0 };
        let (Some(first), Some(last)) = (self.at.first(), self.at.last()) else { return svg.finish() };
        let end = (first.timestamp() as f64, last.timestamp() as f64);
        let x = Linear::new(end, (plot.left, plot.right));
        let y = Linear::new((0.0, 1.0), (plot.bottom, plot.top));
        let tops = self.tops();
        let complete = self.partial_from.min(self.at.len());
        let xs: Vec<f64> = self.at.iter().map(|at| x.at(at.timestamp() as f64)).collect();
        // Painted from the top band down, each to the base line: the next one covers what lies below it.
        for (band, top) in self.bands.iter().zip(&tops).rev() {
            let mut area = Path::default();
            if let (Some(left), Some(right)) = (xs.first(), xs.get(complete.saturating_sub(1))) {
                area.to(*left, plot.bottom);
                for (at, share) in xs.iter().zip(top).take(complete) {
                    area.line(*at, y.at(*share));
                }
                area.line(*right, plot.bottom).close();
                svg.path(&format!("{} area", band.class), &area);
            }
            let mut dashes = Path::default();
            for (at, share) in xs.iter().zip(top).skip(complete.saturating_sub(1)) {
                dashes.line(*at, y.at(*share));
            }
            if complete < xs.len() && *top.last().unwrap_or(&0.0) < 0.999 {
                svg.path(&format!("ln thin dash {}", band.class), &dashes);
            }
        }
        // Grid and numbers lie over the areas, so that they can be read off.
        let ticks = Ticks { values: vec![0.0, 25.0, 50.0, 75.0, 100.0], decimals: 0 };
        for value in &ticks.values {
            let at = y.at(value / 100.0);
            svg.segment(if *value == 0.0 { "base" } else { "grid over" }, (plot.left, at), (plot.right, at));
            let label = if *value == 100.0 { "100\u{a0}%".to_owned() } else { ticks.label(*value) };
            svg.text(plot.left - 6.0, at + 4.0, "ax e", &label);
        }
        frame::time_axis(&mut svg, &plot, *first, *last, &x);
        if !canvas.is_slim() {
            frame::notes(&mut svg, &plot, self.notes, &x);
        }
        let entries: Vec<EndLabel> = self
            .bands
            .iter()
            .zip(&tops)
            .enumerate()
            .filter_map(|(index, (band, top))| {
                let below = index.checked_sub(1).and_then(|before| tops.get(before));
                let upper = *top.last()?;
                let lower = below.and_then(|top| top.last()).copied().unwrap_or(0.0);
                Some(EndLabel {
                    y: y.at((upper + lower) / 2.0),
                    text: band.label.clone(),
                    class: weight(index),
                    swatch: Some(band.class.to_owned()),
                })
            })
            .collect();
        frame::end_labels(&mut svg, &plot, plot.right - 3.0, room, &entries);
        svg.finish()
    }

    /// Upper edge of each band, 0 to 1.
    fn tops(&self) -> Vec<Vec<f64>> {
        let mut sum = vec![0.0; self.at.len()];
        self.bands
            .iter()
            .map(|band| {
                for (total, share) in sum.iter_mut().zip(&band.shares) {
                    if share.is_finite() {
                        *total = (*total + share.max(0.0)).min(1.0);
                    }
                }
                sum.clone()
            })
            .collect()
    }
}
