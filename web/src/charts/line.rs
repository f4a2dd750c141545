//! Values over time: one to four lines, grey context, percentile bands. A gap in the data is a gap in the line.

use chrono::{DateTime, Utc};

use super::frame::{self, Canvas, Caption, EndLabel, HALF, Note, Plot};
use super::labels;
use super::scale::{Linear, Ticks};
use super::svg::{Path, Svg};

/// How a line is told apart besides its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    #[default]
    Solid,
    Long,
    Dots,
    Mixed,
}

impl Dash {
    fn class(self) -> &'static str {
        match self {
            Self::Solid => "",
            Self::Long => " d1",
            Self::Dots => " d2",
            Self::Mixed => " d3",
        }
    }
}

/// One line. `label` stands at its right end; an empty one draws none.
#[derive(Clone, Debug)]
pub struct Line {
    pub label: String,
    /// `s0` to `s9`, or `ctx` for context in grey.
    pub class: &'static str,
    pub dash: Dash,
    pub bold: bool,
    pub values: Vec<Option<f64>>,
}

impl Line {
    /// Class of its label.
    fn weight(&self) -> &'static str {
        match (self.bold, self.class) {
            (true, _) => "b",
            (false, "ctx") => "sm",
            (false, _) => "",
        }
    }
}

/// The space between two percentiles.
#[derive(Clone, Debug)]
pub struct Band {
    /// `band1` (inner) or `band2` (outer).
    pub class: &'static str,
    pub lower: Vec<Option<f64>>,
    pub upper: Vec<Option<f64>>,
}

/// What the value axis covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// From zero: volumes, latencies.
    Zero,
    /// Round values around the data, at most up to the bound: uptimes near 100 %.
    Near { most: f64 },
}

/// How points of an incomplete period are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partial {
    /// Ratios continue as dashes.
    Dashes,
    /// Volumes stand as a dashed stem with a hollow dot: joining it would look like a fall.
    Stem,
}

#[derive(Clone, Debug)]
pub struct LineChart<'a> {
    pub caption: Caption<'a>,
    /// Stands once, above the axis.
    pub unit: &'a str,
    pub at: &'a [DateTime<Utc>],
    pub lines: &'a [Line],
    pub bands: &'a [Band],
    /// Index of the first incomplete point; the length where all are complete.
    pub partial_from: usize,
    pub partial: Partial,
    pub domain: Domain,
    pub notes: &'a [Note],
}

