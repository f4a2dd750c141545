//! Dates of files, and of days.

use std::collections::BTreeSet;

#[cfg(test)]
use arrow::datatypes::Date32Type;
use bellwether_warehouse::{DataFile, Snapshot, TableId};
use chrono::{DateTime, Days, NaiveDate, Utc};
#[cfg(test)]
use datafusion::common::ScalarValue;

use crate::error::Error;

/// The date of a file's partition.
pub(crate) fn date_of(table: TableId, file: &DataFile) -> Result<NaiveDate, Error> {
    file.date().ok_or_else(|| {
        let value = file.partition.first().and_then(|(_, value)| value.clone());
        Error::BadDate { table: table.name(), date: value.unwrap_or_default() }
    })
}

/// Every date that has a file.
pub(crate) fn dates_of(snapshot: &Snapshot) -> Result<BTreeSet<NaiveDate>, Error> {
    snapshot.files().iter().map(|file| date_of(snapshot.table(), file)).collect()
}

pub(crate) fn files_of(snapshot: &Snapshot, dates: &BTreeSet<NaiveDate>) -> Result<Vec<DataFile>, Error> {
    files_where(snapshot, |date| dates.contains(date))
}

/// Files of the dates in a range, both ends included, and of those on either side.
pub(crate) fn files_around(
    snapshot: &Snapshot,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<DataFile>, Error> {
    let first = first.pred_opt().unwrap_or(first);
    let last = last.succ_opt().unwrap_or(last);
    files_where(snapshot, |date| (first..=last).contains(date))
}

fn files_where(snapshot: &Snapshot, is_meant: impl Fn(&NaiveDate) -> bool) -> Result<Vec<DataFile>, Error> {
    let mut files = Vec::new();
    for file in snapshot.files() {
        if is_meant(&date_of(snapshot.table(), file)?) {
            files.push(file.clone());
        }
    }
    Ok(files)
}

/// The date so many days before that of `now`.
pub(crate) fn days_before(now: DateTime<Utc>, days: u64) -> NaiveDate {
    now.date_naive().checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

#[cfg(test)]
pub(crate) fn date_value(date: NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(Date32Type::from_naive_date(date)))
}
