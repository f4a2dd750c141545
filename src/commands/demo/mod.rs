//! `bellwether demo`: simulated history and live traffic through the production path. The site opens on the newest
//! weeks; the year fills in behind it.

mod fill;
pub mod history;
mod live;
mod segments;
mod settings;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bellwether_ingest::config::{Bytes, Span};
use bellwether_simulate::{
    ATTEMPTS_PER_YEAR, Config as Traffic, DAYS_PER_YEAR, LONGEST_REQUEST_MINUTES, Simulator, TextMode,
};
use bellwether_warehouse::{TableId, Warehouse, snapshot};
use bellwether_web::History;
use bellwether_web::config::Profile;
use chrono::{DateTime, Utc};
use datafusion::arrow::array::AsArray;
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::config::{Common, Config};
use crate::exit::usage;
use crate::roles::{Role, Roles};
use crate::shutdown;
use fill::Filler;
use history::Maker;
use live::Sender;
use segments::MINUTES_PER_DAY;
use settings::{LAYOUT, Settings};

/// Texts and labels for a tenth of the requests are enough to show languages and crosses.
const TEXTS: TextMode = TextMode::Share(0.1);

/// Shows a living site: a year of simulated history and live traffic
///
/// The site opens on the newest weeks; the year fills in behind it, newest first, and a line on each page says how far
/// it is. Everything lies in one folder (and `<folder>-local` for secrets and the spool). Started again, it goes on
/// with the same traffic and fills the gap since it ended.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether demo\n  bellwether demo --warehouse /tmp/market --listen 127.0.0.1:9000\n  bellwether demo --attempts 300000 --days 60 --warehouse ./small"
)]
pub struct Args {
    /// Address of the site
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    listen: String,
    /// Calls to providers in a full year of history
    #[arg(long, default_value_t = ATTEMPTS_PER_YEAR, value_name = "N")]
    attempts: u64,
    /// Days of history
    #[arg(long, default_value_t = DAYS_PER_YEAR, value_name = "N")]
    days: i64,
    /// Another seed is another market
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

pub async fn run(args: Args, common: &Common, mut config: Config) -> anyhow::Result<()> {
    if common.warehouse.is_none() && common.config.is_none() {
        config.warehouse.location = "./bellwether-demo".into();
    }
    let history = History::default();
    configure(&args, &history, &mut config)?;
    let shutdown = shutdown::on_signals()?;
    let started = Instant::now();
    let mut roles = Roles::prepare(config, shutdown.clone()).await?;
    // Taken before anything is written: an occupied port is told at once.
    roles.bind(&[Role::Web, Role::Intake, Role::Admin]).await?;

    let local = roles.config().local_dir()?;
    let mut settings = settings(&args, &local, minute_now())?;
    let simulator = Arc::new(Simulator::new(traffic(&settings)));
    let maker = Maker { simulator: simulator.clone(), texts: TEXTS, tools: roles.tools().clone() };

    roles.start(&[Role::Intake, Role::Ingest]).await?;
    let mut filler = Filler::open(roles.warehouse(), &settings, maker, history).await?;
    write_newest(&mut filler, common.quiet, &shutdown).await?;
    let sender = traffic_since(&roles, &mut settings, &local, simulator, common.quiet, &shutdown).await?;
    if !shutdown.is_cancelled() {
        roles.roll_up().await.context("compute the first pages' numbers")?;
    }
    if shutdown.is_cancelled() {
        return roles.ended().await;
    }
    roles.start(&[Role::Web, Role::Jobs, Role::Maintain, Role::Admin]).await?;
    roles.follow_catalogue();

    println!(
        "Bellwether is at http://{} — {}",
        roles.address(Role::Web)?,
        opened(filler.weeks(), filler.is_done(), started.elapsed())
    );
    println!(
        "Simulated traffic, seed {}. Ctrl-C ends it; the same command goes on from there.",
        settings.seed
    );
    fill_behind(&mut roles, filler, started, &shutdown);
    let sender = Arc::new(tokio::sync::Mutex::new(sender));
    roles.watch("live traffic", move || {
        let (sender, shutdown) = (sender.clone(), shutdown.clone());
        async move {
            sender.lock().await.run(shutdown).await;
            Ok(())
        }
    });
    roles.ended().await
}

/// The embedded default: loopback only, short periods, thresholds of the demo profile.
fn configure(args: &Args, history: &History, config: &mut Config) -> anyhow::Result<()> {
    let listen: std::net::SocketAddr = args.listen.parse().map_err(|_| {
        usage(format!("--listen `{}` must be an address and a port such as 127.0.0.1:8080", args.listen))
    })?;
    config.web.listen = listen.to_string();
    config.web.profile = Profile::Demo;
    config.web.simulated = true;
    config.web.history = Some(history.clone());
    config.web.refresh = Duration::from_secs(5);
    // Ports of their own choice, so that a demo never meets a running service.
    config.intake.listen = "127.0.0.1:0".into();
    config.intake.tokens.clear();
    config.admin.listen = "127.0.0.1:0".into();
    config.jobs.every = Span(Duration::from_secs(10));
    config.ingest.flush_age = Span(Duration::from_secs(4));
    config.spool.ballast = Bytes(0);
    if args.days < 1 || args.attempts == 0 {
        return Err(usage("--days and --attempts must be at least 1"));
    }
    Ok(())
}

/// Settings of this folder: the stored ones, or new ones from the flags.
fn settings(args: &Args, local: &Path, now_minute: i64) -> anyhow::Result<Settings> {
    if let Some(stored) = Settings::load(local)? {
        let given = (args.seed, args.attempts);
        if given != (stored.seed, stored.attempts_per_year) && given != (1, ATTEMPTS_PER_YEAR) {
            return Err(usage(format!(
                "this demo folder was made with --seed {} --attempts {}; use those or another --warehouse",
                stored.seed, stored.attempts_per_year
            )));
        }
        return Ok(stored);
    }
    let first_day = now_minute.div_euclid(MINUTES_PER_DAY) - args.days;
    let settings = Settings {
        layout: LAYOUT,
        seed: args.seed,
        attempts_per_year: args.attempts,
        first_minute: first_day * MINUTES_PER_DAY,
        live_from_minute: now_minute,
        complete_to_minute: now_minute,
    };
    settings.store(local)?;
    Ok(settings)
}

fn traffic(settings: &Settings) -> Traffic {
    Traffic {
        seed: settings.seed,
        attempts_per_year: settings.attempts_per_year,
        end: DateTime::from_timestamp(settings.live_from_minute * 60, 0).unwrap_or_default().date_naive(),
        regimes: Vec::new(),
    }
}

/// What a page needs to show something.
async fn write_newest(filler: &mut Filler, quiet: bool, shutdown: &CancellationToken) -> anyhow::Result<()> {
    if filler.has_newest() {
        return Ok(());
    }
    let bar = progress("writing the newest weeks", filler.minutes_of_next(), quiet)?;
    let bar_of_lanes = bar.clone();
    filler.write_next(move |minutes| bar_of_lanes.inc(minutes), shutdown).await?;
    bar.finish_and_clear();
    Ok(())
}

/// Writes the rest of history while the site is open.
fn fill_behind(roles: &mut Roles, filler: Filler, started: Instant, shutdown: &CancellationToken) {
    if filler.is_done() {
        return;
    }
    let (filler, shutdown) = (Arc::new(tokio::sync::Mutex::new(filler)), shutdown.clone());
    roles.watch("simulated history", move || {
        let (filler, shutdown) = (filler.clone(), shutdown.clone());
        async move {
            let mut filler = filler.lock().await;
            filler.run(&shutdown).await?;
            if filler.is_done() {
                let ((_, weeks), after) = (filler.weeks(), started.elapsed());
                println!("All {weeks} weeks of history are written after {:.0} s.", after.as_secs_f64());
            }
            // Done, but nothing that has failed.
            shutdown.cancelled().await;
            Ok(())
        }
    });
}

fn opened((weeks, of): (u32, u32), is_done: bool, after: Duration) -> String {
    let after = after.as_secs_f64();
    match is_done {
        true => format!("opened after {after:.0} s"),
        false => format!(
            "opened on the newest {weeks} of {of} weeks after {after:.0} s; the others fill in behind it"
        ),
    }
}

/// The sender that goes on where the tables end. What ended while the demo was not running, it brings in first.
async fn traffic_since(
    roles: &Roles,
    settings: &mut Settings,
    local: &Path,
    simulator: Arc<Simulator>,
    quiet: bool,
    shutdown: &CancellationToken,
) -> anyhow::Result<Sender> {
    roles.drain_spool().await?;
    let from = settings.complete_to_minute;
    let known = requests_since(roles.warehouse(), from - LONGEST_REQUEST_MINUTES)
        .await
        .context("read what the last run sent")?;
    let intake = format!("http://{}/intake/native", roles.address(Role::Intake)?);
    let mut sender = Sender::new(simulator, TEXTS, intake, from, known)?;
    let now_minute = minute_now();
    if from >= now_minute - 1 {
        return Ok(sender);
    }
    let bar = progress(
        "sending what happened since",
        u64::try_from(now_minute - from + LONGEST_REQUEST_MINUTES).unwrap_or(0),
        quiet,
    )?;
    let bar_of_sender = bar.clone();
    sender
        .catch_up(move |minutes| bar_of_sender.inc(u64::try_from(minutes).unwrap_or(0)), shutdown)
        .await
        .context("fill the gap since the last run")?;
    roles.drain_spool().await?;
    bar.finish_and_clear();
    if !shutdown.is_cancelled() {
        settings.complete_to_minute = now_minute;
        settings.store(local)?;
    }
    Ok(sender)
}

fn minute_now() -> i64 {
    Utc::now().timestamp().div_euclid(60)
}

fn progress(what: &'static str, length: u64, quiet: bool) -> anyhow::Result<ProgressBar> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(length) };
    let style = ProgressStyle::with_template("{msg} {bar:40} {percent} %, {eta} left")?;
    Ok(bar.with_style(style).with_message(what))
}

async fn requests_since(warehouse: &Warehouse, minute: i64) -> anyhow::Result<HashSet<String>> {
    let ctx = warehouse.session(2);
    snapshot::register(&ctx, &[warehouse.table(TableId::Attempts).await?.snapshot().clone()])?;
    let since = DateTime::from_timestamp(minute * 60, 0).context("minute out of range")?;
    let statement = format!(
        "SELECT DISTINCT request_id FROM attempts WHERE event_date >= DATE '{}' AND started_at >= TIMESTAMP '{}'",
        since.date_naive(),
        since.format("%Y-%m-%dT%H:%M:%SZ"),
    );
    let mut known = HashSet::new();
    for batch in ctx.sql(&statement).await?.collect().await? {
        known.extend(batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    Ok(known)
}
