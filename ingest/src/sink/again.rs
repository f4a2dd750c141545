//! Rejects of records that are read again.
//!
//! A crash between the commits leaves `rejects` ahead of `attempts`, and the records in between are decoded once more:
//! maybe by another version, or in another format, that refuses others of them. So what stands in `rejects` of
//! those offsets is compared with what is refused now:
//!
//! * refused now and not there: written, beside the position of the table. `<app>/again` counts how often that was
//!   done and moves in the same commit, by compare-and-set from the state that was compared with; so of two workers
//!   that found the same, one is fenced.
//! * there and refused now: stands for both.
//! * there, and no longer refused: stays, and is counted as recovered.
//!
//! It is the rows that are compared, not versions: whoever wrote them, and however often the reading was cut off,
//! each record is a row or a reject in the end.

use std::collections::BTreeSet;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use arrow::error::ArrowError;
use bellwether_warehouse::{Advance, AppId, Snapshot, Table, TableId};

use crate::batch::Range;

const STANDING: &str = "SELECT src_offset, coalesce(src_index, 0) FROM rejects \
    WHERE src_topic = $topic AND src_partition = $partition AND src_offset >= $from AND src_offset < $below";

pub(super) type Error = Box<dyn std::error::Error + Send + Sync>;

/// Offset and index.
type Place = (i64, i32);

#[derive(Debug, Default)]
pub(super) struct Again {
    /// What is refused now and not in the table.
    pub(super) rows: Vec<RecordBatch>,
    pub(super) advance: Vec<Advance>,
    /// Rejects in the table of records that are no longer refused, with the number of their range.
    pub(super) recovered: Vec<(usize, u64)>,
}

/// Compares the rejects `found` in offsets below the table's positions with those that it holds of them.
pub(super) async fn compare(
    rejects: &mut Table,
    ranges: &[Range],
    found: Option<&RecordBatch>,
) -> Result<Again, Error> {
    let mut again = Again::default();
    for (number, range) in ranges.iter().enumerate() {
        let Some(below) = range.known_below() else { continue };
        // What is compared with and the count of `<app>/again` are of one state of the table.
        rejects.refresh().await?;
        let standing = standing(rejects.snapshot(), range, below).await?;
        let (mut refused, mut missing) = (BTreeSet::new(), None);
        if let Some(found) = found {
            let places = places(found, range)?;
            let is_missing = |place: &Option<Place>| place.is_some_and(|place| !standing.contains(&place));
            let mask: BooleanArray = places.iter().map(|place| Some(is_missing(place))).collect();
            missing = (mask.true_count() > 0).then(|| filter_record_batch(found, &mask)).transpose()?;
            refused.extend(places.into_iter().flatten());
        }
        let recovered = standing.difference(&refused).count();
        if recovered > 0 {
            again.recovered.push((number, recovered as u64));
        }
        if let Some(rows) = missing {
            let app = AppId(format!("{}/again", range.stream));
            let from = rejects.snapshot().txn(&app);
            again.rows.push(rows);
            again.advance.push(Advance { app, from, to: from.unwrap_or(0) + 1 });
        }
    }
    Ok(again)
}

/// Places in the table's rejects of a range's offsets below `below`.
async fn standing(rejects: &Snapshot, range: &Range, below: i64) -> Result<BTreeSet<Place>, Error> {
    let ctx = rejects.session(1);
    ctx.register_table(TableId::Rejects.name(), rejects.provider())?;
    let rows = ctx.sql(STANDING).await?.with_param_values(vec![
        ("topic", range.stream.lineage().into()),
        ("partition", range.stream.partition().into()),
        ("from", range.start.into()),
        ("below", below.into()),
    ])?;
    let mut places = BTreeSet::new();
    for batch in rows.collect().await? {
        let (offsets, indices) = (offsets(batch.column(0))?, indices(batch.column(1))?);
        places.extend(offsets.into_iter().zip(indices));
    }
    Ok(places)
}

/// The place of each row that is of this range; None for the others.
fn places(found: &RecordBatch, range: &Range) -> Result<Vec<Option<Place>>, Error> {
    let column = |name: &str| {
        let column = found.column_by_name(name);
        column.ok_or_else(|| ArrowError::SchemaError(format!("no column `{name}`")))
    };
    let topics = cast(column("src_topic")?, &DataType::Utf8)?;
    let partitions = cast(column("src_partition")?, &DataType::Int32)?;
    let (topics, partitions) = (topics.as_string::<i32>(), partitions.as_primitive::<Int32Type>());
    let (offsets, indices) = (offsets(column("src_offset")?)?, indices(column("src_index")?)?);
    let is_of_range = |row: usize| {
        topics.value(row) == range.stream.lineage() && partitions.value(row) == range.stream.partition()
    };
    let places = offsets.into_iter().zip(indices).enumerate();
    Ok(places.map(|(row, place)| is_of_range(row).then_some(place)).collect())
}

fn offsets(column: &ArrayRef) -> Result<Vec<i64>, ArrowError> {
    Ok(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().values().to_vec())
}

/// Null is 0.
fn indices(column: &ArrayRef) -> Result<Vec<i32>, ArrowError> {
    let column = cast(column, &DataType::Int32)?;
    Ok(column.as_primitive::<Int32Type>().iter().map(Option::unwrap_or_default).collect())
}
