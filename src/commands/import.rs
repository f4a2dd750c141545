//! `bellwether import`: log files into the warehouse, exactly once.

use std::path::PathBuf;

use bellwether_ingest::formats::Format;
use bellwether_ingest::import::{self, FileStatus, ImportError, Options, Summary};
use bellwether_warehouse::Warehouse;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::{Common, Config};
use crate::exit::{chain, usage};
use crate::roles;

/// Providers told whose logged prices are not those of the list.
const TOLD_PROVIDERS: usize = 20;

/// Loads log files exactly once: the same content a second time adds nothing
///
/// NDJSON or JSON (an array, one object, or one after the other); plain, gzip or zstd, told by content, not by name. Records
/// that cannot become rows are kept in the table `rejects` with the reason.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether import requests.ndjson.gz\n  bellwether import litellm/*.json --format litellm --warehouse ./bellwether-data\n  bellwether import day.ndjson.zst --json"
)]
pub struct Args {
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// auto, native or litellm
    #[arg(long, default_value = "auto")]
    format: Format,
    /// Reads files that were imported before once more: what an earlier version rejected may become rows now
    #[arg(long)]
    again: bool,
    /// Prints the summary as JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, common: &Common, config: Config) -> anyhow::Result<()> {
    let warehouse = Warehouse::open_or_create(&config.location()?).await.map_err(roles::as_usage)?;
    let tools = roles::tools(&config, &warehouse).await?;
    let options = Options {
        format: args.format,
        again: args.again,
        max_record: config.intake.max_record,
        flush_rows: config.ingest.flush_rows,
        flush_bytes: config.ingest.flush_bytes,
        ..Options::default()
    };
    let bar = if common.quiet || args.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(ProgressStyle::with_template(
        "{msg} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
    )?);
    let summary = import::import(&warehouse, tools, &args.files, &options, &|progress| {
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.bytes);
        bar.set_message(format!("file {} of {}", progress.file_index + 1, progress.files));
    })
    .await
    .map_err(|error| match error {
        ImportError::Read { .. } | ImportError::NotAFile { .. } => usage(chain(&error)),
        error => error.into(),
    })?;
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        print(&summary);
    }
    if summary.is_unreadable() {
        anyhow::bail!(
            "no record could be read; `bellwether sql \"SELECT reason, detail FROM rejects\"` says why, --format names \
             another format"
        );
    }
    Ok(())
}

fn print(summary: &Summary) {
    for file in &summary.files {
        let path = file.path.display();
        match file.status {
            FileStatus::AlreadyImported => println!("{path}: imported before, nothing added"),
            _ => println!(
                "{path}: {} records, {} rows, {} rejects, {} duplicates",
                file.records, file.rows, file.rejects, file.duplicates
            ),
        }
    }
    println!(
        "{} records: {} rows added, {} duplicates dropped, {} rejects",
        summary.records, summary.rows, summary.duplicates, summary.rejects
    );
    for (reason, count) in &summary.reasons {
        println!("  {count} rejected: {reason}");
    }
    if summary.rejects > 0 {
        println!(
            "  see: bellwether sql \"SELECT reason, detail, src_offset FROM rejects ORDER BY received_at DESC LIMIT 20\""
        );
    }
    if summary.priced_by_list > 0 {
        println!(
            "{} rows without a price in the log, priced by the catalogue's list",
            summary.priced_by_list
        );
    }
    if !summary.price_mismatches.is_empty() {
        println!(
            "logged prices more than a fifth away from the catalogue's list; they stand as logged, the most frequent:"
        );
        let mut providers: Vec<(&String, &u64)> = summary.price_mismatches.iter().collect();
        providers.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
        for (provider, rows) in providers.into_iter().take(TOLD_PROVIDERS) {
            println!("  {rows} rows: provider {provider}");
        }
    }
    if summary.unmapped_names > 0 {
        println!(
            "{} names without an entry in the catalogue; kept as they are, the most frequent:",
            summary.unmapped_names
        );
        for name in &summary.unmapped {
            let [model, provider] = [&name.model, &name.provider].map(|n| n.as_deref().unwrap_or("(none)"));
            println!("  {} rows: model {model}, provider {provider}", name.count);
        }
    }
}
