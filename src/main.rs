//! `bellwether`: one binary; every role alone or together.

mod commands;
mod config;
mod exit;
mod logging;
mod roles;
mod shutdown;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Fail points are off unless the variable FAILPOINTS names some: the crash tests do.
    let _fail_points = fail::FailScenario::setup();
    let cli = commands::Cli::parse();
    logging::start(cli.common.log_format, cli.common.quiet);
    exit::report(commands::run(cli))
}
