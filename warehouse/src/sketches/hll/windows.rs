//! Distinct users of many windows of days at once.
//!
//! The ends of all windows cut time into segments, and each sketch goes into the union of its own alone; a window is the
//! union of some segments. So windows that overlap cost little more than one.

use std::collections::BTreeMap;

use super::growing::{Growing, Room};
use super::register::REGISTERS;
use super::{DecodeError, estimate};

/// Of `days` days, the last of which is `end`; days are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub end: i32,
    pub days: i32,
    /// The end that was asked for: so many times the length after its own.
    pub asked_end: i32,
    pub step: i64,
}

/// Unions of the segments of some windows.
#[derive(Debug, Default)]
pub struct Windows {
    windows: Vec<Window>,
    /// Where segments begin, ascending, and where the last ends.
    cuts: Vec<i32>,
    segments: Vec<Growing>,
    held_bytes: usize,
    room: Room,
}

impl Windows {
    /// Those that end with each of `ends`, of each of `lengths`, and `steps` of each: itself and the equal ones right
    /// before. What has no day is left out.
    pub fn new(ends: &[i32], lengths: &[i32], steps: i64) -> Self {
        let mut windows = Vec::new();
        for end in ends {
            for days in lengths.iter().filter(|days| **days > 0) {
                for step in 0..steps {
                    let back = i32::try_from(step).ok().and_then(|step| step.checked_mul(*days));
                    let own = back.and_then(|back| end.checked_sub(back));
                    // Far enough from the smallest number for its first day.
                    let own = own.filter(|own| own.checked_sub(*days).is_some() && *own < i32::MAX);
                    windows.extend(own.map(|own| Window { end: own, days: *days, asked_end: *end, step }));
                }
            }
        }
        let mut cuts: Vec<i32> = windows.iter().flat_map(|window| [window.first(), window.end + 1]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let segments = (1..cuts.len()).map(|_| Growing::default()).collect();
        Self { windows, cuts, segments, ..Self::default() }
    }

    /// Adds the stored sketch of a day, if it is in any window.
    ///
    /// # Errors
    /// It is no sketch.
    pub fn add(&mut self, day: i32, stored: &[u8]) -> Result<(), DecodeError> {
        let at = self.at(day).checked_sub(1);
        let Some(segment) = at.and_then(|at| self.segments.get_mut(at)) else { return Ok(()) };
        let held_before = segment.held_bytes();
        segment.add(stored, &mut self.room)?;
        self.held_bytes = self.held_bytes + segment.held_bytes() - held_before;
        Ok(())
    }

    /// What each window with any user estimates.
    pub fn estimates(&self) -> impl Iterator<Item = (Window, f64)> {
        // A window is another one's window before.
        let mut known: BTreeMap<(i32, i32), Option<f64>> = BTreeMap::new();
        self.windows.iter().filter_map(move |window| {
            let estimate = known.entry((window.end, window.days)).or_insert_with(|| self.estimate(*window));
            estimate.map(|estimate| (*window, estimate))
        })
    }

    fn estimate(&self, window: Window) -> Option<f64> {
        let own = self.segments.get(self.at(window.first()).checked_sub(1)?..self.at(window.end))?;
        if own.iter().all(Growing::is_nothing) {
            return None;
        }
        let mut ranks = [0; REGISTERS];
        own.iter().for_each(|segment| segment.raise(&mut ranks));
        Some(estimate::of_registers(&ranks))
    }

    /// A day and the sketch of all users of its segment, for each with any.
    pub fn sketches(&self) -> impl Iterator<Item = (i32, Vec<u8>)> {
        let filled = self.cuts.iter().zip(&self.segments).filter(|(_, segment)| !segment.is_nothing());
        filled.map(|(day, segment)| {
            let mut sketch = Vec::new();
            segment.write(&mut sketch);
            (*day, sketch)
        })
    }

    pub fn held_bytes(&self) -> usize {
        self.held_bytes
            + self.windows.capacity() * size_of::<Window>()
            + self.cuts.capacity() * size_of::<i32>()
            + self.segments.capacity() * size_of::<Growing>()
            + self.room.size()
    }

    /// How many segments begin with the day or before.
    fn at(&self, day: i32) -> usize {
        self.cuts.partition_point(|cut| *cut <= day)
    }
}

impl Window {
    fn first(self) -> i32 {
        self.end - self.days + 1
    }
}
