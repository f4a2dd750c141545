//! `bellwether maintain`: one round of maintenance by hand.

use bellwether_ingest::identity::Identities;
use bellwether_jobs::{Depth, Intent, Maintainer};
use bellwether_warehouse::Warehouse;

use crate::config::Config;
use crate::roles;

/// Checkpoints, compacts and cleans up all tables once, as the role `maintain` of `serve` does by itself
///
/// Safe beside everything else that runs on the warehouse. Removed files and log entries stay for `maintain.history`.
/// Label rows, and the secrets behind their keys that lie on this host, are destroyed six days after their epoch's end.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether maintain --dry-run --warehouse ./bellwether-data\n  bellwether maintain --format json"
)]
pub struct Args {
    /// Says what would be done and why, and does nothing
    #[arg(long)]
    dry_run: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value = "table")]
    format: ReportFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ReportFormat {
    Table,
    Json,
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let warehouse = Warehouse::open(&config.location()?).await.map_err(roles::as_usage)?;
    let mut maintainer = Maintainer::open(&warehouse, config.maintain.settings()).await?;
    let intent = if args.dry_run { Intent::Tell } else { Intent::Do };
    let round =
        roles::maintain(&mut maintainer, Depth::Whole, intent, &Identities::folder(&config.keys_path()?))
            .await;
    match args.format {
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&round.report)?),
        ReportFormat::Table => println!("{}", round.report),
    }
    for epoch in round.keys? {
        tracing::info!(epoch, "destroyed the secret of a label epoch");
    }
    anyhow::ensure!(round.report.is_clean(), "a table could not be maintained, see above");
    Ok(())
}
