//! Running the `.sql` files.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::error::Error;

/// A statement and the name it has in errors: the path of its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    pub name: &'static str,
    pub sql: &'static str,
}

/// Rows in memory.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

impl Rows {
    pub(crate) fn count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

impl Statement {
    /// `values` are bound to `$1`, `$2`, …
    pub(crate) async fn run(self, ctx: &SessionContext, values: Vec<ScalarValue>) -> Result<Rows, Error> {
        let failed = |source| self.failed(source);
        let mut frame = ctx.sql(self.sql).await.map_err(failed)?;
        if !values.is_empty() {
            frame = frame.with_param_values(values).map_err(failed)?;
        }
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await.map_err(failed)?;
        Ok(Rows { schema, batches })
    }

    /// Runs over `rows` as the table `part`.
    #[cfg(test)]
    pub(crate) async fn run_over(self, ctx: &SessionContext, rows: &Rows) -> Result<Rows, Error> {
        let failed = |source| self.failed(source);
        let part =
            datafusion::datasource::MemTable::try_new(Arc::clone(&rows.schema), vec![rows.batches.clone()])
                .map_err(failed)?;
        self.run_over_table(ctx, Arc::new(part)).await
    }

    /// Runs over `part`, as the table of that name.
    pub(crate) async fn run_over_table(
        self,
        ctx: &SessionContext,
        part: Arc<dyn TableProvider>,
    ) -> Result<Rows, Error> {
        let failed = |source| self.failed(source);
        ctx.deregister_table("part").map_err(failed)?;
        ctx.register_table("part", part).map_err(failed)?;
        self.run(ctx, Vec::new()).await
    }

    /// As [`Statement::run_over_table`], with the rows as they come.
    pub(crate) async fn stream_over_table(
        self,
        ctx: &SessionContext,
        part: Arc<dyn TableProvider>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, Error>>, Error> {
        let failed = move |source| self.failed(source);
        ctx.deregister_table("part").map_err(failed)?;
        ctx.register_table("part", part).map_err(failed)?;
        let frame = ctx.sql(self.sql).await.map_err(failed)?;
        Ok(frame.execute_stream().await.map_err(failed)?.map_err(failed).boxed())
    }

    pub(crate) fn failed(self, source: DataFusionError) -> Error {
        Error::Query { statement: self.name, source: Box::new(source) }
    }
}
