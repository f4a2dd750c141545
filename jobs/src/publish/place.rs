//! Where rows of dates lie: partitions are months or dates. A running one holds a file a date, a closed one is one file. A
//! table of now is one file.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_metrics::Metric;
use bellwether_warehouse::DataFile;
use chrono::{Datelike, Days, Months, NaiveDate};

/// Rows of inputs that days of partitions of their own are made of at once. More: more groups in memory, some KiB each where
/// they hold sketches; fewer: a statement, of which planning alone takes a fifth of a second, for each day.
const ROWS_AT_ONCE: i64 = 60_000;

/// Value of a partition; None: the table has none.
pub(super) type Group = Option<NaiveDate>;

fn month_of(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

pub(super) fn group_of(metric: &Metric, date: NaiveDate) -> Group {
    metric.table.partition.map(|_| if is_by_month(metric) { month_of(date) } else { date })
}

fn is_by_month(metric: &Metric) -> bool {
    metric.table.partition == Some("month")
}

/// Whether rows of a partition change no more but for late ones.
pub(super) fn is_closed(metric: &Metric, group: Group, today: NaiveDate) -> bool {
    match group {
        Some(_) => group < group_of(metric, today),
        None => metric.date_column().is_none(),
    }
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
    let of_partition = partition_of(file).map(|value| days_of(metric, value));
    let (first, last) = of_partition.unwrap_or((NaiveDate::MIN, NaiveDate::MAX));
    let Some(column) = metric.date_column() else { return (first, last) };
    let between = file.bounds().date(column);
    (between.least.unwrap_or(first), between.most.unwrap_or(last))
}

/// The same one by one; none where nothing is known.
pub(super) fn dates_of(metric: &Metric, file: &DataFile) -> impl Iterator<Item = NaiveDate> + use<> {
    let (first, last) = span_of(metric, file);
    let is_known = first != NaiveDate::MIN && last != NaiveDate::MAX;
    is_known.then(|| days_between(first, last)).into_iter().flatten()
}

/// Of a partition.
pub(super) fn days_of(metric: &Metric, value: NaiveDate) -> (NaiveDate, NaiveDate) {
    if !is_by_month(metric) {
        return (value, value);
    }
    let next = value.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt());
    (value, next.unwrap_or(NaiveDate::MAX))
}

pub(super) fn meets(span: (NaiveDate, NaiveDate), dates: &BTreeSet<NaiveDate>) -> bool {
    span.0 <= span.1 && dates.range(span.0..=span.1).next().is_some()
}

fn by_group(metric: &Metric, dates: BTreeSet<NaiveDate>) -> BTreeMap<Group, BTreeSet<NaiveDate>> {
    let mut groups: BTreeMap<Group, BTreeSet<NaiveDate>> = BTreeMap::new();
    for date in dates {
        groups.entry(group_of(metric, date)).or_default().insert(date);
    }
    groups
}

/// Partitions whose dates are computed together.
pub(super) type Piece = BTreeMap<Group, BTreeSet<NaiveDate>>;

/// All of them, newest first. `input_rows`: of each date.
pub(super) fn pieces(
    metric: &Metric,
    dates: BTreeSet<NaiveDate>,
    input_rows: &BTreeMap<NaiveDate, i64>,
) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rows_of_last = 0_i64;
    for (group, dates) in by_group(metric, dates).into_iter().rev() {
        let rows = dates.iter().filter_map(|date| input_rows.get(date)).sum();
        let joined = rows_of_last.saturating_add(rows);
        match pieces.last_mut() {
            Some(last) if !is_by_month(metric) && joined <= ROWS_AT_ONCE => {
                last.insert(group, dates);
                rows_of_last = joined;
            }
            _ => {
                pieces.push(BTreeMap::from([(group, dates)]));
                rows_of_last = rows;
            }
        }
    }
    pieces
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

pub(super) fn days_between(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> + use<> {
    std::iter::successors(Some(first), |date| date.checked_add_days(Days::new(1)))
        .take_while(move |date| *date <= last)
}
