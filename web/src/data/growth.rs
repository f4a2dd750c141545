//! Active models and growth, by calendar month.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};

use super::Dataset;
use super::group::{Filter, Group, GroupBy};
use super::totals::Totals;
use super::window::Window;

/// One calendar month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Month {
    /// First day.
    pub start: NaiveDate,
    /// False for the running month and a month that began before the history.
    pub complete: bool,
    pub totals: Totals,
    /// Model variants with at least one and at least 100 requests.
    pub active: usize,
    pub active_100: usize,
    /// Model variants whose first request ever falls into this month; `None` for the first month of the history, and
    /// while older ones are still being written.
    pub new: Option<usize>,
    /// Tokens and requests against the month before, −1 = gone; `None` unless both are complete.
    pub tokens_growth: Option<f64>,
    pub requests_growth: Option<f64>,
}

impl Dataset {
    /// Every month of the history, oldest first.
    pub fn months(&self) -> Vec<Month> {
        let mut months: Vec<Month> = Vec::new();
        let mut seen: HashMap<Group, NaiveDate> = HashMap::new();
        let knows_what_came_before = |months: &[Month]| !months.is_empty() && !self.is_filling();
        let mut start = first_of_month(self.first_date());
        while start <= self.newest_date() && !self.is_empty() {
            let next = next_month(start);
            let window = Window { start, end: next.pred_opt().unwrap_or(start) };
            let groups = self.totals(window, GroupBy::Series, Filter::All);
            let mut totals = Totals::default();
            for (group, sum) in &groups {
                totals.add(sum);
                if group.is_named() {
                    seen.entry(*group).or_insert(start);
                }
            }
            let named = || groups.iter().filter(|(group, _)| group.is_named());
            let complete = start >= self.first_date() && window.end <= self.last_complete_date();
            let before = months.last().filter(|before| complete && before.complete);
            let growth = |get: fn(&Totals) -> u64| {
                let old = before.map(|before| get(&before.totals)).filter(|old| *old > 0)?;
                Some(get(&totals) as f64 / old as f64 - 1.0)
            };
            let month = Month {
                start,
                complete,
                totals,
                active: named().filter(|(_, sum)| sum.requests > 0).count(),
                active_100: named().filter(|(_, sum)| sum.requests >= 100).count(),
                new: knows_what_came_before(&months)
                    .then(|| seen.values().filter(|first| **first == start).count()),
                tokens_growth: growth(Totals::tokens),
                requests_growth: growth(|totals| totals.requests),
            };
            months.push(month);
            start = next;
        }
        months
    }

    /// Mean monthly growth of tokens over the last six complete months, as a ratio − 1.
    pub fn six_month_growth(&self) -> Option<f64> {
        let complete: Vec<Month> = self.months().into_iter().filter(|month| month.complete).collect();
        let last = complete.last()?;
        let first = complete.get(complete.len().checked_sub(7)?)?;
        let (now, then) = (last.totals.tokens(), first.totals.tokens());
        (now > 0 && then > 0).then(|| (now as f64 / then as f64).powf(1.0 / 6.0) - 1.0)
    }

    /// Day of each group's first request.
    pub fn first_seen(&self, by: GroupBy) -> HashMap<Group, NaiveDate> {
        let mut first = HashMap::new();
        for date in self.usage.keys() {
            for (group, _) in self.totals(Window { start: *date, end: *date }, by, Filter::All) {
                first.entry(group).or_insert(*date);
            }
        }
        first
    }
}

fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

fn next_month(start: NaiveDate) -> NaiveDate {
    start.checked_add_months(chrono::Months::new(1)).unwrap_or(NaiveDate::MAX)
}
