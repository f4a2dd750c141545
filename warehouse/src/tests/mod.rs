//! Tables through the public interface, on real folders.

mod checkpoints;
mod commits;
mod faulty;
mod fence;
mod files;
mod folders;
mod listed;
mod maintain;
mod pinned;
mod reading;
mod requests;
mod stores;
mod world;

use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use tempfile::TempDir;

use crate::tables::attempts::AttemptRow;
use crate::testing::{attempt, batch};
use crate::{Location, Table, TableId, Warehouse, snapshot};

async fn warehouse() -> (TempDir, Warehouse) {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
    let warehouse = Warehouse::open_or_create(&location).await.unwrap();
    (dir, warehouse)
}

async fn attempts() -> (TempDir, Warehouse, Table) {
    let (dir, warehouse) = warehouse().await;
    let table = warehouse.table(TableId::Attempts).await.unwrap();
    (dir, warehouse, table)
}

/// Rows with `src_offset` in `[from, to)`.
fn offsets(from: i64, to: i64) -> RecordBatch {
    let ids: Vec<String> = (from..to).map(|offset| format!("event-{offset:06}")).collect();
    let rows: Vec<_> =
        ids.iter().zip(from..to).map(|(id, src_offset)| AttemptRow { src_offset, ..attempt(id) }).collect();
    batch(&rows)
}

fn refusing(event_id: &str, src_offset: i64) -> RecordBatch {
    batch(&[AttemptRow { refused: Some(true), src_offset, ..attempt(event_id) }])
}

fn over(table: &Table) -> SessionContext {
    let ctx = table.snapshot().session(2);
    snapshot::register(&ctx, &[table.snapshot().clone()]).unwrap();
    ctx
}

async fn rows(ctx: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    ctx.sql(sql).await.unwrap().collect().await.unwrap()
}

/// The one row of an answer as text, columns joined by a blank.
async fn line(ctx: &SessionContext, sql: &str) -> String {
    let text = arrow::util::pretty::pretty_format_batches(&rows(ctx, sql).await).unwrap().to_string();
    let cells: Vec<&str> = text.lines().nth(3).unwrap_or_default().split('|').map(str::trim).collect();
    cells.join(" ").trim().to_owned()
}

async fn plan(ctx: &SessionContext, sql: &str) -> String {
    let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    datafusion::physical_plan::displayable(plan.as_ref()).indent(true).to_string()
}