impl LineChart<'_> {
    pub fn render(&self) -> String {
        HALF.iter().map(|canvas| self.draw(canvas)).collect()
    }

    fn draw(&self, canvas: &Canvas) -> String {
        let mut svg = canvas.open(&self.caption);
        let (Some(first), Some(last)) = (self.at.first(), self.at.last()) else { return svg.finish() };
        let ticks = self.ticks();
        let longest = self
            .lines
            .iter()
            .map(|line| labels::width(&line.label, frame::text_size(line.weight())))
            .fold(0.0, f64::max);
        let room = if longest > 0.0 { frame::label_room(canvas, longest + 22.0) } else { 14.0 };
        let plot = Plot {
            left: frame::axis_room(&ticks),
            right: canvas.width - room,
            top: if self.unit.is_empty() { 26.0 } else { 38.0 },
            bottom: canvas.height - 24.0,
        };
        let x = Linear::new((first.timestamp() as f64, last.timestamp() as f64), (plot.left, plot.right));
        let y = Linear::new((ticks.first(), ticks.last()), (plot.bottom, plot.top));
        let xs: Vec<f64> = self.at.iter().map(|at| x.at(at.timestamp() as f64)).collect();
        frame::value_axis(&mut svg, &plot, &ticks, &y, self.unit);
        frame::time_axis(&mut svg, &plot, *first, *last, &x);
        frame::notes(&mut svg, &plot, self.notes, &x);
        for band in self.bands {
            svg.path(band.class, &ribbon(band, &xs, &y));
        }
        let mut entries = Vec::new();
        let mut label_from = plot.left;
        // Context first, so that what matters lies on top.
        let (context, front): (Vec<_>, Vec<_>) = self.lines.iter().partition(|line| line.class == "ctx");
        for line in context.into_iter().chain(front) {
            self.draw_line(&mut svg, line, &xs, &y, plot.bottom);
            let known = |until: usize| {
                let values = line.values.iter().take(until).enumerate().rev();
                values.filter_map(|(index, value)| value.map(|value| (index, value))).next()
            };
            // A line of nothing but an incomplete period is labelled there.
            let newest = known(self.labelled_until()).or_else(|| known(self.at.len()));
            if let (false, Some((index, value))) = (line.label.is_empty(), newest) {
                label_from = label_from.max(xs.get(index).copied().unwrap_or(plot.right));
                let class = line.weight();
                entries.push(EndLabel { y: y.at(value), text: line.label.clone(), class, swatch: None });
            }
        }
        frame::end_labels(&mut svg, &plot, label_from.min(plot.right), room, &entries);
        svg.finish()
    }

    /// Labels stand at the last point that is joined to its line.
    fn labelled_until(&self) -> usize {
        match self.partial {
            Partial::Dashes => self.at.len(),
            Partial::Stem => self.partial_from,
        }
    }

    fn ticks(&self) -> Ticks {
        let values = self.lines.iter().flat_map(|line| line.values.iter().flatten());
        let bounds = self.bands.iter().flat_map(|band| band.upper.iter().flatten());
        let all: Vec<f64> = values.chain(bounds).copied().filter(|value| value.is_finite()).collect();
        let highest = all.iter().copied().fold(0.0, f64::max);
        match self.domain {
            Domain::Zero => Ticks::cover(0.0, highest),
            Domain::Near { most } => {
                let lowest = all.iter().copied().fold(most, f64::min);
                Ticks::cover(if lowest < most { lowest } else { most - 1.0 }, most)
            }
        }
    }

    fn draw_line(&self, svg: &mut Svg, line: &Line, xs: &[f64], y: &Linear, bottom: f64) {
        let class = if line.class == "ctx" {
            format!("ctx{}", line.dash.class())
        } else {
            format!("ln{} {}{}", if line.bold { "" } else { " thin" }, line.class, line.dash.class())
        };
        let complete = self.partial_from.min(line.values.len());
        let mut joined = Path::default();
        let mut alone = Vec::new();
        let mut run: Vec<(f64, f64)> = Vec::new();
        let points = xs.iter().zip(&line.values).take(complete);
        for point in points.map(|(at, value)| value.map(|value| (*at, y.at(value)))).chain([None]) {
            match point {
                Some(point) => run.push(point),
                None => {
                    match run.as_slice() {
                        [] => {}
                        [one] => alone.push(*one),
                        [start, rest @ ..] => {
                            joined.to(start.0, start.1);
                            for (at, value) in rest {
                                joined.line(*at, *value);
                            }
                        }
                    }
                    run.clear();
                }
            }
        }
        svg.path(&class, &joined);
        for (at, value) in alone {
            svg.circle(if line.class == "ctx" { "s9" } else { line.class }, at, value, 2.0);
        }
        let open: Vec<(f64, f64)> = xs
            .iter()
            .zip(&line.values)
            .skip(complete.saturating_sub(usize::from(self.partial == Partial::Dashes)))
            .filter_map(|(at, value)| value.map(|value| (*at, y.at(value))))
            .collect();
        if complete >= line.values.len() {
            return;
        }
        match self.partial {
            Partial::Dashes if open.len() > 1 => {
                let mut dashes = Path::default();
                for (at, value) in open {
                    dashes.line(at, value);
                }
                svg.path(
                    &format!("ln thin dash {}", if line.class == "ctx" { "s9" } else { line.class }),
                    &dashes,
                );
            }
            Partial::Dashes => {}
            Partial::Stem => {
                for (at, value) in open {
                    svg.segment(&format!("ln thin dash {}", line.class), (at, bottom), (at, value));
                    svg.circle(&format!("hollow {}", line.class), at, value, 3.0);
                }
            }
        }
    }
}

/// A filled path per run of points where both edges are known.
fn ribbon(band: &Band, xs: &[f64], y: &Linear) -> Path {
    let mut path = Path::default();
    let mut run: Vec<(f64, f64, f64)> = Vec::new();
    let edges = band.lower.iter().zip(&band.upper);
    let points =
        xs.iter().zip(edges).map(|(at, (lower, upper))| Some((*at, y.at((*lower)?), y.at((*upper)?))));
    for point in points.chain([None]) {
        match point {
            Some(point) => run.push(point),
            None if run.len() > 1 => {
                if let Some((at, _, upper)) = run.first() {
                    path.to(*at, *upper);
                }
                for (at, _, upper) in run.iter().skip(1) {
                    path.line(*at, *upper);
                }
                for (at, lower, _) in run.iter().rev() {
                    path.line(*at, *lower);
                }
                path.close();
                run.clear();
            }
            None => run.clear(),
        }
    }
    path
}
