//! Where rows of dates lie: months are partitions, a running one holds a file a date, a closed one is one file.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_metrics::Metric;
use bellwether_warehouse::DataFile;
use chrono::{Datelike, Days, Months, NaiveDate};

/// First day of a month; None: the table has no partitions.
pub(super) type Group = Option<NaiveDate>;

pub(super) fn month_of(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

pub(super) fn group_of(metric: &Metric, date: NaiveDate) -> Group {
    metric.table.partition.map(|_| month_of(date))
}

/// Whether the rows of a file are of the group.
pub(super) fn lies_in(group: Group, file: &DataFile) -> bool {
    group.is_none() || partition_of(file) == group
}

fn partition_of(file: &DataFile) -> Option<NaiveDate> {
    file.partition.first().and_then(|(_, value)| value.as_deref()?.parse().ok())
}

/// First and last date that rows of a file can have.
pub(super) fn span_of(metric: &Metric, file: &DataFile) -> (NaiveDate, NaiveDate) {
    let between = file.bounds().date(metric.date_column());
    let (first, last) = partition_of(file).map_or((NaiveDate::MIN, NaiveDate::MAX), days_of_month);
    (between.least.unwrap_or(first), between.most.unwrap_or(last))
}

/// The same one by one; none where nothing is known.
pub(super) fn dates_of(metric: &Metric, file: &DataFile) -> impl Iterator<Item = NaiveDate> + use<> {
    let (first, last) = span_of(metric, file);
    let is_known = first != NaiveDate::MIN && last != NaiveDate::MAX;
    is_known.then(|| days_between(first, last)).into_iter().flatten()
}

pub(super) fn days_of_month(month: NaiveDate) -> (NaiveDate, NaiveDate) {
    let next = month.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt());
    (month, next.unwrap_or(NaiveDate::MAX))
}

pub(super) fn meets(span: (NaiveDate, NaiveDate), dates: &BTreeSet<NaiveDate>) -> bool {
    span.0 <= span.1 && dates.range(span.0..=span.1).next().is_some()
}

pub(super) fn by_group(metric: &Metric, dates: BTreeSet<NaiveDate>) -> BTreeMap<Group, BTreeSet<NaiveDate>> {
    let mut groups: BTreeMap<Group, BTreeSet<NaiveDate>> = BTreeMap::new();
    for date in dates {
        groups.entry(group_of(metric, date)).or_default().insert(date);
    }
    groups
}

/// Neighbouring dates, at most a month of them, newest first; both ends included.
pub(super) fn runs(dates: &BTreeSet<NaiveDate>) -> Vec<(NaiveDate, NaiveDate)> {
    let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for date in dates {
        match runs.last_mut() {
            Some((first, last)) if last.succ_opt() == Some(*date) && month_of(*first) == month_of(*date) => {
                *last = *date;
            }
            _ => runs.push((*date, *date)),
        }
    }
    runs.reverse();
    runs
}

/// All dates from the first to the last of them.
pub(super) fn filled(dates: &BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return BTreeSet::new() };
    days_between(*first, *last).collect()
}

pub(super) fn days_between(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> + use<> {
    std::iter::successors(Some(first), |date| date.checked_add_days(Days::new(1)))
        .take_while(move |date| *date <= last)
}
