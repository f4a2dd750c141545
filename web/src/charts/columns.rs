//! Volumes per period as columns from zero; an incomplete period is hollow.

use chrono::{DateTime, Utc};

use super::frame::{self, Canvas, Caption, HALF, Plot};
use super::labels;
use super::scale::{Linear, Ticks};
use super::svg::{Path, Svg};

#[derive(Clone, Debug)]
pub struct Columns<'a> {
    pub caption: Caption<'a>,
    pub unit: &'a str,
    /// Start of each period and its name below the axis.
    pub at: &'a [DateTime<Utc>],
    pub names: &'a [String],
    /// Outer and, inside it, inner value (e.g. models with 1 and with 100 requests).
    pub outer: &'a [Option<f64>],
    pub inner: Option<&'a [Option<f64>]>,
    pub partial_from: usize,
    /// Text over the last complete column.
    pub label: String,
}

impl Columns<'_> {
    pub fn render(&self) -> String {
        HALF.iter().map(|canvas| self.draw(canvas)).collect()
    }

    fn draw(&self, canvas: &Canvas) -> String {
        let mut svg = canvas.open(&self.caption);
        let highest = self.outer.iter().flatten().copied().fold(0.0, f64::max);
        let ticks = Ticks::cover(0.0, highest);
        let plot = Plot {
            left: frame::axis_room(&ticks),
            right: canvas.width - 8.0,
            top: 38.0,
            bottom: canvas.height - 24.0,
        };
        let y = Linear::new((0.0, ticks.last()), (plot.bottom, plot.top));
        frame::value_axis(&mut svg, &plot, &ticks, &y, self.unit);
        let pitch = (plot.right - plot.left) / self.at.len().max(1) as f64;
        let width = (pitch * 0.72).min(44.0);
        let (mut outer, mut inner, mut hollow) = (Path::default(), Path::default(), Path::default());
        let every = names_every(self.names, pitch);
        for index in 0..self.at.len() {
            let middle = plot.left + pitch * (index as f64 + 0.5);
            let column = |value: f64| (middle - width / 2.0, y.at(value), width, plot.bottom - y.at(value));
            if let Some(value) = self.outer.get(index).copied().flatten() {
                let (left, top, width, height) = column(value);
                if index < self.partial_from {
                    outer.rect(left, top, width, height);
                } else {
                    hollow.rect(left + 0.75, top + 0.75, width - 1.5, (height - 0.75).max(0.5));
                }
                if index + 1 == self.partial_from && !self.label.is_empty() {
                    let size = frame::text_size("b");
                    let label = labels::shorten(&self.label, size, plot.right - plot.left);
                    let half = labels::width(&label, size) / 2.0;
                    svg.text(frame::middle_within(&plot, middle, half), top - 6.0, "b m halo", &label);
                }
            }
            if let Some(value) = self.inner.and_then(|values| values.get(index).copied().flatten())
                && index < self.partial_from
            {
                let (left, top, width, height) = column(value);
                inner.rect(left, top, width, height);
            }
            if index % every == 0
                && let Some(name) = self.names.get(index)
            {
                svg.text(middle, plot.bottom + 17.0, "ax m", name);
            }
        }
        svg.path(if self.inner.is_some() { "c-outer" } else { "c-one" }, &outer);
        svg.path("c-one", &inner);
        svg.path("hollow col", &hollow);
        svg.finish()
    }
}

fn names_every(names: &[String], pitch: f64) -> usize {
    let widest = names.iter().map(|name| labels::width(name, frame::TEXT)).fold(1.0, f64::max) + 8.0;
    ((widest / pitch.max(0.1)).ceil() as usize).max(1)
}

/// Sixty small columns without axes, for the strip of the last hour.
pub fn minute_columns(caption: &Caption<'_>, values: &[Option<f64>]) -> String {
    let mut svg = Svg::picture("minutes", 360.0, 40.0, caption.id, caption.title, caption.desc);
    let highest = values.iter().flatten().copied().fold(0.0, f64::max);
    let y = Linear::new((0.0, if highest > 0.0 { highest } else { 1.0 }), (39.0, 2.0));
    let pitch = 360.0 / values.len().max(1) as f64;
    let mut columns = Path::default();
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|value| value.is_finite() && *value > 0.0) else { continue };
        let (left, top) = (pitch * index as f64, y.at(value).min(38.0));
        columns.rect(left, top, pitch - 1.0, 39.0 - top);
    }
    svg.segment("base", (0.0, 39.5), (360.0, 39.5));
    svg.path("c-one", &columns);
    svg.finish()
}
