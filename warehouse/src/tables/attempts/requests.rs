//! The `requests` view over `attempts`.

use std::sync::Arc;

use datafusion::catalog::view::ViewTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::FutureExt;

const NAME: &str = "requests";
const SQL: &str = include_str!("requests_view.sql");

/// `attempts` must be registered already.
pub(crate) fn register_requests(ctx: &SessionContext) -> Result<(), DataFusionError> {
    // Planning waits for nothing: the catalogue is in memory.
    let frame = ctx
        .sql(SQL)
        .now_or_never()
        .ok_or_else(|| DataFusionError::Plan(format!("view `{NAME}` did not plan at once")))??;
    let view = ViewTable::new(frame.logical_plan().clone(), Some(SQL.to_owned()));
    ctx.register_table(NAME, Arc::new(view))?;
    Ok(())
}
