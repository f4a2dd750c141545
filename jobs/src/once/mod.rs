//! Attempts with every event once.

use std::sync::Arc;

use bellwether_warehouse::{DataFile, Snapshot, TableId};
use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionContext, col, lit};

use crate::error::Error;
use crate::statement::Statement;

const DUPLICATES: Statement = Statement { name: "once/duplicates.sql", sql: include_str!("duplicates.sql") };
const ONCE: Statement = Statement { name: "once/once.sql", sql: include_str!("once.sql") };

/// What becomes of rows that tell an event again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copies {
    Kept,
    LeftOut,
}

/// Registers the rows of `files` as the table `attempts`: all, or those that started from `read.0` to before `read.1`, in
/// µs.
///
/// Copies are looked for date by date (they are of one date, because the time of an event is part of it), so
/// that a date comes out the same whichever others are rebuilt with it. Rows are hardly ever copies: the ids are
/// looked at first, and whole rows are only sorted out when there is something to sort out.
pub(crate) async fn register(
    ctx: &SessionContext,
    attempts: &Snapshot,
    files: Vec<DataFile>,
    read: Option<(i64, i64)>,
    copies: Copies,
) -> Result<(), Error> {
    let failed = |source| ONCE.failed(source);
    let mut stored = attempts.provider_over(files);
    if let Some(read) = read {
        stored = read_only(ctx, stored, read)?;
    }
    if copies == Copies::Kept {
        ctx.register_table(TableId::Attempts.name(), stored).map_err(failed)?;
        return Ok(());
    }
    ctx.register_table("stored", Arc::clone(&stored)).map_err(failed)?;
    let duplicates = DUPLICATES.run(ctx, Vec::new()).await?;
    if duplicates.count() == 0 {
        ctx.register_table(TableId::Attempts.name(), stored).map_err(failed)?;
        return Ok(());
    }
    let ids = MemTable::try_new(duplicates.schema, vec![duplicates.batches]).map_err(failed)?;
    ctx.register_table("duplicate", Arc::new(ids)).map_err(failed)?;
    let once = ctx.sql(ONCE.sql).await.map_err(failed)?;
    let view = ViewTable::new(once.logical_plan().clone(), Some(ONCE.sql.to_owned()));
    ctx.register_table(TableId::Attempts.name(), Arc::new(view)).map_err(failed)?;
    Ok(())
}

/// The filter reaches the scan, which then leaves out files, pages and rows by it.
fn read_only(
    ctx: &SessionContext,
    stored: Arc<dyn TableProvider>,
    (from, to): (i64, i64),
) -> Result<Arc<dyn TableProvider>, Error> {
    let at = |us: i64| lit(ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into())));
    let started_at = || col("started_at");
    let is_read = started_at().gt_eq(at(from)).and(started_at().lt(at(to)));
    let rows = ctx.read_table(stored).and_then(|rows| rows.filter(is_read));
    Ok(rows.map_err(|source| ONCE.failed(source))?.into_view())
}
