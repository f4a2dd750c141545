//! `bellwether simulate`: seeded router traffic to a file, a topic, an HTTP intake or a warehouse; or rollups alone.

mod regime;
mod rollups;
mod target;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use bellwether_simulate::{
    ATTEMPTS_PER_YEAR, Config as Traffic, Corruption, Simulator, Size, TextMode, TruthBuilder,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::demo::history::{self, Lane, Maker};
use crate::config::{Common, Config};
use crate::exit::usage;
use crate::roles;
use crate::shutdown;
use regime::{Given, Later};
use target::Target;

/// Writes simulated router traffic: the same seed and period give the same requests
///
/// Targets: file:PATH (or -, native NDJSON), kafka://HOST:PORT/TOPIC, http://HOST:PORT/intake/native, warehouse:FOLDER.
/// With --rollups, no requests but the rollups of a market of published size, into the new warehouse of --warehouse.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether simulate --to file:day.ndjson --from 2026-11-01 --minutes 1440 --truth truth.json\n  bellwether simulate --to kafka://localhost:9092/llm-requests --from 2026-11-01 --events 200000 --bad-share 0.01\n  bellwether simulate --to http://127.0.0.1:4318/intake/native --from 2026-11-24T12:00:00Z --minutes 10\n  bellwether simulate --to file:bad-day.ndjson --from 2026-11-01 --minutes 4320 --regime outage@2026-11-02..2026-11-03 --regime late --truth truth.json\n  bellwether simulate --rollups S1 --warehouse ./market"
)]
pub struct Args {
    /// Where the traffic goes
    #[arg(long, value_name = "TARGET", required_unless_present = "rollups")]
    to: Option<Target>,
    /// First minute: a date or an RFC 3339 instant (UTC)
    #[arg(long, value_name = "TIME", value_parser = instant, required_unless_present = "rollups")]
    from: Option<DateTime<Utc>>,
    /// Minutes of traffic; default: until `--events` are written, else one day
    #[arg(long, value_name = "N")]
    minutes: Option<i64>,
    /// Ends after this many requests
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Scale: calls to providers in a full year
    #[arg(long, default_value_t = ATTEMPTS_PER_YEAR, value_name = "N")]
    attempts_per_year: u64,
    /// Last day of the simulated year; default: the day of `--from`
    #[arg(long, value_name = "DATE")]
    year_end: Option<NaiveDate>,
    /// Share of requests that carry prompt and completion, 0 to 1
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    texts: f64,
    /// Share of requests after which an unusable record is written, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    bad_share: f64,
    /// What happens besides, over the whole period or some days of it (NAME@2026-11-03..2026-11-05): outage, slow,
    /// price-cut, launch-burst, heavy-user, broken-tools, late, duplicates, clock-skew, no-user-ids, rename or stop
    #[arg(long = "regime", value_name = "NAME[@DAY..DAY]")]
    regimes: Vec<Given>,
    /// Bearer token of the HTTP intake
    #[arg(long, env = "BELLWETHER_INTAKE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// Writes what a measuring system should find, as JSON
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Writes rollups without attempts: S1 is a market of published size, S10 has ten times the names
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = size,
        conflicts_with_all = [
            "to", "from", "minutes", "events", "attempts_per_year", "year_end", "texts", "bad_share", "regimes", "truth",
        ]
    )]
    rollups: Option<Size>,
    /// Rollups: last day; default: yesterday
    #[arg(long, value_name = "DATE", requires = "rollups")]
    end: Option<NaiveDate>,
    /// Rollups: days of history
    #[arg(long, default_value_t = 365, value_name = "N", requires = "rollups")]
    days: u64,
    /// Rollups: every Nth endpoint only, for a quick look
    #[arg(long, default_value_t = NonZeroUsize::MIN, value_name = "N", requires = "rollups")]
    thin: NonZeroUsize,
    /// Rollups: where the invented names of S10 go; default: beside the folder of the warehouse
    #[arg(long, value_name = "FILE", requires = "rollups")]
    catalogue: Option<PathBuf>,
}

/// What was written, for `--truth` readers and the terminal.
#[derive(Debug, Default, Serialize)]
struct Written {
    requests: u64,
    attempts: u64,
    bad_records: u64,
}

