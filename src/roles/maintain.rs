//! Maintenance of the tables, and of the secrets of label epochs that lie on this host. Never on the ingest path.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bellwether_ingest::epoch_keys::destroy_epoch_keys;
use bellwether_jobs::{Depth, Intent, MaintainReport, Maintainer};
use bellwether_warehouse::Warehouse;
use bellwether_warehouse::health::Part;
use chrono::Utc;
use tokio_util::sync::CancellationToken;

use crate::config::MaintainSection;
use crate::exit::chain;

/// Above this many commits without a checkpoint a human must look.
const ALARM_AFTER_COMMITS: i64 = 1_000;

pub async fn run(
    warehouse: Warehouse,
    config: MaintainSection,
    keys: PathBuf,
    part: Part,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut maintainer = Maintainer::open(&warehouse, config.settings()).await?;
    // No reason to stay down: whatever else is maintained is worth it.
    if let Err(error) = warehouse.probe_deletion().await {
        tracing::warn!("{}", chain(&error));
    }
    let mut cleaned_at: Option<Instant> = None;
    loop {
        let depth = match cleaned_at {
            Some(at) if at.elapsed() < config.clean_every.0 => Depth::Logs,
            _ => Depth::Whole,
        };
        // Each commit of a round is whole by itself, so a round may be left anywhere.
        let round = tokio::select! {
            round = round(&mut maintainer, depth, Intent::Do, &keys) => round,
            () = shutdown.cancelled() => return Ok(()),
        };
        if depth == Depth::Whole {
            cleaned_at = Some(Instant::now());
        }
        tell(&part, &round);
        tokio::select! {
            () = tokio::time::sleep(config.every.0.max(Duration::from_secs(1))) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

/// What one round did, or would do.
pub struct Round {
    pub report: MaintainReport,
    /// Label epochs whose secrets on this host were destroyed, or what kept them.
    pub keys: anyhow::Result<Vec<i64>>,
}

/// One round over the tables; then the secrets of the label epochs whose rows are gone.
pub async fn round(maintainer: &mut Maintainer, depth: Depth, intent: Intent, keys: &Path) -> Round {
    let report = maintainer.round(depth, intent, Utc::now()).await;
    let keys = match (intent, report.destroyed_epoch()) {
        (Intent::Do, Some(epoch)) => destroy_epoch_keys(keys, epoch).map_err(anyhow::Error::new),
        _ => Ok(Vec::new()),
    };
    Round { report, keys }
}

fn tell(part: &Part, Round { report, keys }: &Round) {
    let mut problems: Vec<String> = Vec::new();
    for table in &report.tables {
        if let Some(error) = &table.error {
            problems.push(format!("{}: {error}", table.table));
        }
        let commits = table.commits_since_checkpoint;
        if commits >= ALARM_AFTER_COMMITS {
            tracing::error!(table = table.table, commits, "many commits without a checkpoint");
            problems.push(format!("{}: {commits} commits without a checkpoint", table.table));
        }
        if let Some(files @ 1..) = table.overdue_files {
            problems.push(format!(
                "{}: {files} files have label rows of users that are older than 35 days and must be destroyed; \
                 `bellwether maintain` tries it at once and says what keeps it",
                table.table
            ));
        }
    }
    match keys {
        Ok(epochs) if epochs.is_empty() => {}
        Ok(epochs) => tracing::info!(?epochs, "destroyed the secrets of label epochs"),
        Err(error) => {
            let error: &dyn std::error::Error = error.as_ref();
            tracing::error!(error, "label secrets must be destroyed and could not be");
            problems.push(chain(error));
        }
    }
    match problems.as_slice() {
        [] => part.works(),
        problems => part.impaired(problems.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use bellwether_warehouse::health::{Health, State};
    use bellwether_warehouse::tables::label_cells::{Builder, LabelCellRow};
    use bellwether_warehouse::{Change, Location, TableId};

    use super::*;

    #[tokio::test]
    async fn label_rows_that_are_too_old_impair_upkeep_until_they_are_destroyed() {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::parse(dir.path().join("warehouse").to_str().unwrap()).unwrap();
        let warehouse = Warehouse::open_or_create(&location).await.unwrap();
        let mut table = warehouse.table(TableId::LabelCells).await.unwrap();
        let mut cells = Builder::default();
        // Monday 2024-01-01.
        cells.push(&LabelCellRow { week: 19_723, user_key: Some(7), n: 1, ..LabelCellRow::default() });
        let add = table.write(&[cells.finish()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();

        let mut maintainer = Maintainer::open(&warehouse, Default::default()).await.unwrap();
        let health = Health::default();
        let part = health.part("upkeep of the tables");
        let keys = dir.path().join("keys");
        tell(&part, &round(&mut maintainer, Depth::Logs, Intent::Do, &keys).await);
        let State::Impaired(why) = health.parts()[0].1.clone() else { panic!("{:?}", health.parts()) };
        assert!(why.contains("1 files have label rows") && why.contains("`bellwether maintain`"), "{why}");
        tell(&part, &round(&mut maintainer, Depth::Whole, Intent::Do, &keys).await);
        assert_eq!(health.parts()[0].1, State::Works);
    }
}
