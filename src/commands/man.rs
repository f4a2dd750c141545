//! `bellwether man`: the manual as pages, for packages. Readers have `--help` and `man bellwether`.

use std::path::PathBuf;

use clap::CommandFactory;

use super::Cli;
use crate::exit::usage;

/// Writes a manual page for each command into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bellwether man /usr/local/share/man/man1")]
pub struct Args {
    /// Folder of the pages, made when it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| usage(format!("cannot write manual pages into `{}`: {error}", folder.display())))
}
