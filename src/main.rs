//! `bellwether`: one binary; every role alone or together.

mod commands;
mod config;
mod exit;
mod logging;
mod roles;
mod shutdown;
mod straight;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the allocator reads from these variables before `main`, and nowhere else.
///
/// No huge pages: zeroing them took a tenth of the time of ingest from Kafka, and the unused rest of them was a quarter
/// of its memory. What is freed goes back to the system after 10 ms instead of a second: with a lag the peak fell from
/// 630 to 510 MiB at the same speed (`benches/memory`).
const OF_THE_ALLOCATOR: [(&str, &str); 2] = [("MIMALLOC_ALLOW_THP", "0"), ("MIMALLOC_PURGE_DELAY", "10")];

/// Starts the same process again with these settings, unless the variables say what is wanted.
fn with_settings_of_the_allocator() {
    let missing =
        OF_THE_ALLOCATOR.map(|(name, value)| std::env::var_os(name).is_none().then_some((name, value)));
    if missing.iter().all(Option::is_none) {
        return;
    }
    let mut arguments = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), arguments.next()) {
        // Returns only when it failed: then this process goes on as it is.
        let error =
            Command::new(program).arg0(name).args(arguments).envs(missing.into_iter().flatten()).exec();
        eprintln!("bellwether: goes on without its settings of the allocator: {error}");
    }
}

fn main() -> ExitCode {
    with_settings_of_the_allocator();
    // Fail points are off unless the variable FAILPOINTS names some: the crash tests do.
    let _fail_points = fail::FailScenario::setup();
    let cli = commands::Cli::parse();
    logging::start(cli.common.log_format, cli.common.quiet);
    exit::report(commands::run(cli))
}
