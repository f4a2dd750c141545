//! Rows that a table does not take, told apart by stream: one stream's must not stop the others of its batch.

use arrow::array::{Array, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use bellwether_warehouse::{AppId, Error, Table};

use super::{FlushError, is_meant};
use crate::batch::Range;

/// Names the streams whose rows were refused, where the table refused rows and they can be told.
pub(super) async fn told_apart<T>(
    committed: Result<T, FlushError>,
    table: &Table,
    rows: &[RecordBatch],
    ranges: &[Range],
) -> Result<T, FlushError> {
    match committed {
        Err(FlushError::Table { table: name, source }) if is_of_rows(&source) => {
            let mut apps = Vec::new();
            for range in ranges {
                if refuses(table, rows, range).await {
                    apps.push(range.stream.app());
                }
            }
            Err(if apps.is_empty() {
                FlushError::Table { table: name, source }
            } else {
                FlushError::Rows { table: name, apps, source }
            })
        }
        committed => committed,
    }
}

fn is_of_rows(error: &Error) -> bool {
    matches!(error, Error::Rows { .. } | Error::Arrow { .. } | Error::Encode { .. })
}

/// Whether the table refuses the rows of this range alone. Stages them, but stores nothing.
async fn refuses(table: &Table, rows: &[RecordBatch], range: &Range) -> bool {
    let own: Vec<RecordBatch> = rows.iter().filter_map(|batch| of_stream(batch, range)).collect();
    table.stage(&own).await.is_err()
}

/// None: the rows do not tell where they come from.
fn of_stream(batch: &RecordBatch, range: &Range) -> Option<RecordBatch> {
    let topics = batch.column_by_name("src_topic")?.as_any().downcast_ref::<StringArray>()?;
    let partitions = batch.column_by_name("src_partition")?.as_any().downcast_ref::<Int32Array>()?;
    let is_own: BooleanArray = (0..batch.num_rows())
        .map(|row| {
            let is_topic = topics.is_valid(row) && topics.value(row) == range.stream.lineage();
            Some(is_topic && partitions.is_valid(row) && partitions.value(row) == range.stream.partition())
        })
        .collect();
    filter_record_batch(batch, &is_own).ok()
}

/// `sink-rows=return(<words>)` makes the flushes fail as if the rows of the streams that hold all the words did not fit.
pub(super) fn fail_point(ranges: &[Range]) -> Result<(), FlushError> {
    let apps = fail::eval("sink-rows", |words| {
        let words = words.unwrap_or_default();
        let meant = ranges.iter().filter(|range| is_meant(range, &words));
        meant.map(|range| range.stream.app()).collect::<Vec<AppId>>()
    });
    match apps {
        Some(apps) if !apps.is_empty() => {
            let source = Error::Rows { table: "attempts", detail: "a fail point".to_owned() };
            Err(FlushError::Rows { table: "attempts", apps, source: Box::new(source) })
        }
        _ => Ok(()),
    }
}
