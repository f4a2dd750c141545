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

/// What the allocator reads from variables before `main`, and nowhere else.
///
/// No huge pages: zeroing them took a tenth of the time of ingest from Kafka, and the unused rest of them was a quarter
/// of its memory. When freed memory goes back to the system is the command's to say.
fn of_the_allocator(cli: &commands::Cli) -> [(&'static str, String); 2] {
    let keeps = cli.keeps_freed_memory().as_millis().to_string();
    [("MIMALLOC_ALLOW_THP", "0".to_owned()), ("MIMALLOC_PURGE_DELAY", keeps)]
}

/// Starts the same process again with these settings, unless the variables say what is wanted.
fn with_settings_of_the_allocator(cli: &commands::Cli) {
    let settings = of_the_allocator(cli);
    let missing: Vec<_> = settings.iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if missing.is_empty() {
        return;
    }
    let mut arguments = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), arguments.next()) {
        // Returns only when it failed: then this process goes on as it is.
        let missing = missing.into_iter().map(|(name, value)| (*name, value));
        let error = Command::new(program).arg0(name).args(arguments).envs(missing).exec();
        eprintln!("bellwether: goes on without its settings of the allocator: {error}");
    }
}

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    with_settings_of_the_allocator(&cli);
    // Fail points are off unless the variable FAILPOINTS names some: the crash tests do.
    let _fail_points = fail::FailScenario::setup();
    logging::start(cli.common.log_format, cli.common.quiet);
    exit::report(commands::run(cli))
}
