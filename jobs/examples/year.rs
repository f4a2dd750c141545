//! A year of commits under maintenance: `cargo run --release -p bellwether-jobs --example year [commits a day]`.
//!
//! 1,370 a day are 500,000. The folder lies in the temporary one (TMPDIR).

use std::error::Error;

use bellwether_warehouse::{TableId, World};

#[path = "../src/maintain/tests/year.rs"]
mod year;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let commits_a_day = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_370);
    let folder = tempfile::tempdir()?;
    let world = World::default();
    let began = world.now();
    let year = year::Year { table: TableId::Attempts, days: 365, commits_a_day, fold_every: 1 };
    let outcome = year.run(folder.path()).await?;
    let year::Outcome { commits, position, rows, active_files, active_bytes, .. } = outcome;
    println!(
        "{commits} commits, position {position:?}: {rows} rows in {active_files} files of {active_bytes} B"
    );
    let year::Outcome { most_files_of_a_day, most_entries, log_bytes, bytes, .. } = outcome;
    println!("at most {most_files_of_a_day} files of a closed day and {most_entries} log entries");
    println!("log {log_bytes} B, all {bytes} B");
    let year::Outcome { committing, folding, maintaining, .. } = outcome;
    println!("{committing:.0?} of commits, {folding:.0?} of folds, {maintaining:.0?} of maintenance");
    println!("{:.0} s in all", world.since(began).as_secs_f64());
    Ok(())
}
