//! `bellwether jobs`: rollups and publication by hand.

mod naming;

use bellwether_jobs::{Asked, Intent, Jobs, Left, Scheduler};
use bellwether_warehouse::{Location, Warehouse};
use chrono::{NaiveDate, Utc};
use clap::Subcommand;

use crate::config::Config;
use crate::exit::usage;
use crate::{roles, straight};

/// Runs jobs by hand, rebuilds days, reads logged names again, or says where every table stands
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether jobs run --warehouse ./bellwether-data\n  bellwether jobs rebuild --from 2026-11-23 --to 2026-11-24\n  bellwether jobs remap --dry-run\n  bellwether jobs status --json"
)]
pub struct Args {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Every job once: fold, routing, settle, expire, rebuild of closed days that were not rebuilt yet, and publication
    ///
    /// It publishes under the terms of its configuration: give it that of the service, or the service stops publishing.
    #[command(after_help = "Example:\n  bellwether jobs run --warehouse ./bellwether-data")]
    Run {
        /// Prints the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Computes whole days again from all of their attempts, without duplicates, and reports the drift
    #[command(after_help = "Example:\n  bellwether jobs rebuild --from 2026-11-23 --to 2026-11-24")]
    Rebuild {
        /// First day (UTC)
        #[arg(long, value_name = "DATE")]
        from: NaiveDate,
        /// Last day, included
        #[arg(long, value_name = "DATE")]
        to: NaiveDate,
        #[arg(long)]
        json: bool,
    },
    /// Takes the logged names of standing rows for what the catalogue says now, and makes the rollups of their days again
    ///
    /// For when the catalogue has learnt an alias or a model, or has renamed, merged or hidden one. Give it the configuration
    /// of the service. The next publication shows it: `bellwether jobs run`, or the service, which replaces closed days at
    /// night, for the reason `remap`. It is never done by itself, and labels keep the models they came with. May be stopped
    /// anywhere and run again.
    #[command(
        after_help = "Examples:\n  bellwether jobs remap --dry-run\n  bellwether jobs remap --from 2026-11-01 --config /etc/bellwether/bellwether.toml"
    )]
    Remap {
        /// First day (UTC); without it, the first one there is
        #[arg(long, value_name = "DATE")]
        from: Option<NaiveDate>,
        /// Last day, included; without it, the last one there is
        #[arg(long, value_name = "DATE")]
        to: Option<NaiveDate>,
        /// Says what would change and changes nothing
        #[arg(long)]
        dry_run: bool,
        /// Prints the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Version, place, files, rows and bytes of every table
    #[command(after_help = "Example:\n  bellwether jobs status --json")]
    Status {
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let location = config.location()?;
    let mut warehouse = Warehouse::open(&location).await.map_err(roles::as_usage)?;
    if !matches!(args.job, Job::Status { .. }) {
        // A rollup that an older binary did not have, or that somebody moved away, begins empty.
        warehouse = Warehouse::open_or_create(&location).await.map_err(roles::as_usage)?;
    }
    let mut jobs = Jobs::open(&warehouse).await?;
    match args.job {
        Job::Run { json } => {
            let terms = config.terms(&config.catalogue()?);
            let report = Scheduler::new(jobs).publishing(terms).run_once(Utc::now()).await;
            print(&report, json)?;
            anyhow::ensure!(report.is_clean(), "a job failed, see the log above");
            Ok(())
        }
        Job::Rebuild { from, to, json } => {
            in_order(Some(from), Some(to))?;
            not_straight(&warehouse, &location).await?;
            let report = jobs.rebuild(from, to, Utc::now()).await?;
            print(&report, json)
        }
        Job::Remap { from, to, dry_run, json } => {
            in_order(from, to)?;
            not_straight(&warehouse, &location).await?;
            let intent = if dry_run { Intent::Tell } else { Intent::Do };
            let naming = naming::ByCatalogue(config.catalogue()?);
            let report = jobs.remap(Asked { from, to, intent }, &naming, Utc::now()).await?;
            print(&report, json)?;
            let is_failed = report.left == Some(Left::Failed);
            anyhow::ensure!(!is_failed, "not all rollups were made again; the log says why");
            Ok(())
        }
        Job::Status { json } => {
            let report = jobs.status().await?;
            print(&report, json)
        }
    }
}

/// Without attempts there is nothing to read again, and what stands would be lost.
async fn not_straight(warehouse: &Warehouse, location: &Location) -> anyhow::Result<()> {
    if straight::is_straight(warehouse).await? {
        let note = straight::NOTE;
        return Err(usage(format!("`{location}` cannot be rebuilt: {note}, so every day would be empty")));
    }
    Ok(())
}

fn in_order(from: Option<NaiveDate>, to: Option<NaiveDate>) -> anyhow::Result<()> {
    match (from, to) {
        (Some(from), Some(to)) if from > to => Err(usage(format!("--from {from} lies after --to {to}"))),
        _ => Ok(()),
    }
}

fn print<T: serde::Serialize + std::fmt::Display>(report: &T, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        println!("{report}");
    }
    Ok(())
}