pub async fn run(args: Args, common: &Common, config: Config) -> anyhow::Result<()> {
    if let Some(size) = args.rollups {
        let Args { seed, end, days, thin, catalogue, .. } = args;
        let order = rollups::Order { size, seed, end, days, thin, catalogue };
        return rollups::run(order, common, config).await;
    }
    let (Some(target), Some(begin)) = (&args.to, args.from) else {
        return Err(usage("--to and --from are needed, or --rollups"));
    };
    for (flag, share) in [("--texts", args.texts), ("--bad-share", args.bad_share)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(usage(format!("{flag} must lie between 0 and 1, not {share}")));
        }
    }
    let texts = if args.texts > 0.0 { TextMode::Share(args.texts) } else { TextMode::None };
    let from = begin.timestamp().div_euclid(60);
    let minutes = args.minutes.unwrap_or(if args.events.is_some() { i64::MAX / 120 } else { 1_440 });
    let to = from.saturating_add(minutes);
    let simulator = Simulator::new(Traffic {
        seed: args.seed,
        attempts_per_year: args.attempts_per_year,
        end: args.year_end.unwrap_or_else(|| begin.date_naive()),
        regimes: args.regimes.iter().map(|given| given.over(from, to)).collect(),
    });
    if let Target::Warehouse(folder) = target {
        if let Some(given) = args.regimes.iter().find(|given| given.is_of_records()) {
            return Err(usage(format!(
                "--regime {}: a warehouse takes no records; write to a file, a topic or an intake",
                given.name()
            )));
        }
        return into_warehouse(folder, simulator, texts, from, to, config, args.truth.as_deref()).await;
    }

    let mut output = target.open(args.token.as_deref())?;
    let corruption = Corruption::new(args.seed, args.bad_share);
    let mut truth = TruthBuilder::new(&simulator);
    let mut written = Written::default();
    let mut failed = None;
    let mut last = from - 1;
    let mut later = Later::default();
    for minute in from..to {
        last = minute;
        let mut records = later.due(minute);
        simulator.minute(minute, texts, &mut |event| {
            if args.events.is_some_and(|most| written.requests >= most) {
                return;
            }
            let mut line = Vec::new();
            if let Err(error) = bellwether_simulate::write_line(event, &mut line) {
                failed = Some(error);
                return;
            }
            written.requests += 1;
            written.attempts += event.attempts.len() as u64;
            truth.observe(event);
            let (id, delay) = (event.request_id.to_string(), simulator.delay_minutes(event));
            if let Some(after) = simulator.doubled_after(event) {
                later.put(minute + delay + after.max(1), (id.clone(), line.clone()));
            }
            match delay {
                0 => records.push((id, line)),
                _ => later.put(minute + delay, (id, line)),
            }
            let mut bad = Vec::new();
            if corruption.after(event, &mut bad).is_some() {
                written.bad_records += 1;
                records.push((event.request_id.to_string(), bad));
            }
        });
        if let Some(error) = failed.take() {
            return Err(error.into());
        }
        output.write(records).await?;
        if args.events.is_some_and(|most| written.requests >= most) {
            break;
        }
    }
    output.write(later.due(i64::MAX)).await?;
    output.finish().await?;
    if let Some(path) = &args.truth {
        write_truth(path, &truth.finish(from, last + 1))?;
    }
    if !common.quiet {
        eprintln!(
            "wrote {} requests with {} attempts and {} unusable records to {}",
            written.requests, written.attempts, written.bad_records, target
        );
    }
    Ok(())
}

async fn into_warehouse(
    folder: &str,
    simulator: Simulator,
    texts: TextMode,
    from: i64,
    to: i64,
    mut config: Config,
    truth: Option<&std::path::Path>,
) -> anyhow::Result<()> {
    config.warehouse.location = folder.to_owned();
    let warehouse = bellwether_warehouse::Warehouse::open_or_create(&config.location()?)
        .await
        .map_err(roles::as_usage)?;
    let expected = truth.map(|path| (path, simulator.truth(from, to, texts)));
    let maker =
        Maker { simulator: Arc::new(simulator), texts, tools: roles::tools(&config, &warehouse).await? };
    let seed = maker.simulator.config().seed;
    let lane = Lane { name: format!("simulate-{seed}"), from, to, days: (1, 0), ended_before_us: i64::MAX };
    history::write(&warehouse, lane, maker, shutdown::on_signals()?, |_| {}).await?;
    match expected {
        Some((path, truth)) => write_truth(path, &truth),
        None => Ok(()),
    }
}

fn write_truth(path: &std::path::Path, truth: &bellwether_simulate::Truth) -> anyhow::Result<()> {
    let file = std::fs::File::create(path)
        .map_err(|error| usage(format!("--truth `{}`: cannot write there: {error}", path.display())))?;
    serde_json::to_writer(std::io::BufWriter::new(file), truth).context("write the truth")
}

fn size(text: &str) -> Result<Size, String> {
    match text {
        "S1" => Ok(Size::S1),
        "S10" => Ok(Size::S10),
        _ => Err("expected S1 or S10".to_owned()),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc()).map_err(|_| {
        "expected a date such as 2026-11-01 or an instant such as 2026-11-01T12:00:00Z".to_owned()
    })
}
