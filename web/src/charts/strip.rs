//! Uptime as a row of cells: blue from the bottom is what worked, the bite from the top is what did not.
//! Class shows as height and hatch, never as colour alone; no data is hollow, never full.

use super::frame::{Canvas, Caption};
use super::labels;
use super::svg::{Path, Svg};

/// What a cell says, from one set of thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// 99.9 % and more.
    Full,
    /// 99 to below 99.9 %.
    High,
    /// 95 to below 99 %.
    Fair,
    /// 80 to below 95 %.
    Degraded,
    /// Below 80 %.
    Down,
    NoData,
}

impl Class {
    pub const ALL: [Self; 6] = [Self::Full, Self::High, Self::Fair, Self::Degraded, Self::Down, Self::NoData];

    /// `uptime` in percent; None where too little was counted.
    pub fn of(uptime: Option<f64>) -> Self {
        match uptime {
            Some(uptime) if uptime >= 99.9 => Self::Full,
            Some(uptime) if uptime >= 99.0 => Self::High,
            Some(uptime) if uptime >= 95.0 => Self::Fair,
            Some(uptime) if uptime >= 80.0 => Self::Degraded,
            Some(_) => Self::Down,
            None => Self::NoData,
        }
    }

    /// Part of the height that the bite takes.
    fn bite(self) -> f64 {
        match self {
            Self::Full | Self::NoData => 0.0,
            Self::High => 0.20,
            Self::Fair => 0.42,
            Self::Degraded => 0.68,
            Self::Down => 1.0,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Full => "99.9 % and more",
            Self::High => "99 to 99.9 %",
            Self::Fair => "95 to 99 %",
            Self::Degraded => "degraded, 80 to 95 %",
            Self::Down => "down, below 80 %",
            Self::NoData => "not enough data",
        }
    }
}

/// Cells of one row, collected into one path per colour.
#[derive(Default)]
struct Cells {
    ok: Path,
    bite: Path,
    degraded: Path,
    down: Path,
    none: Path,
}

impl Cells {
    fn add(&mut self, class: Class, x: f64, y: f64, width: f64, height: f64) {
        let bite = class.bite() * height;
        match class {
            Class::NoData => {
                self.none.rect(x + 0.5, y + 0.5, (width - 1.0).max(0.4), height - 1.0);
                return;
            }
            Class::Down => {
                self.down.rect(x, y, width, height);
                return;
            }
            Class::Full => {}
            Class::High | Class::Fair => {
                self.bite.rect(x, y, width, bite - 1.0);
            }
            Class::Degraded => {
                let stripe = (height / 10.0).max(1.5);
                let mut at = 0.0;
                while at < bite - stripe {
                    self.degraded.rect(x, y + at, width, stripe);
                    at += 2.0 * stripe;
                }
            }
        }
        self.ok.rect(x, y + bite, width, height - bite);
    }

    fn draw(&self, svg: &mut Svg) {
        svg.path("u-ok", &self.ok);
        svg.path("u-bite", &self.bite);
        svg.path("u-deg", &self.degraded);
        svg.path("u-down", &self.down);
        svg.path("u-none", &self.none);
    }
}

/// A strip inside a table row, stretched to its cell; the numbers stand beside it.
pub fn row_strip(cells: &[Class]) -> String {
    let pitch = 6.0;
    let mut svg = Svg::decoration("strip", &format!("0 0 {} 18", cells.len().max(1) * 6), true);
    let mut row = Cells::default();
    for (index, class) in cells.iter().enumerate() {
        row.add(*class, pitch * index as f64, 0.0, pitch - 1.5, 18.0);
    }
    row.draw(&mut svg);
    svg.finish()
}

/// One cell of a large strip.
#[derive(Clone, Debug)]
pub struct Cell {
    pub class: Class,
    /// What a pointer sees: `24 Nov 2026: 98.41 % of 182,311 attempts`.
    pub tip: String,
    /// Below the axis where the cell begins a group, e.g. a month or an hour.
    pub mark: Option<String>,
    /// Begins the rows of the narrow drawing: `27 Aug`, `06:00`.
    pub name: String,
}

/// Largest size of a mark's text: a drawing in a middling column sets it larger.
const MARK: f64 = 13.5;
const FULL: Canvas = Canvas { class: "full", suffix: "", width: 1216.0, height: 74.0 };

/// Ninety days: one wide row, and three rows of thirty for narrow pages.
pub fn days_strip(caption: &Caption<'_>, cells: &[Cell]) -> String {
    wide(caption, cells, 46.0, true) + &narrow(caption, cells, 3, 38.0)
}

/// A day in five-minute cells: one wide row, and four rows of six hours for narrow pages.
pub fn minutes_strip(caption: &Caption<'_>, cells: &[Cell]) -> String {
    wide(caption, cells, 32.0, false) + &narrow(caption, cells, 4, 22.0)
}

fn wide(caption: &Caption<'_>, cells: &[Cell], height: f64, tips: bool) -> String {
    let canvas = Canvas { height: height + 28.0, ..FULL };
    let mut svg = canvas.open(caption);
    let pitch = canvas.width / cells.len().max(1) as f64;
    let width = if pitch > 8.0 { pitch - 3.5 } else { (pitch - 1.0).max(0.8) };
    let mut row = Cells::default();
    for (index, cell) in cells.iter().enumerate() {
        let x = pitch * index as f64;
        row.add(cell.class, x, 2.0, width, height);
        if let Some(mark) = &cell.mark {
            svg.segment("base", (x, height + 4.0), (x, height + 10.0));
            // At the right edge the mark turns inwards, so that it is not cut.
            let fits = x + 3.0 + labels::width(mark, MARK) <= canvas.width;
            let (at, class) = if fits { (x + 3.0, "ax") } else { (x - 3.0, "ax e") };
            svg.text(at, height + 20.0, class, mark);
        }
    }
    row.draw(&mut svg);
    if tips {
        for (index, cell) in cells.iter().enumerate() {
            svg.open_tip(&cell.tip);
            svg.rect("hit", pitch * index as f64, 0.0, pitch, height + 4.0);
            svg.close_tip();
        }
    }
    svg.finish()
}

fn narrow(caption: &Caption<'_>, cells: &[Cell], rows: usize, height: f64) -> String {
    let per_row = cells.len().div_ceil(rows).max(1);
    let row_height = height + 20.0;
    let used = cells.len().div_ceil(per_row).max(1);
    let canvas = Canvas { class: "mid", suffix: "n", width: 344.0, height: row_height * used as f64 + 4.0 };
    let mut svg = canvas.open(caption);
    let pitch = canvas.width / per_row as f64;
    let width = if pitch > 8.0 { pitch - 3.0 } else { (pitch - 1.2).max(0.8) };
    for (number, chunk) in cells.chunks(per_row).enumerate() {
        let top = row_height * number as f64;
        let mut row = Cells::default();
        for (index, cell) in chunk.iter().enumerate() {
            row.add(cell.class, pitch * index as f64, top + 16.0, width, height);
        }
        row.draw(&mut svg);
        if let (Some(first), Some(last)) = (chunk.first(), chunk.last()) {
            svg.text(0.0, top + 11.0, "ax", &first.name);
            svg.text(pitch * (chunk.len() - 1) as f64 + width, top + 11.0, "ax e", &last.name);
        }
    }
    svg.finish()
}
