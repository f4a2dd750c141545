//! `bellwether sql`: one read-only statement over a local warehouse, for its operator.

mod print;

use std::io::{Read, Write};

use anyhow::Context;
use bellwether_warehouse::session::Answer;
use bellwether_warehouse::{Attempts, Warehouse};
use datafusion::execution::context::SQLOptions;

use super::Format;
use crate::config::Config;
use crate::exit::usage;
use crate::roles;
use print::Printer;

/// Runs one read-only SQL statement over the warehouse
///
/// Tables: attempts, rejects, label_cells, imports, usage_hourly, usage_daily, health_5m, health_hourly,
/// health_daily, routing_hourly, intake_daily, and the view requests. Rollups hold partial rows: group and
/// sum them; sketches merge with ddsketch_merge and hll_merge and are read with ddsketch_quantile(sketch, q)
/// and hll_estimate(sketch). is_success(outcome, output_tokens, ttft_ms) tells whether an attempt was served.
/// `attempts` and `requests` are read as far as the rollups are folded, so that sums over both agree.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether sql \"SELECT model_id, sum(requests) FROM usage_daily GROUP BY 1 ORDER BY 2 DESC LIMIT 5\" --warehouse ./bellwether-demo\n  bellwether sql \"SHOW TABLES\" --format csv\n  echo \"SELECT count(*) FROM attempts\" | bellwether sql - --latest"
)]
pub struct Args {
    /// The statement, or `-` to read it from standard input
    statement: String,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Reads `attempts` as it stands, with rows that no rollup has yet
    #[arg(long)]
    latest: bool,
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let statement = if args.statement == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("read the statement from standard input")?;
        text
    } else {
        args.statement
    };
    let warehouse = Warehouse::open(&config.location()?).await.map_err(roles::as_usage)?;
    let pinned = match args.latest {
        true => warehouse.pin(Attempts::Newest).await?,
        false => warehouse.pin(Attempts::AsFolded).await.context(
            "read `attempts` as far as the rollups are folded (`bellwether jobs run` folds the rest, --latest reads it as it stands)",
        )?,
    };
    if pinned.left_out > 0 {
        tracing::info!(
            attempts = pinned.left_out,
            "the newest attempts are in no rollup yet and are left out; --latest reads them too"
        );
    }
    if !pinned.is_even {
        tracing::warn!(
            "the rollups do not stand at one version of attempts: a join over two of them mixes versions; `bellwether jobs run` brings them together"
        );
    }
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let ctx = pinned.session(&warehouse, threads)?;
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false);
    let frame = ctx
        .sql_with_options(&statement, read_only)
        .await
        .map_err(|error| usage(format!("statement refused: {}", error.strip_backtrace())))?;
    let mut answer = Answer::of(frame).await.context("run the statement")?;
    let mut printer = Printer::new(args.format, &answer.schema());
    while let Some(batch) = answer.next().await.context("run the statement")? {
        if !write(&printer.add(&batch)?)? {
            return Ok(());
        }
    }
    write(&printer.finish()?)?;
    Ok(())
}

/// False when nobody reads any more.
fn write(text: &[u8]) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        // The reader closed the pipe (`| head`): nothing left to say.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        other => Ok(other.map(|()| true)?),
    }
}
