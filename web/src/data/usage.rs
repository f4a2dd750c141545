//! Served traffic by day and name, as the table `usage_by_day` has it, and the sums of days that pages need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::Dataset;
use super::dictionary::{ModelId, ProviderId};
use super::group::{Filter, Group, GroupBy};
use super::totals::{Totals, Volume};
use super::usage_day::UsageDay;
use super::window::{Week, Window, monday};

/// Series of a share that are named; the rest is Others.
pub const NAMED: usize = 9;
/// Weeks of a share, the running one included.
pub const WEEKS: u64 = 53;

/// Volumes per ISO week and group; every group has one value per week.
#[derive(Clone, Debug, Default)]
pub struct Weekly {
    pub weeks: Vec<Week>,
    /// Groups with any traffic in these weeks, largest total of tokens first.
    pub groups: Vec<(Group, Vec<Volume>)>,
    /// Sum over all groups, week by week.
    pub total: Vec<Volume>,
}

pub(crate) type ByDay = BTreeMap<NaiveDate, Arc<UsageDay>>;

/// Days without usage that part what lies before them from the history.
const PAUSE_DAYS: i64 = 28;
/// Of the requests after such a pause, the part that what lies before it must reach to belong to them.
const PLAUSIBLE: u64 = 1_000;

/// First day of the history: the oldest one, but for days before a long pause that hold less than a thousandth of the
/// requests after it. One event whose clock is years wrong would make years of nothing.
pub(crate) fn history_begins(days: &ByDay) -> Option<NaiveDate> {
    let all = days.values().fold(0, |sum: u64, day| sum.saturating_add(day.requests()));
    let (mut begins, mut before) = (*days.keys().next()?, 0u64);
    for ((date, day), next) in days.iter().zip(days.keys().skip(1)) {
        before = before.saturating_add(day.requests());
        let is_scarce = before < all.saturating_sub(before) / PLAUSIBLE;
        if (*next - *date).num_days() > PAUSE_DAYS && is_scarce {
            begins = *next;
        }
    }
    Some(begins)
}

/// Whether groups are parts of what another dimension is filtered by.
fn is_of_pairs(by: GroupBy, filter: Filter) -> bool {
    match by {
        GroupBy::Provider => matches!(filter, Filter::Model(_) | Filter::Author(_)),
        GroupBy::Model | GroupBy::Author | GroupBy::Series => matches!(filter, Filter::Provider(_)),
    }
}

impl Dataset {
    fn usage_days(&self, window: Window) -> impl Iterator<Item = (NaiveDate, &UsageDay)> {
        self.usage.range(window.start..=window.end.max(window.start)).map(|(date, day)| (*date, day.as_ref()))
    }

    /// Sums per group over the window, groups without traffic left out, in id order.
    pub fn totals(&self, window: Window, by: GroupBy, filter: Filter) -> Vec<(Group, Totals)> {
        let mut sums = vec![Totals::default(); by.len(&self.dictionary)];
        let is_rough = is_of_pairs(by, filter) && !self.tells_all();
        let mut rounded = BTreeSet::new();
        for (_, day) in self.usage_days(window) {
            day.each(&self.dictionary, by, filter, |group, rows, row| {
                if let Some(sum) = sums.get_mut(group as usize) {
                    sum.add_row(rows, row);
                }
                // What rounds to nothing was there.
                rounded.extend(is_rough.then_some(group));
            });
        }
        self.add_rest(window, by, filter, &mut sums, rounded.len());
        (0..)
            .zip(sums)
            .filter(|(id, sum)| sum.requests > 0 || sum.tokens() > 0 || rounded.contains(id))
            .map(|(id, sum)| (by.group(id), sum))
            .collect()
    }

    /// What of a model or an author is at no provider that may be named, and what of a provider is of no model.
    /// `rounded`: of how many names amounts are told in whole percents. What half a percent of each may be is no rest.
    fn add_rest(&self, window: Window, by: GroupBy, filter: Filter, sums: &mut [Totals], rounded: usize) {
        let rest = match (by, filter) {
            (GroupBy::Provider, Filter::Model(_) | Filter::Author(_)) => ProviderId::HIDDEN.index(),
            (GroupBy::Model | GroupBy::Author, Filter::Provider(_)) => ModelId::UNKNOWN.index(),
            _ => return,
        };
        let mut told = Totals::default();
        sums.iter().for_each(|sum| told.add(sum));
        let all = self.total(window, filter);
        let left = all.without(&told);
        let is_rounding = u128::from(left.tokens()) * 200 <= u128::from(all.tokens()) * rounded as u128;
        if let Some(sum) = sums.get_mut(rest).filter(|_| rounded == 0 || !is_rounding) {
            sum.add(&left);
        }
    }

    /// Sum over all of whose traffic it is, of everything hidden and unmapped rows included.
    pub fn total(&self, window: Window, filter: Filter) -> Totals {
        self.usage_days(window).fold(Totals::default(), |mut sum, (_, day)| {
            sum.add(&day.whole(filter));
            sum
        })
    }

    /// One sum per day of the window, days without traffic included as zero.
    pub fn daily(&self, window: Window, filter: Filter) -> Vec<(NaiveDate, Totals)> {
        let of = |date| self.usage.get(&date).map(|day| day.whole(filter)).unwrap_or_default();
        window.dates().map(|date| (date, of(date))).collect()
    }

    /// The last `weeks` ISO weeks, the running one last and marked incomplete.
    pub fn weekly(&self, by: GroupBy, weeks: u64, filter: Filter) -> Weekly {
        let newest = self.newest_date();
        let last = monday(newest);
        let first = last.checked_sub_days(Days::new(7 * weeks.saturating_sub(1))).unwrap_or(last);
        let first = first.max(monday(self.first_date()));
        let mut out = Weekly::default();
        let mut start = first;
        while start <= last {
            let end = start.checked_add_days(Days::new(6)).unwrap_or(start);
            let complete = end <= self.last_complete_date() && start >= self.first_date();
            out.weeks.push(Week { monday: start, complete });
            start = start.checked_add_days(Days::new(7)).unwrap_or(NaiveDate::MAX);
        }
        let width = out.weeks.len();
        out.total = vec![Volume::default(); width];
        let mut sums = vec![Volume::default(); by.len(&self.dictionary) * width];
        for (date, day) in self.usage_days(Window { start: first, end: newest }) {
            let week = usize::try_from((date - first).num_days() / 7).unwrap_or(0);
            day.each(&self.dictionary, by, filter, |group, rows, row| {
                let sum = sums.get_mut(group as usize * width + week);
                for sum in sum.into_iter().chain(out.total.get_mut(week)) {
                    sum.add_row(rows, row);
                }
            });
        }
        out.groups = (0..)
            .zip(sums.chunks(width.max(1)))
            .filter(|(_, volumes)| volumes.iter().any(|volume| volume.requests > 0 || volume.tokens > 0))
            .map(|(id, volumes)| (by.group(id), volumes.to_vec()))
            .collect();
        let size = |volumes: &[Volume]| volumes.iter().map(|volume| u128::from(volume.tokens)).sum::<u128>();
        out.groups.sort_by(|a, b| size(&b.1).cmp(&size(&a.1)).then_with(|| self.by_name(a.0, b.0)));
        out
    }
}
