//! The command line: one thin file per command.

mod catalog;
mod check;
mod completions;
mod demo;
mod import;
mod ingest;
mod jobs;
mod keys;
mod maintain;
mod man;
mod serve;
mod simulate;
mod sql;

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::{Common, Config};

/// How long a thread for files stays without work. The allocator gives back what a thread has freed only when that thread
/// frees again or ends, so some dozens that wake every few seconds would hold more and more.
const IDLE_THREAD: Duration = Duration::from_secs(1);
/// Threads for files and long computations, at least; of many processors, as many for each. Those that wait for another such thread
/// (a fold, an import, a look for news) are never more than one a processor. More: without an end some ninety took part in a fold,
/// and what one encodes another frees, so a year needed 1.1 GiB instead of 0.7.
const BLOCKING_THREADS: usize = 12;
const BLOCKING_THREADS_EACH: usize = 4;

/// Public rankings, provider health and SQL from the request logs of an LLM router.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "Examples:\n  bellwether demo\n  bellwether import logs.ndjson.gz --warehouse ./bellwether-data\n  bellwether serve --config config/bellwether.toml\n\nExit codes: 0 done, 1 failed, 2 bad usage or configuration."
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    command: Command,
}

// A doc comment here, or on the enum below, would replace what `--help` says about the program.
#[expect(clippy::large_enum_variant, reason = "one is made in the life of a process")]
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Configured(Configured),
    Completions(completions::Args),
    #[command(hide = true)]
    Man(man::Args),
}

// Commands that need the configuration and a runtime.
#[derive(Debug, Subcommand)]
enum Configured {
    Demo(demo::Args),
    Serve(serve::Args),
    Import(import::Args),
    Simulate(simulate::Args),
    Ingest(ingest::Args),
    Jobs(jobs::Args),
    Maintain(maintain::Args),
    Sql(sql::Args),
    Keys(keys::Args),
    Catalog(catalog::Args),
    Check(check::Args),
}

impl Cli {
    /// How long what the allocator has freed stays with the process. What goes back comes again page by page: a fold of a year
    /// took a tenth less time and 220 MiB more with 250 ms than with 10, and the demo had a year on its pages after 121 s with a
    /// second instead of 151 with 10 ms. A service holds less: with a lag its peak fell from 630 to 510 MiB with 10 ms, at the
    /// same speed (`benches/memory`).
    pub fn keeps_freed_memory(&self) -> Duration {
        Duration::from_millis(match self.command {
            Command::Configured(Configured::Demo(_)) => 1_000,
            Command::Configured(Configured::Jobs(_)) => 250,
            _ => 10,
        })
    }
}

pub fn run(cli: Cli) -> anyhow::Result<()> {
    let Cli { common, command } = cli;
    let command = match command {
        Command::Configured(command) => command,
        // What comes from the command line alone works where the configuration is broken or not there yet.
        Command::Completions(args) => return completions::run(args),
        Command::Man(args) => return man::run(args),
    };
    let config = Config::load(&common)?;
    // Before anybody makes a session.
    bellwether_warehouse::session::limit_memory(config.warehouse.query_memory.len());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(IDLE_THREAD)
        .max_blocking_threads(BLOCKING_THREADS.max(processors * BLOCKING_THREADS_EACH))
        .build()?;
    let result = runtime.block_on(async {
        match command {
            Configured::Demo(args) => demo::run(args, &common, config).await,
            Configured::Serve(args) => serve::run(args, config).await,
            Configured::Import(args) => import::run(args, &common, config).await,
            Configured::Simulate(args) => simulate::run(args, &common, config).await,
            Configured::Ingest(args) => ingest::run(args, config).await,
            Configured::Jobs(args) => jobs::run(args, config).await,
            Configured::Maintain(args) => maintain::run(args, config).await,
            Configured::Sql(args) => sql::run(args, config).await,
            Configured::Keys(args) => keys::run(args, config).await,
            Configured::Catalog(args) => catalog::run(args, config).await,
            Configured::Check(args) => check::run(args, config).await,
        }
    });
    // A blocking task (a broker that does not answer, say) must not keep an ended command alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    result
}

/// How a command prints a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    #[default]
    Table,
    Csv,
    Json,
}
