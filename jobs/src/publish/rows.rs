//! Rows date by date, and whether two answers are the same.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use arrow::row::{Row, RowConverter, Rows, SortField};
use bellwether_metrics::Metric;
use chrono::{NaiveDate, TimeDelta};

use crate::error::Error;

/// Rows of each date, in the order in which they came.
pub(super) type ByDate = BTreeMap<NaiveDate, RecordBatch>;

/// Rows without dates are those of `today`.
pub(super) fn divide(metric: &Metric, batches: &[RecordBatch], today: NaiveDate) -> Result<ByDate, Error> {
    let failed = |source: ArrowError| super::failed(source.into());
    let all = concat_batches(&metric.table.schema(), batches).map_err(failed)?;
    let Some(column) = metric.date_column() else {
        return Ok(if all.num_rows() == 0 { ByDate::new() } else { ByDate::from([(today, all)]) });
    };
    let table = metric.table.name;
    let bad = |detail: &str| Error::BadRows { table, detail: format!("column `{column}` {detail}") };
    let dates = all.column_by_name(column).and_then(|dates| dates.as_primitive_opt::<Date32Type>());
    let dates = dates.ok_or_else(|| bad("is no date"))?;
    if dates.null_count() > 0 {
        return Err(bad("is null in some rows"));
    }
    let mut divided = ByDate::new();
    for (day, rows) in parted(&all, dates.values().iter().copied()).map_err(failed)? {
        let date = NaiveDate::default().checked_add_signed(TimeDelta::days(i64::from(day)));
        divided.insert(date.ok_or_else(|| bad("lies outside of the calendar"))?, rows);
    }
    Ok(divided)
}

/// Rows by the key of each.
pub(super) fn parted<K: Ord>(
    rows: &RecordBatch,
    keys: impl Iterator<Item = K>,
) -> Result<BTreeMap<K, RecordBatch>, ArrowError> {
    let mut places: BTreeMap<K, Vec<u32>> = BTreeMap::new();
    for (row, key) in (0_u32..).zip(keys) {
        places.entry(key).or_default().push(row);
    }
    let take = |(key, places)| Ok((key, take_record_batch(rows, &UInt32Array::from(places))?));
    places.into_iter().map(take).collect()
}

/// Whether both hold the same rows, in whatever order.
pub(super) fn is_same(one: Option<&RecordBatch>, other: Option<&RecordBatch>) -> Result<bool, Error> {
    let (one, other) = match (one, other) {
        (None, None) => return Ok(true),
        (Some(one), Some(other)) if one.num_rows() == other.num_rows() => (one, other),
        _ => return Ok(false),
    };
    let same = || -> Result<bool, ArrowError> {
        let fields = one.schema_ref().fields().iter().map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let (one, other) =
            (converter.convert_columns(one.columns())?, converter.convert_columns(other.columns())?);
        Ok(sorted(&one) == sorted(&other))
    };
    same().map_err(|source| super::failed(source.into()))
}

fn sorted(rows: &Rows) -> Vec<Row<'_>> {
    let mut sorted: Vec<Row<'_>> = rows.iter().collect();
    sorted.sort_unstable();
    sorted
}
