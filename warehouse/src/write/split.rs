//! Fits batches to the table's schema and splits them by partition value.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{cast_with_options, concat_batches, take_record_batch};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use crate::error::Error;
use crate::stats::date_text;
use crate::tables::TableId;

/// Rows with one partition value (or of a table without partitions), without the partition column.
pub(super) struct Part {
    pub partition: Option<(&'static str, String)>,
    pub batches: Vec<RecordBatch>,
}

/// The columns that lie in the files: all but the partition column.
pub(crate) fn file_schema(id: TableId) -> SchemaRef {
    let schema = id.schema();
    let in_file = |field: &&FieldRef| id.partition_column() != Some(field.name().as_str());
    Arc::new(Schema::new(schema.fields().iter().filter(in_file).cloned().collect::<Vec<_>>()))
}

/// Parts by ascending partition value.
pub(super) fn split(id: TableId, batches: &[RecordBatch]) -> Result<Vec<Part>, Error> {
    let table = id.name();
    let arrow = |source| Error::Arrow { table, source };
    let schema = file_schema(id);
    let mut parts: BTreeMap<i32, Vec<RecordBatch>> = BTreeMap::new();
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let rows = fit(table, batch, &schema, id.partition_column())?;
        let Some(column) = id.partition_column() else {
            parts.entry(0).or_default().push(rows);
            continue;
        };
        let days = dates(table, batch, column)?;
        let (first, last) = (arrow::compute::min(&days), arrow::compute::max(&days));
        if let (Some(first), true) = (first, first == last) {
            parts.entry(first).or_default().push(rows);
            continue;
        }
        let mut indices: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (row, day) in (0_u32..).zip(days.values()) {
            indices.entry(*day).or_default().push(row);
        }
        for (day, rows_of_day) in indices {
            let taken = match (rows_of_day.first(), rows_of_day.last()) {
                (Some(first), Some(last)) if (last - first) as usize + 1 == rows_of_day.len() => {
                    rows.slice(*first as usize, rows_of_day.len())
                }
                _ => take_record_batch(&rows, &UInt32Array::from(rows_of_day)).map_err(arrow)?,
            };
            parts.entry(day).or_default().push(taken);
        }
    }
    let part = |(day, batches): (i32, Vec<RecordBatch>)| {
        let partition = match id.partition_column() {
            None => None,
            Some(column) => {
                let value = date_text(day).ok_or_else(|| Error::Rows {
                    table,
                    detail: format!("`{column}` is {day} days from 1970, outside the calendar"),
                })?;
                Some((column, value))
            }
        };
        Ok(Part { partition, batches: join_small(table, &schema, batches)? })
    };
    parts.into_iter().map(part).collect()
}

/// Many small pieces cost the encoder more than one copy of them.
fn join_small(
    table: &'static str,
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>, Error> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if batches.len() < 2 || rows / batches.len() >= 4096 {
        return Ok(batches);
    }
    let joined = concat_batches(schema, &batches).map_err(|source| Error::Arrow { table, source })?;
    Ok(vec![joined])
}

fn dates(table: &'static str, batch: &RecordBatch, column: &str) -> Result<Date32Array, Error> {
    let bad = |detail: &str| Error::Rows { table, detail: format!("partition column `{column}` {detail}") };
    let array = batch.column_by_name(column).ok_or_else(|| bad("is missing"))?;
    let days = array.as_any().downcast_ref::<Date32Array>().ok_or_else(|| bad("is not a date"))?;
    if days.null_count() > 0 {
        return Err(bad("has nulls"));
    }
    Ok(days.clone())
}

/// Columns in the table's order and of its types.
fn fit(
    table: &'static str,
    batch: &RecordBatch,
    schema: &SchemaRef,
    partition: Option<&str>,
) -> Result<RecordBatch, Error> {
    for field in batch.schema_ref().fields() {
        if partition != Some(field.name().as_str()) && schema.field_with_name(field.name()).is_err() {
            return Err(Error::Rows { table, detail: format!("there is no column `{}`", field.name()) });
        }
    }
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
            Some(column) => {
                // Exact: a value that does not fit is an error, not a null.
                let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
                cast_with_options(column, field.data_type(), &options)
                    .map_err(|e| Error::Rows { table, detail: format!("column `{}`: {e}", field.name()) })
            }
            None if field.is_nullable() => Ok(new_null_array(field.data_type(), batch.num_rows())),
            None => Err(Error::Rows { table, detail: format!("column `{}` is missing", field.name()) }),
        })
        .collect::<Result<_, Error>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|e| Error::Rows { table, detail: e.to_string() })
}
