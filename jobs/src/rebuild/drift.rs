//! What a rebuild found different from what stood.
//!
//! Both sides come in the order of their keys and are compared as one goes along them, so that it takes no memory
//! beside the rows that are to stand and a batch of those that stood.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DynComparator, RecordBatch, make_comparator};
use arrow::compute::{SortOptions, cast, concat_batches};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use bellwether_warehouse::TableId;
use futures::{Stream, TryStreamExt};
use serde::Serialize;

use crate::error::Error;
use crate::statement::{Rows, Statement};

const COMPARE: Statement = Statement { name: "rebuild/drift.rs", sql: "" };
/// As the statements and the base aggregation sort keys.
const ORDER: SortOptions = SortOptions { descending: false, nulls_first: false };

/// Of one table and the rebuilt dates. No keys differing: the table stood as it should.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    pub table: &'static str,
    /// One row a key, partial rows merged.
    pub rows_before: usize,
    pub rows_after: usize,
    /// Keys that came, went or have another value in any measure, sketches included.
    pub keys_differing: usize,
    /// Sum after less sum before, of each measure whose sum differs; money in 10⁻⁹ USD.
    pub measures: BTreeMap<String, i128>,
}

impl Drift {
    pub(super) fn none(table: TableId) -> Self {
        Self {
            table: table.name(),
            rows_before: 0,
            rows_after: 0,
            keys_differing: 0,
            measures: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.rows_before += other.rows_before;
        self.rows_after += other.rows_after;
        self.keys_differing += other.keys_differing;
        for (measure, by) in other.measures {
            *self.measures.entry(measure).or_default() += by;
        }
        self.measures.retain(|_, by| *by != 0);
    }

    /// Both with at most one row a key, in the order of the keys.
    pub(super) async fn between(
        table: TableId,
        mut before: impl Stream<Item = Result<RecordBatch, Error>> + Unpin,
        after: &Rows,
    ) -> Result<Self, Error> {
        let failed = |source: ArrowError| COMPARE.failed(source.into());
        let schema = table.schema();
        let after = concat_batches(&after.schema, &after.batches).map_err(failed)?;
        let mut sides = Sides::new(table, conform(&after, &schema).map_err(failed)?).map_err(failed)?;
        while let Some(batch) = before.try_next().await? {
            sides.pass(&conform(&batch, &schema).map_err(failed)?).map_err(failed)?;
        }
        Ok(sides.finish())
    }

    fn sum_up(&mut self, rows: &RecordBatch, sign: i128) {
        for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
            *self.measures.entry(field.name().clone()).or_default() += sign * sum(column);
        }
    }
}

/// What is to stand, and how far along it what stood has come.
struct Sides {
    after: RecordBatch,
    /// The first row whose key no row that stood has reached.
    next: usize,
    found: Drift,
}

impl Sides {
    fn new(table: TableId, after: RecordBatch) -> Result<Self, ArrowError> {
        let keys = Comparison::of(&after, &after, is_key)?;
        // What is not in order would be told as drift.
        if (1..after.num_rows()).any(|row| keys.order(row - 1, row).is_ge()) {
            let text = format!("rows of table `{}` are not in the order of their keys", table.name());
            return Err(ArrowError::ComputeError(text));
        }
        let mut found = Drift::none(table);
        found.rows_after = after.num_rows();
        found.sum_up(&after, 1);
        Ok(Self { after, next: 0, found })
    }

    fn pass(&mut self, before: &RecordBatch) -> Result<(), ArrowError> {
        let keys = Comparison::of(before, &self.after, is_key)?;
        let measures = Comparison::of(before, &self.after, is_measure)?;
        for row in 0..before.num_rows() {
            self.find(row, &keys, &measures);
        }
        self.found.rows_before += before.num_rows();
        self.found.sum_up(before, -1);
        Ok(())
    }

    /// Goes on to the key of a row that stood.
    fn find(&mut self, row: usize, keys: &Comparison, measures: &Comparison) {
        while self.next < self.after.num_rows() {
            match keys.order(row, self.next) {
                // Went.
                Ordering::Less => break,
                // Came.
                Ordering::Greater => {
                    self.found.keys_differing += 1;
                    self.next += 1;
                }
                Ordering::Equal => {
                    self.found.keys_differing += usize::from(measures.order(row, self.next).is_ne());
                    self.next += 1;
                    return;
                }
            }
        }
        self.found.keys_differing += 1;
    }

    fn finish(mut self) -> Drift {
        self.found.keys_differing += self.after.num_rows() - self.next;
        self.found.measures.retain(|_, by| *by != 0);
        self.found
    }
}

/// Rows of two batches by some of their columns.
struct Comparison(Vec<DynComparator>);

impl Comparison {
    fn of(
        left: &RecordBatch,
        right: &RecordBatch,
        is_meant: fn(&DataType) -> bool,
    ) -> Result<Self, ArrowError> {
        let columns = left.columns().iter().zip(right.columns());
        let meant = columns.filter(|(column, _)| is_meant(column.data_type()));
        meant.map(|(left, right)| make_comparator(left, right, ORDER)).collect::<Result<_, _>>().map(Self)
    }

    fn order(&self, left: usize, right: usize) -> Ordering {
        let orders = self.0.iter().map(|compare| compare(left, right));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// A batch with the table's columns and types.
fn conform(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = rows.column_by_name(field.name());
            let column =
                column.ok_or_else(|| ArrowError::SchemaError(format!("no column `{}`", field.name())))?;
            cast(column, field.data_type())
        })
        .collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// A measure is a count, an amount or a sketch; all else is part of the key.
fn is_measure(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64 | DataType::Decimal128(..) | DataType::Binary)
}

fn is_key(data_type: &DataType) -> bool {
    !is_measure(data_type)
}

