//! One pass over attempts at the finest grain, and every folded table merged from it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Date32Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use bellwether_warehouse::TableId;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::error::Error;
use crate::health;
use crate::rollup::{FOLDED, date_value, day_number, first_kept};
use crate::statement::{Rows, Statement};
use crate::usage;

const BASE: Statement = Statement { name: "base/base.sql", sql: include_str!("base.sql") };

/// Both families have a column of this name, of different rows: the base calls that of health otherwise.
const SHARED: (&str, &str) = ("output_tokens", "health_output_tokens");

/// New rows of one folded table, at most one a key.
#[derive(Debug)]
pub(crate) struct Derived {
    pub table: TableId,
    pub rows: Rows,
}

/// Rows of the `wanted` tables from the table `attempts` of `ctx`. `intake_daily` is not made of attempts.
///
/// A table gets no rows older than it keeps on the day of `now`.
pub(crate) async fn derive(
    ctx: &SessionContext,
    wanted: &[TableId],
    now: DateTime<Utc>,
) -> Result<Vec<Derived>, Error> {
    let fine_from = first_kept(health::FIVE_MINUTES_DAYS, now);
    let base = BASE.run(ctx, vec![date_value(fine_from)]).await?;
    let mut derived = Vec::new();
    if wanted.contains(&TableId::UsageHourly) || wanted.contains(&TableId::UsageDaily) {
        let hourly = usage::HOURLY.run_over(ctx, &columns_of(TableId::UsageHourly, &base)?).await?;
        if wanted.contains(&TableId::UsageDaily) {
            let rows = usage::DAILY.run_over(ctx, &hourly).await?;
            derived.push(Derived { table: TableId::UsageDaily, rows });
        }
        derived.push(Derived { table: TableId::UsageHourly, rows: hourly });
    }
    let buckets = columns_of(TableId::Health5m, &base)?;
    drop(base);
    if wanted.contains(&TableId::Health5m) {
        let rows = health::FIVE_MINUTES.run_over(ctx, &since(&buckets, fine_from)?).await?;
        derived.push(Derived { table: TableId::Health5m, rows });
    }
    if wanted.contains(&TableId::HealthHourly) || wanted.contains(&TableId::HealthDaily) {
        let hourly = health::HOURLY.run_over(ctx, &buckets).await?;
        drop(buckets);
        if wanted.contains(&TableId::HealthDaily) {
            let rows = health::DAILY.run_over(ctx, &hourly).await?;
            derived.push(Derived { table: TableId::HealthDaily, rows });
        }
        let rows = since(&hourly, first_kept(health::HOURLY_DAYS, now))?;
        derived.push(Derived { table: TableId::HealthHourly, rows });
    }
    // In the order in which tables are listed everywhere, and only what was asked for.
    derived.retain(|derived| wanted.contains(&derived.table));
    derived.sort_by_key(|derived| FOLDED.iter().position(|rollup| rollup.table == derived.table));
    Ok(derived)
}

/// The base's columns of one table, under the names they have there.
fn columns_of(table: TableId, base: &Rows) -> Result<Rows, Error> {
    let is_health = table == TableId::Health5m;
    let mut indices = Vec::new();
    let mut fields = Vec::new();
    for field in table.schema().fields() {
        let name = match field.name().as_str() {
            name if is_health && name == SHARED.0 => SHARED.1,
            name => name,
        };
        let index = base.schema.index_of(name).map_err(|e| BASE.failed(e.into()))?;
        indices.push(index);
        fields.push(Arc::new(Field::new(field.name(), base.schema.field(index).data_type().clone(), true)));
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let batches = base
        .batches
        .iter()
        .map(|batch| {
            let columns = indices.iter().map(|index| Arc::clone(batch.column(*index))).collect();
            RecordBatch::try_new(Arc::clone(&schema), columns)
        })
        .collect::<Result<_, _>>()
        .map_err(|e| BASE.failed(e.into()))?;
    Ok(Rows { schema, batches })
}

/// Rows of `first` and later dates.
fn since(rows: &Rows, first: NaiveDate) -> Result<Rows, Error> {
    let first = day_number(first);
    let mut batches = Vec::new();
    for batch in &rows.batches {
        let dates =
            batch.column_by_name("date").and_then(|column| column.as_any().downcast_ref::<Date32Array>());
        let Some(dates) = dates else {
            return Err(BASE.failed(DataFusionError::Internal("its `date` is no date".to_owned())));
        };
        let kept: BooleanArray = dates.values().iter().map(|date| Some(*date >= first)).collect();
        let kept = filter_record_batch(batch, &kept).map_err(|e| BASE.failed(e.into()))?;
        if kept.num_rows() > 0 {
            batches.push(kept);
        }
    }
    Ok(Rows { schema: Arc::clone(&rows.schema), batches })
}
