//! A list of somebody else's into the operator's own catalogue file.

use std::path::PathBuf;

use bellwether_ingest::catalogue::foreign;
use bellwether_ingest::catalogue::{Entry, Standing};
use chrono::{NaiveDate, Utc};

use super::own::Own;
use crate::config::Config;
use crate::exit::{chain, usage};

/// The largest public list has a few million bytes.
const MAX_BYTES: u64 = 64 << 20;
/// Of each kind, so that what matters is seen.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether catalog import model_prices_and_context_window.json --dry-run --config bellwether.toml\n  bellwether catalog import aliases.csv --config bellwether.toml"
)]
pub struct Args {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Says what would be done and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// First day of prices in a list that has no days; today if left out
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Lists everything, and not only the first of each kind
    #[arg(long)]
    all: bool,
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let mut own = Own::open(config)?;
    let file = args.file.display();
    let unreadable = |error: std::io::Error| usage(format!("cannot read `{file}`: {error}"));
    if std::fs::metadata(&args.file).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(usage(format!("`{file}` has more than {MAX_BYTES} bytes, so it is no list of models")));
    }
    let text = std::fs::read_to_string(&args.file).map_err(unreadable)?;
    let since = args.from.unwrap_or_else(|| Utc::now().date_naive());
    let listed = foreign::read(&text, &own.whole()?, since)
        .map_err(|error| usage(format!("`{file}`: {}", chain(&error))))?;
    println!("`{file}` is {}", listed.form);
    let (mut new, mut told, mut contradictions, mut known) = (Vec::new(), Vec::new(), Vec::new(), 0_usize);
    for entry in listed.entries.into_iter().map(Entry::blanked) {
        let says = |place: String, key: String, has: String| {
            format!("{key}: {place} says {has}; `{file}` says {}", entry.told())
        };
        match own.standing(&entry) {
            Standing::Known => known = known.saturating_add(1),
            Standing::Own { key, has } => {
                contradictions.push(says(format!("`{}`", own.path().display()), key, has));
            }
            Standing::Shipped { key, has } => {
                contradictions.push(says("the shipped catalogue".to_owned(), key, has));
            }
            Standing::New => {
                told.push(format!("{}: {}", entry.list(), entry.told()));
                new.push(entry);
            }
        }
    }
    let shown = if args.all { usize::MAX } else { SHOWN };
    let verb = if args.dry_run { "would add" } else { "adds" };
    print(&format!("{verb} {}", told.len()), &told, shown);
    println!("knows {known} already");
    print(&format!("leaves out {} that contradict", contradictions.len()), &contradictions, shown);
    print(
        &format!("leaves out {} names without a listed model or provider", listed.unlisted.len()),
        &listed.unlisted,
        shown,
    );
    print(
        &format!(
            "leaves out {} that charge for each request or search beside tokens",
            listed.charged_apart.len()
        ),
        &listed.charged_apart,
        shown,
    );
    write(&mut own, &new, args.dry_run)
}

fn write(own: &mut Own, new: &[Entry], is_dry: bool) -> anyhow::Result<()> {
    let path = own.path().display().to_string();
    if new.is_empty() {
        println!("`{path}` is left as it is");
        return Ok(());
    }
    own.add(new)?;
    if is_dry {
        println!("`{path}` is left as it is; without --dry-run it would be written");
        return Ok(());
    }
    own.save()?;
    println!("wrote `{path}`");
    Ok(())
}

fn print(head: &str, lines: &[String], shown: usize) {
    println!("{head}");
    for line in lines.iter().take(shown) {
        println!("  {line}");
    }
    if let Some(more) = lines.len().checked_sub(shown).filter(|more| *more > 0) {
        println!("  and {more} more; --all lists them");
    }
}
