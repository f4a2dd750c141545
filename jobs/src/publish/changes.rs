//! Dates whose rows changed in a table between two of its versions.

use std::collections::BTreeSet;

use bellwether_metrics::Metric;
use bellwether_warehouse::{CommitEntry, Table};
use chrono::NaiveDate;
use serde_json::Value;

use super::place::{dates_of, days_between, days_of};
use crate::dates::date_of;
use crate::error::Error;
use crate::replace::REWRITTEN_BY;

/// Member of `commitInfo`: first and last date of each run of changed dates. More is written than changed.
pub(super) const DATES: &str = "dates";

/// What is known of the difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The log does not reach back, or there is nothing to compare with.
    Everything,
    Dates(BTreeSet<NaiveDate>),
}

impl Changed {
    /// None where they cannot be told one by one.
    pub fn into_known(self) -> BTreeSet<NaiveDate> {
        match self {
            Self::Dates(dates) => dates,
            Self::Everything => BTreeSet::new(),
        }
    }
}

/// Since version `after`, as far as `table` was read. `metric`: that of a published table.
pub(super) async fn since(
    table: &Table,
    after: Option<i64>,
    metric: Option<&Metric>,
) -> Result<Changed, Error> {
    since_but(table, after, metric, |_| false).await
}

/// The same without what some commits have changed.
pub(super) async fn since_but(
    table: &Table,
    after: Option<i64>,
    metric: Option<&Metric>,
    is_left_out: impl Fn(&CommitEntry) -> bool,
) -> Result<Changed, Error> {
    let version = table.snapshot().version();
    let Some(after) = after.filter(|after| *after <= version) else { return Ok(Changed::Everything) };
    let Some(commits) = news(table, after).await? else { return Ok(Changed::Everything) };
    let mut dates = BTreeSet::new();
    for commit in commits.iter().filter(|commit| !is_left_out(commit)) {
        if !add_dates(table, commit, metric, &mut dates)? {
            return Ok(Changed::Everything);
        }
    }
    Ok(Changed::Dates(dates))
}

/// Commits since version `after` that changed rows. None: the log does not reach back so far.
pub(super) async fn news(table: &Table, after: i64) -> Result<Option<Vec<CommitEntry>>, Error> {
    let name = table.id().name();
    match table.commits(after, table.snapshot().version()).await {
        Ok(mut commits) => {
            commits.retain(has_news);
            Ok(Some(commits))
        }
        Err(bellwether_warehouse::Error::CommitGone { version, .. }) => {
            tracing::warn!(table = name, version, "the log no longer reaches back to the last publication");
            Ok(None)
        }
        Err(source) => Err(Error::Log { table: name, source }),
    }
}

/// Merging rows changes none. What expires is not taken back where it was published.
fn has_news(commit: &CommitEntry) -> bool {
    let says = |member: &str, value: &str| commit.info.get(member).and_then(Value::as_str) == Some(value);
    !(says("operation", "OPTIMIZE") || says(REWRITTEN_BY, "settle") || says("job", "expire"))
}

/// False: it cannot be told which dates a commit changed.
fn add_dates(
    table: &Table,
    commit: &CommitEntry,
    metric: Option<&Metric>,
    dates: &mut BTreeSet<NaiveDate>,
) -> Result<bool, Error> {
    if let Some(runs) = commit.info.get(DATES).and_then(told) {
        dates.extend(runs.into_iter().flat_map(|(first, last)| days_between(first, last)));
        return Ok(true);
    }
    for file in &commit.added {
        match metric {
            Some(metric) => dates.extend(dates_of(metric, file)),
            None => {
                dates.insert(date_of(table.id(), file)?);
            }
        }
    }
    for path in &commit.removed {
        match (partition_in(path), metric) {
            (Some(value), Some(metric)) => {
                let (first, last) = days_of(metric, value);
                dates.extend(days_between(first, last));
            }
            (Some(date), None) => {
                dates.insert(date);
            }
            (None, _) => return Ok(false),
        }
    }
    Ok(true)
}

/// Of `date=2026-11-25/part-….parquet`.
pub(super) fn partition_in(path: &str) -> Option<NaiveDate> {
    path.split_once('/')?.0.split_once('=')?.1.parse().ok()
}

pub(super) fn tell(runs: &[(NaiveDate, NaiveDate)]) -> Value {
    runs.iter().map(|(first, last)| Value::from(vec![first.to_string(), last.to_string()])).collect()
}

fn told(value: &Value) -> Option<Vec<(NaiveDate, NaiveDate)>> {
    let date = |value: &Value| value.as_str()?.parse().ok();
    let run = |value: &Value| match value.as_array()?.as_slice() {
        [first, last] => Some((date(first)?, date(last)?)),
        _ => None,
    };
    value.as_array()?.iter().map(run).collect()
}
