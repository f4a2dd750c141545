//! A year of commits under maintenance:
//! `cargo run --release -p bellwether-jobs --example year [commits a day] [rounds of maintenance a day] [table]`.
//!
//! 1,370 a day are 500,000. `attempts` is folded once a day; `rejects`, which has fewer columns and no fold, takes a
//! third of the time. The settings are those of an untouched configuration. The folder lies in the temporary one
//! (TMPDIR): one in memory, such as `/dev/shm`, spares the disk.

use std::error::Error;

use bellwether_jobs::MaintainSettings;
use bellwether_warehouse::{TableId, World};

#[path = "../src/maintain/tests/year.rs"]
mod year;

use year::{Latencies, Outcome, Year};

/// That of the program: what it holds is to be seen, not what another allocator keeps for a dozen threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// In the program a thread for files that has nothing to do ends after a second, and with it go the rooms that the
/// allocator keeps for it. A year within half an hour leaves no thread idle for so long: a hundred, which one burst
/// makes, would stay and hold 7 MiB each.
const FILE_THREADS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(FILE_THREADS).build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let commits_a_day = args.next().map_or(Ok(1_370), |text| text.parse())?;
    let rounds_a_day = args.next().map_or(Ok(24), |text| text.parse())?;
    let table = match args.next().as_deref() {
        None | Some("attempts") => TableId::Attempts,
        Some("rejects") => TableId::Rejects,
        Some(other) => return Err(format!("`{other}` is neither attempts nor rejects").into()),
    };
    let folder = tempfile::tempdir()?;
    let world = World::default();
    let began = world.now();
    let settings = MaintainSettings::default();
    let year = Year { table, days: 365, commits_a_day, fold_every: 1, rounds_a_day, settings, tell };
    print(&year.run(folder.path()).await?);
    println!("{:.0} s in all", world.since(began).as_secs_f64());
    Ok(())
}

/// Every tenth day.
fn tell(day: u64, so_far: &Outcome) {
    if (day + 1).is_multiple_of(10) {
        let Outcome { commits, most_entries, committing, folding, maintaining, last_opening, .. } = so_far;
        println!(
            "day {}: {commits} commits, at most {most_entries} log entries, opening {last_opening:.1?}; \
             {committing:.0?} of commits, {folding:.0?} of folds, {maintaining:.0?} of maintenance; {}",
            day + 1,
            held()
        );
    }
}

/// What this process holds in memory, as Linux tells it.
fn held() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    match (kib("VmRSS"), kib("RssAnon")) {
        (Some(all), Some(own)) => format!("{} MiB in memory, {} of them its own", all >> 10, own >> 10),
        _ => "memory unknown".to_owned(),
    }
}

fn print(outcome: &Outcome) {
    let Outcome { commits, position, rows, active_files, active_bytes, .. } = outcome;
    println!(
        "{commits} commits, position {position:?}: {rows} rows in {active_files} files of {active_bytes} B"
    );
    let Outcome { most_files_of_a_day, most_entries, longest_opening, last_opening, .. } = outcome;
    println!("at most {most_files_of_a_day} files of a closed day and {most_entries} log entries");
    println!("opening the table: at most {longest_opening:.1?}, at the end {last_opening:.1?}");
    let Outcome { first_commits, last_commits, .. } = outcome;
    for (of, Latencies { p50, p99 }) in [("first", first_commits), ("last", last_commits)] {
        println!("a commit of the {of} tenth: p50 {p50:.1?}, p99 {p99:.1?}");
    }
    let [begin, middle, end] = outcome.resident_bytes.map(|bytes| bytes / (1024 * 1024));
    println!("memory: {begin} MiB after a tenth, {middle} MiB after half, {end} MiB at the end");
    let Outcome { log_bytes, bytes, bytes_at_rest, log_bytes_at_rest, .. } = outcome;
    println!(
        "disk at the end: log {log_bytes} B, all {bytes} B: {:.2} x",
        share(*bytes, active_bytes + log_bytes)
    );
    println!(
        "two days without commits later: log {log_bytes_at_rest} B, all {bytes_at_rest} B: {:.2} x",
        share(*bytes_at_rest, active_bytes + log_bytes_at_rest)
    );
    let Outcome { committing, folding, maintaining, .. } = outcome;
    println!("{committing:.0?} of commits, {folding:.0?} of folds, {maintaining:.0?} of maintenance");
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}
