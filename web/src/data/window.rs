//! Spans of whole UTC days, and ISO weeks.

use chrono::{Datelike, Days, NaiveDate};

/// Days from `start` to `end`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    pub start: NaiveDate,
    pub end: NaiveDate,
}

impl Window {
    /// The `days` days that end with `end`.
    pub fn trailing(end: NaiveDate, days: u64) -> Self {
        Self { start: end.checked_sub_days(Days::new(days.saturating_sub(1))).unwrap_or(end), end }
    }

    pub fn days(self) -> u64 {
        u64::try_from((self.end - self.start).num_days() + 1).unwrap_or(0)
    }

    /// The equal span just before.
    pub fn previous(self) -> Self {
        Self::trailing(self.start.pred_opt().unwrap_or(self.start), self.days())
    }

    /// The same weekdays 52 weeks earlier.
    pub fn year_before(self) -> Self {
        let back = Days::new(364);
        Self {
            start: self.start.checked_sub_days(back).unwrap_or(self.start),
            end: self.end.checked_sub_days(back).unwrap_or(self.end),
        }
    }

    pub fn contains(self, date: NaiveDate) -> bool {
        self.start <= date && date <= self.end
    }

    pub fn dates(self) -> impl DoubleEndedIterator<Item = NaiveDate> {
        let start = self.start;
        (0..self.days()).filter_map(move |day| start.checked_add_days(Days::new(day)))
    }
}

/// Monday of the ISO week that holds `date`.
pub fn monday(date: NaiveDate) -> NaiveDate {
    date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday()))).unwrap_or(date)
}

/// One ISO week of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    pub monday: NaiveDate,
    /// False for the running week and for a week that began before the history: never joined to the others.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_trailing_window_holds_its_days_and_ends_before_nothing() {
        let week = Window::trailing(day("2026-11-24"), 7);
        assert_eq!(week, Window { start: day("2026-11-18"), end: day("2026-11-24") });
        assert_eq!(week.previous(), Window { start: day("2026-11-11"), end: day("2026-11-17") });
        assert_eq!(week.dates().count(), 7);
    }

    #[test]
    fn a_year_before_keeps_the_weekdays() {
        let week = Window::trailing(day("2026-11-24"), 7).year_before();
        assert_eq!(week, Window { start: day("2025-11-19"), end: day("2025-11-25") });
        assert_eq!(week.start.weekday(), day("2026-11-18").weekday());
    }

    #[test]
    fn weeks_begin_on_monday() {
        assert_eq!(monday(day("2026-11-25")), day("2026-11-23"));
        assert_eq!(monday(day("2026-11-23")), day("2026-11-23"));
        assert_eq!(monday(day("2026-11-29")), day("2026-11-23"));
    }
}
