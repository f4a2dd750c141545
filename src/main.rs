//! `bellwether`: one binary; every role alone or together.

mod commands;
mod config;
mod exit;
mod logging;
mod roles;
mod shutdown;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The allocator's only switch for huge pages is this variable, read before `main`. Zeroing them took a tenth of
/// the time of ingest from Kafka, and the unused rest of them was a quarter of its memory.
const HUGE_PAGES: &str = "MIMALLOC_ALLOW_THP";

/// Starts the same process again without huge pages, unless the variable says what is wanted.
fn without_huge_pages() {
    if std::env::var_os(HUGE_PAGES).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), arguments.next()) {
        // Returns only when it failed: then this process goes on as it is.
        let error = Command::new(program).arg0(name).args(arguments).env(HUGE_PAGES, "0").exec();
        eprintln!("bellwether: goes on with huge pages: {error}");
    }
}

fn main() -> ExitCode {
    without_huge_pages();
    // Fail points are off unless the variable FAILPOINTS names some: the crash tests do.
    let _fail_points = fail::FailScenario::setup();
    let cli = commands::Cli::parse();
    logging::start(cli.common.log_format, cli.common.quiet);
    exit::report(commands::run(cli))
}
