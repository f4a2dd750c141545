//! `bellwether completions`: what a shell needs to complete our commands and flags.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// Prints the script with which a shell completes commands and flags
///
/// Packages put it where the shell finds it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  source <(bellwether completions bash)\n  bellwether completions zsh > /usr/local/share/zsh/site-functions/_bellwether\n  bellwether completions fish > ~/.config/fish/completions/bellwether.fish"
)]
pub struct Args {
    /// Shell that is to complete
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    // Into memory first: the generator panics when the reader closes the pipe (`| head`).
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bellwether", &mut script);
    match std::io::stdout().write_all(&script) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
