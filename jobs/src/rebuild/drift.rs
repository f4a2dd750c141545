//! What a rebuild found different from what stood.
//!
//! Both sides come in the order of their keys and are compared as one goes along them, so that it takes no memory
//! beside the rows that are to stand and a batch of those that stood.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, DynComparator, RecordBatch, make_comparator};
use arrow::compute::{SortOptions, cast, concat_batches};
use arrow::datatypes::{Decimal128Type, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use bellwether_warehouse::tables::rollup::{Rollup, Value};
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
    pub(super) fn none(table: &'static str) -> Self {
        Self { table, rows_before: 0, rows_after: 0, keys_differing: 0, measures: BTreeMap::new() }
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
        rollup: Rollup,
        mut before: impl Stream<Item = Result<RecordBatch, Error>> + Unpin,
        after: &Rows,
    ) -> Result<Self, Error> {
        let failed = |source: ArrowError| COMPARE.failed(source.into());
        let schema = rollup.schema();
        let after = concat_batches(&after.schema, &after.batches).map_err(failed)?;
        let mut sides = Sides::new(rollup, conform(&after, &schema).map_err(failed)?).map_err(failed)?;
        while let Some(batch) = before.try_next().await? {
            sides.pass(&conform(&batch, &schema).map_err(failed)?).map_err(failed)?;
        }
        Ok(sides.finish())
    }

    fn sum_up(&mut self, rollup: Rollup, rows: &RecordBatch, sign: i128) {
        for measure in rollup.family.measures {
            let Some(column) = rows.column_by_name(measure.name) else {
                continue;
            };
            let sum: i128 = match measure.of {
                Value::Sum => column.as_primitive::<Int64Type>().iter().flatten().map(i128::from).sum(),
                Value::Money => column.as_primitive::<Decimal128Type>().iter().flatten().sum(),
                Value::Hll | Value::DdSketch => continue,
            };
            *self.measures.entry(measure.name.to_owned()).or_default() += sign * sum;
        }
    }
}

/// What is to stand, and how far along it what stood has come.
struct Sides {
    rollup: Rollup,
    after: RecordBatch,
    /// The first row whose key no row that stood has reached.
    next: usize,
    found: Drift,
}

impl Sides {
    fn new(rollup: Rollup, after: RecordBatch) -> Result<Self, ArrowError> {
        let table = rollup.level.table.name();
        let keys = Comparison::of(&after, &after, rollup.order())?;
        // What is not in order would be told as drift.
        if (1..after.num_rows()).any(|row| keys.order(row - 1, row).is_ge()) {
            let text = format!("rows of table `{table}` are not in the order of their keys");
            return Err(ArrowError::ComputeError(text));
        }
        let mut found = Drift::none(table);
        found.rows_after = after.num_rows();
        found.sum_up(rollup, &after, 1);
        Ok(Self { rollup, after, next: 0, found })
    }

    fn pass(&mut self, before: &RecordBatch) -> Result<(), ArrowError> {
        let measured = self.rollup.family.measures.iter().map(|measure| measure.name);
        let keys = Comparison::of(before, &self.after, self.rollup.order())?;
        let measures = Comparison::of(before, &self.after, measured)?;
        for row in 0..before.num_rows() {
            self.find(row, &keys, &measures);
        }
        self.found.rows_before += before.num_rows();
        self.found.sum_up(self.rollup, before, -1);
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
        columns: impl IntoIterator<Item = &'static str>,
    ) -> Result<Self, ArrowError> {
        let column = |rows: &RecordBatch, name: &str| rows.column_by_name(name).cloned();
        let compare = |name: &'static str| match (column(left, name), column(right, name)) {
            (Some(left), Some(right)) => make_comparator(&left, &right, ORDER),
            _ => Err(ArrowError::SchemaError(format!("no column `{name}`"))),
        };
        columns.into_iter().map(compare).collect::<Result<_, _>>().map(Self)
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

#[cfg(test)]
mod tests {
    use arrow::array::{
        ArrayRef, BinaryArray, Date32Array, Decimal128Array, Int64Array, StringArray,
        TimestampMicrosecondArray,
    };
    use arrow::datatypes::DataType;
    use bellwether_warehouse::TableId;
    use bellwether_warehouse::tables::rollup::{Family, Grain, Key, Level, Made, Measure};
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
        Drift::between(TableId::RoutingHourly.rollup().unwrap(), before, &after).await
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
        let daily = TableId::UsageDaily.rollup().unwrap();
        let stood = futures::stream::iter([Ok(before)]);
        let drift = Drift::between(daily, stood, &after).await.unwrap();
        assert_eq!((drift.keys_differing, drift.measures.len()), (1, 0));
        let nothing = futures::stream::iter([]);
        let drift = Drift::between(daily, nothing, &after).await.unwrap();
        assert_eq!((drift.measures["cost_usd"], drift.measures["requests"]), (3, 3));
        assert!(!drift.measures.contains_key("users"), "{drift:?}");
    }

    #[tokio::test]
    async fn a_number_that_tells_rows_apart_is_a_key_and_no_measure() {
        static FAMILY: Family = Family {
            name: "users",
            made: Made::FromAttempts,
            keys: &[Key::number("user_key")],
            measures: &[Measure::new("requests", Value::Sum)],
            row_when: &[],
            levels: &[Level { table: TableId::UsageDaily, grain: Grain::Day, time: None, keep_days: None }],
        };
        let rollup = FAMILY.rollups().next().unwrap();
        let rows = |rows: &[(i64, i64)]| {
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Date32Array::from(vec![20_782; rows.len()])),
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
            ];
            RecordBatch::try_new(rollup.schema(), columns).unwrap()
        };
        let after = rows(&[(-9, 5), (7, 1), (8, 1)]);
        let after = Rows { schema: after.schema(), batches: vec![after] };
        // 6 went, 8 came, 7 has one request less.
        let before = futures::stream::iter([Ok(rows(&[(-9, 5), (6, 1), (7, 2)]))]);
        let drift = Drift::between(rollup, before, &after).await.unwrap();
        assert_eq!((drift.rows_before, drift.rows_after, drift.keys_differing), (3, 3, 3));
        assert_eq!(drift.measures, BTreeMap::from([("requests".to_owned(), -1)]));
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
