//! What a rebuild found different from what stood.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use bellwether_warehouse::TableId;
use serde::Serialize;

use crate::statement::Rows;

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

    /// Both with at most one row a key.
    pub(super) fn between(table: TableId, before: &Rows, after: &Rows) -> Result<Self, ArrowError> {
        let schema = table.schema();
        let (before, after) = (conform(before, &schema)?, conform(after, &schema)?);
        let (old, new) = (by_key(&before)?, by_key(&after)?);
        let gone = old.keys().filter(|key| !new.contains_key(*key)).count();
        let changed = new.iter().filter(|(key, values)| old.get(*key) != Some(values)).count();
        let mut measures = BTreeMap::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let by = sum(after.column(at)) - sum(before.column(at));
            if by != 0 {
                measures.insert(field.name().clone(), by);
            }
        }
        Ok(Self {
            table: table.name(),
            rows_before: before.num_rows(),
            rows_after: after.num_rows(),
            keys_differing: gone + changed,
            measures,
        })
    }
}

/// One batch with the table's columns and types.
fn conform(rows: &Rows, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let all = concat_batches(&rows.schema, &rows.batches)?;
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = all.column_by_name(field.name());
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

fn by_key(batch: &RecordBatch) -> Result<BTreeMap<OwnedRow, OwnedRow>, ArrowError> {
    let schema = batch.schema();
    let (measures, keys): (Vec<usize>, Vec<usize>) =
        (0..schema.fields().len()).partition(|at| is_measure(schema.field(*at).data_type()));
    let rows = |columns: &[usize]| {
        let fields = columns.iter().map(|at| SortField::new(schema.field(*at).data_type().clone()));
        let arrays: Vec<ArrayRef> = columns.iter().map(|at| Arc::clone(batch.column(*at))).collect();
        RowConverter::new(fields.collect())?.convert_columns(&arrays)
    };
    let (keys, measures) = (rows(&keys)?, rows(&measures)?);
    Ok(keys.iter().zip(measures.iter()).map(|(key, values)| (key.owned(), values.owned())).collect())
}

/// 0 for a column that is no number.
fn sum(column: &ArrayRef) -> i128 {
    use arrow::array::AsArray;
    match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().iter().flatten().map(i128::from).sum(),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().iter().flatten().sum(),
        _ => 0,
    }
}
