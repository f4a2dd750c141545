//! Attempts with every event once.

use std::sync::Arc;

use bellwether_warehouse::{DataFile, Snapshot, TableId};
use datafusion::catalog::view::ViewTable;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;

use crate::error::Error;
use crate::statement::Statement;

const DUPLICATES: Statement =
    Statement { name: "rebuild/duplicates.sql", sql: include_str!("duplicates.sql") };
const ONCE: Statement = Statement { name: "rebuild/once.sql", sql: include_str!("once.sql") };

/// Registers the rows of `files`, each event once, as the table `attempts`.
///
/// Copies are looked for date by date (they are of one date, because the time of an event is part of it), so
/// that a date comes out the same whichever others are rebuilt with it. Rows are hardly ever copies: the ids are looked at first, and whole rows are only sorted out
/// when there is something to sort out.
pub(crate) async fn register(
    ctx: &SessionContext,
    attempts: &Snapshot,
    files: Vec<DataFile>,
) -> Result<(), Error> {
    let failed = |source| ONCE.failed(source);
    let stored = attempts.provider_over(files);
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
