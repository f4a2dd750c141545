//! `bellwether keys`: the secrets behind the keys of users.

use bellwether_ingest::identity::{Rotation, fingerprint};
use bellwether_warehouse::Warehouse;
use chrono::Utc;
use clap::Subcommand;

use crate::config::Config;
use crate::exit::{chain, usage};
use crate::roles;

/// Changes the secrets of the keyed hashes on purpose
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bellwether keys rotate --dry-run --config bellwether.toml")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a new pepper and tells the warehouse; the old one is kept beside it under a dated name
    ///
    /// Users, API keys and organisations before and after are different keys: nobody can be followed over the
    /// rotation, and distinct users of a window that spans it count twice. Files of before that are imported after
    /// it get new keys too. Stop every process that ingests into the warehouse first, on every host, and copy the
    /// new file to the other hosts before they start again. A rotation that was cut off is finished by another one.
    #[command(
        after_help = "Examples:\n  bellwether keys rotate --dry-run --config bellwether.toml\n  bellwether keys rotate --config bellwether.toml"
    )]
    Rotate {
        /// Says what would be done and changes nothing
        #[arg(long)]
        dry_run: bool,
        /// No host has the pepper of the warehouse any more
        #[arg(long)]
        lost: bool,
    },
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let Action::Rotate { dry_run, lost } = args.action;
    let warehouse = Warehouse::open(&config.location()?).await.map_err(roles::as_usage)?;
    rotate(&config, &warehouse, dry_run, lost).await
}

async fn rotate(config: &Config, warehouse: &Warehouse, dry_run: bool, lost: bool) -> anyhow::Result<()> {
    let keys = config.keys_path()?;
    let refused = |error| roles::keys_error(&keys, &error);
    let Some(standing) = warehouse.pepper_check().await.map_err(roles::as_usage)? else {
        return Err(usage("the warehouse holds no keys yet; the first start makes a pepper"));
    };
    let rotation = Rotation::begin(&keys).map_err(refused)?;
    // Then only the last step is missing.
    let is_left = rotation.left() == Some(&standing);
    let is_own = rotation.own() == Some(&standing);
    let pepper = rotation.pepper().display().to_string();
    if is_own && lost {
        return Err(usage(format!("`{pepper}` is the pepper of the warehouse, so it is not lost")));
    }
    if !(is_left || is_own || lost) {
        let why = chain(refused(rotation.refusal(&standing)).as_ref());
        return Err(usage(format!("{why}; if no host has it any more, `--lost` begins with another one")));
    }
    let now = Utc::now();
    if dry_run {
        let old = fingerprint(&standing);
        match is_left {
            true => {
                println!("would finish the rotation that was cut off: the warehouse expects {old} already")
            }
            false => println!("would put another pepper than {old} into `{pepper}` and tell the warehouse"),
        }
        if let Some(kept) = rotation.kept(now) {
            println!("would keep the old one as `{}`", kept.display());
        }
        println!("{MEANING}");
        return Ok(());
    }
    let new = rotation.prepare().map_err(refused)?;
    if !is_left {
        let stands = warehouse.replace_pepper(&standing, &new).await.map_err(roles::as_usage)?;
        if stands.as_deref() != Some(&new) {
            rotation.discard().map_err(refused)?;
            anyhow::bail!("another host rotated the pepper meanwhile; copy its file from there");
        }
    }
    let kept = rotation.finish(now).map_err(refused)?;
    println!("`{pepper}` is a new pepper with the fingerprint {}", fingerprint(&new));
    if let Some(kept) = kept {
        println!(
            "the old one is kept as `{}`; it can be deleted when nobody has to look back",
            kept.display()
        );
    }
    println!("{MEANING}");
    println!("copy `{pepper}` to every other host that ingests into this warehouse, then start them all");
    Ok(())
}

const MEANING: &str = "users, API keys and organisations before and after are different keys; distinct users of a window that \
                       spans the rotation count twice";