/// 0 for a column that is no number.
fn sum(column: &ArrayRef) -> i128 {
    match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().iter().flatten().map(i128::from).sum(),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().iter().flatten().sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BinaryArray, Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };
    use bellwether_warehouse::testing::NOON_US;

    use super::*;

    /// Rows of one hour: the name, and the value of every measure, sketches as their bytes.
    fn rows_of(table: TableId, rows: &[(Option<&str>, i64, &[u8])]) -> RecordBatch {
        let schema = table.schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            let (names, values) = (rows.iter().map(|row| row.0), rows.iter().map(|row| row.1));
            match field.data_type() {
                DataType::Date32 => Arc::new(Date32Array::from(vec![20_782; rows.len()])),
                DataType::Timestamp(..) => {
                    let hours = TimestampMicrosecondArray::from(vec![NOON_US; rows.len()]);
                    Arc::new(hours.with_timezone("UTC"))
                }
                DataType::Utf8 if field.is_nullable() => Arc::new(names.collect::<StringArray>()),
                DataType::Utf8 => Arc::new(StringArray::from(vec!["standard"; rows.len()])),
                DataType::Binary => Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| row.2))),
                DataType::Decimal128(precision, scale) => {
                    let amounts = Decimal128Array::from_iter_values(values.map(i128::from));
                    Arc::new(amounts.with_precision_and_scale(*precision, *scale).unwrap())
                }
                _ => Arc::new(Int64Array::from_iter_values(values)),
            }
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
    }

    /// Of `routing_hourly`, which has no sketches.
    fn rows(rows: &[(Option<&str>, i64)]) -> RecordBatch {
        let rows: Vec<_> = rows.iter().map(|(name, value)| (*name, *value, &b""[..])).collect();
        rows_of(TableId::RoutingHourly, &rows)
    }

    async fn between(before: Vec<RecordBatch>, after: RecordBatch) -> Result<Drift, Error> {
        let after = Rows { schema: after.schema(), batches: vec![after] };
        let before = futures::stream::iter(before.into_iter().map(Ok));
        Drift::between(TableId::RoutingHourly, before, &after).await
    }

    #[tokio::test]
    async fn keys_that_came_went_or_changed_are_counted_wherever_a_batch_ends() {
        let before = [(Some("a"), 1), (Some("b"), 2), (Some("d"), 4), (Some("e"), 5), (None, 6)];
        // `b` went, `c` and `f` came, `d` and the unknown one changed.
        let after =
            [(Some("a"), 1), (Some("c"), 30), (Some("d"), 40), (Some("e"), 5), (Some("f"), 7), (None, 60)];
        for cut in 0..=before.len() {
            let (first, second) = before.split_at(cut);
            let drift = between(vec![rows(first), rows(second)], rows(&after)).await.unwrap();
            assert_eq!((drift.rows_before, drift.rows_after, drift.keys_differing), (5, 6, 5), "{cut}");
            // 1 + 30 + 40 + 5 + 7 + 60 less 1 + 2 + 4 + 5 + 6, in each of the eight measures.
            assert!(drift.measures.len() == 8 && drift.measures.values().all(|by| *by == 125), "{drift:?}");
            let back = between(vec![rows(&after[..cut]), rows(&after[cut..])], rows(&before)).await.unwrap();
            assert_eq!((back.rows_before, back.rows_after, back.keys_differing), (6, 5, 5), "{cut}");
            assert_eq!(back.measures["requests"], -125);
        }
        let same = between(vec![rows(&before)], rows(&before)).await.unwrap();
        assert_eq!((same.keys_differing, same.measures.len()), (0, 0));
        let nothing = between(vec![], rows(&before)).await.unwrap();
        assert_eq!((nothing.rows_before, nothing.keys_differing), (0, 5));
        let all = between(vec![rows(&before)], rows(&[])).await.unwrap();
        assert_eq!((all.rows_after, all.keys_differing, all.measures["attempts"]), (0, 5, -18));
    }

    #[tokio::test]
    async fn changes_that_cancel_out_in_the_sums_are_found_all_the_same() {
        let drift =
            between(vec![rows(&[(Some("a"), 1), (Some("b"), 2)])], rows(&[(Some("a"), 2), (Some("b"), 1)]));
        let drift = drift.await.unwrap();
        assert_eq!((drift.keys_differing, drift.measures.len()), (2, 0));
    }

    #[tokio::test]
    async fn a_sketch_is_compared_by_its_bytes_and_money_in_billionths() {
        let of = |rows| rows_of(TableId::UsageDaily, rows);
        let before = of(&[(Some("a"), 1, b"users"), (Some("b"), 2, b"users")]);
        let after = of(&[(Some("a"), 1, b"other"), (Some("b"), 2, b"users")]);
        let after = Rows { schema: after.schema(), batches: vec![after] };
        let stood = futures::stream::iter([Ok(before)]);
        let drift = Drift::between(TableId::UsageDaily, stood, &after).await.unwrap();
        assert_eq!((drift.keys_differing, drift.measures.len()), (1, 0));
        let nothing = futures::stream::iter([]);
        let drift = Drift::between(TableId::UsageDaily, nothing, &after).await.unwrap();
        assert_eq!((drift.measures["cost_usd"], drift.measures["requests"]), (3, 3));
        assert!(!drift.measures.contains_key("users"), "{drift:?}");
    }

    #[tokio::test]
    async fn rows_out_of_order_are_an_error_and_no_drift() {
        let error = between(vec![], rows(&[(Some("b"), 1), (Some("a"), 1)])).await.unwrap_err();
        assert!(
            bellwether_warehouse::chain(&error).contains("`routing_hourly` are not in the order"),
            "{error}"
        );
    }
}
