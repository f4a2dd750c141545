//! Maintenance: checkpoints, so that opening a table stays quick. Never on the ingest path, and idempotent.

use std::error::Error;
use std::time::Duration;

use bellwether_warehouse::{TableId, Warehouse};
use tokio_util::sync::CancellationToken;

use crate::config::MaintainSection;

/// Above this many commits without a checkpoint a human must look.
const ALARM_AFTER_COMMITS: i64 = 1_000;

pub async fn run(
    warehouse: Warehouse,
    config: MaintainSection,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut tables = Vec::new();
    for id in TableId::ALL {
        tables.push(warehouse.table(id).await?);
    }
    loop {
        for table in &mut tables {
            if let Err(error) = checkpoint_if_due(table, config.checkpoint_after_commits).await {
                let cause: &dyn Error = error.as_ref();
                tracing::warn!(
                    table = table.id().name(),
                    error = cause,
                    "checkpoint failed; trying again later"
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(config.every.0.max(Duration::from_secs(1))) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

async fn checkpoint_if_due(table: &mut bellwether_warehouse::Table, after: i64) -> anyhow::Result<()> {
    let version = table.refresh().await?;
    let since = table.commits_since_checkpoint().await?;
    if since >= ALARM_AFTER_COMMITS {
        tracing::error!(table = table.id().name(), commits = since, "many commits without a checkpoint");
    }
    if since >= after {
        table.checkpoint().await?;
        tracing::debug!(table = table.id().name(), version, "wrote a checkpoint");
    }
    Ok(())
}
