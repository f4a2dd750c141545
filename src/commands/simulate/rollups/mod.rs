//! `bellwether simulate --rollups`: rollups of a market of published size, written straight. Nobody could make every
//! attempt of such a market, but pages, jobs and other readers can be measured against what its rollups hold.
//!
//! The warehouse says so itself: a transaction of `attempts` (see `straight`) and the note of every commit.

mod catalogue;
mod day;
mod extent;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use bellwether_simulate::{Market, Size};
use bellwether_warehouse::tables::rollup::Rollup;
use bellwether_warehouse::{Advance, Change, DataFile, Table, TableId, Warehouse};
use chrono::{NaiveDate, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::{Common, Config};
use crate::exit::usage;
use crate::{roles, straight};
use extent::Extent;

/// Every table that jobs make.
fn rollups() -> impl Iterator<Item = Rollup> {
    TableId::ALL.into_iter().filter_map(TableId::rollup)
}

/// The market knows neither the apps nor the countries of its requests, nor who made which, nor speed by the length of a prompt:
/// tables that tell rows apart by those stay empty.
fn is_made(rollup: &Rollup) -> bool {
    let keys = rollup.family.keys.iter();
    keys.clone().all(|key| !matches!(key.name, "app_id" | "country" | "user_key" | "context_bucket"))
}

/// What is asked for on the command line.
pub struct Order {
    pub size: Size,
    pub seed: u64,
    pub end: Option<NaiveDate>,
    pub days: u64,
    /// Every Nth endpoint only.
    pub thin: NonZeroUsize,
    pub catalogue: Option<PathBuf>,
}

pub async fn run(order: Order, common: &Common, config: Config) -> anyhow::Result<()> {
    if order.days == 0 {
        return Err(usage("--days must be at least 1"));
    }
    let location = config.location()?;
    let names = match order.size {
        Size::S1 => None,
        Size::S10 => {
            Some(order.catalogue.or_else(|| location.local_sibling("catalogue.toml")).ok_or_else(|| {
                usage(format!(
                    "--catalogue must name a file for the invented names, as `{location}` is no folder"
                ))
            })?)
        }
    };
    let warehouse = Warehouse::open_or_create(&location).await.map_err(roles::as_usage)?;
    let end = order.end.unwrap_or_else(|| {
        let today = Utc::now().date_naive();
        today.pred_opt().unwrap_or(today)
    });
    let extent = Extent::new(order.size, end, order.days);
    let (size, seed, thin) = (order.size, order.seed, order.thin);
    let market = tokio::task::spawn_blocking(move || Market::new(size, seed, end).thinned(thin)).await?;
    let market = Arc::new(market);
    let bar = progress(extent.days, common.quiet)?;
    let written = write(&warehouse, market.clone(), extent, || bar.inc(1)).await?;
    bar.finish_and_clear();
    if let Some(file) = &names {
        catalogue::write(file, &market)?;
    }
    if !common.quiet {
        println!("{written}");
        if let Some(file) = names {
            println!(
                "Most names are invented. So that pages know them: [catalogue] file = \"{}\"",
                file.display()
            );
        }
    }
    Ok(())
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    size: Size,
    seed: u64,
    place: String,
    first: NaiveDate,
    end: NaiveDate,
    tables: Vec<(TableId, Held)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub rows: i64,
    pub files: usize,
    pub bytes: i64,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, seed, place, first, end, tables } = self;
        writeln!(f, "Rollups {size:?}, seed {seed}, {first} to {end}, in `{place}`:\n")?;
        writeln!(f, "{:<15} {:>11} {:>7} {:>14}", "table", "rows", "files", "bytes")?;
        for (table, Held { rows, files, bytes }) in tables {
            writeln!(f, "{:<15} {rows:>11} {files:>7} {bytes:>14}", table.name())?;
        }
        write!(
            f,
            "\nThey were written straight: no attempts stand behind them. Look at them and measure with them; send no \
             records there."
        )
    }
}

/// Makes the rows a date at a time, at most one slice of each table in memory per core, and commits them at the end.
async fn write(
    warehouse: &Warehouse,
    market: Arc<Market>,
    extent: Extent,
    done: impl Fn(),
) -> anyhow::Result<Written> {
    let mut tables = BTreeMap::new();
    for id in [TableId::Attempts].into_iter().chain(rollups().map(|rollup| rollup.level.table)) {
        let table = warehouse.table(id).await?;
        refuse_used(warehouse, &table)?;
        tables.insert(id, table);
    }
    let tables = Arc::new(tables);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut dates = extent.dates();
    let mut making = VecDeque::new();
    let mut files: BTreeMap<TableId, Vec<DataFile>> = BTreeMap::new();
    let mut intake = Vec::new();
    loop {
        while making.len() < cores
            && let Some(date) = dates.next()
        {
            making.push_back(tokio::spawn(day::write(tables.clone(), market.clone(), extent, date)));
        }
        let Some(day) = making.pop_front() else { break };
        let day = day.await??;
        intake.push((day.number, day.attempts));
        for (table, of_day) in day.files {
            files.entry(table).or_default().extend(of_day);
        }
        done();
    }
    let arrived = rows::intake(&intake)?;
    if let Some(table) = tables.get(&TableId::IntakeDaily) {
        files.insert(TableId::IntakeDaily, table.write(&[arrived]).await?);
    }
    let mut written = Written {
        size: market.size(),
        seed: market.seed(),
        place: warehouse.location().to_string(),
        first: extent.first(),
        end: extent.end,
        tables: Vec::new(),
    };
    commit(warehouse, files, &mut written).await?;
    Ok(written)
}

/// The mark first: from then on nobody takes the warehouse for one of records.
async fn commit(
    warehouse: &Warehouse,
    mut files: BTreeMap<TableId, Vec<DataFile>>,
    written: &mut Written,
) -> anyhow::Result<()> {
    let info = |rows: i64| {
        let note = "rollups written straight; no attempts stand behind them";
        let size = format!("{:?}", written.size);
        let members = [
            ("job", "simulate --rollups".into()),
            ("size", size.into()),
            ("seed", written.seed.into()),
            ("note", note.into()),
            ("rows", rows.into()),
        ];
        members.map(|(name, value): (&str, serde_json::Value)| (name.to_owned(), value)).into_iter().collect()
    };
    let mut attempts = warehouse.table(TableId::Attempts).await?;
    let mark = Change { advance: vec![straight::mark(written.seed)], info: info(0), ..Change::default() };
    let version = attempts.commit(mark).await?.version;
    let mut held = Vec::new();
    for rollup in rollups() {
        let id = rollup.level.table;
        let mut table = warehouse.table(id).await?;
        let add = files.remove(&id).unwrap_or_default();
        let of_table = Held {
            rows: add.iter().map(|file| file.rows).sum(),
            files: add.len(),
            bytes: add.iter().map(|file| file.size_bytes).sum(),
        };
        // As a fold and a recomputation of the empty table would leave it: up to date.
        let advance =
            vec![Advance { app: rollup.app(), from: None, to: version }, straight::mark(written.seed)];
        let change = Change { advance, add, info: info(of_table.rows), ..Change::default() };
        table.commit(change).await.with_context(|| format!("commit the rows of `{}`", id.name()))?;
        held.push((id, of_table));
    }
    written.tables = held;
    Ok(())
}

/// Made-up rows must never stand beside those of records.
fn refuse_used(warehouse: &Warehouse, table: &Table) -> anyhow::Result<()> {
    let snapshot = table.snapshot();
    let rows: i64 = snapshot.files().iter().map(|file| file.rows).sum();
    let (place, name) = (warehouse.location(), table.id().name());
    let found = match snapshot.txns("").first() {
        _ if rows > 0 => format!("{rows} rows"),
        Some((app, _)) => format!("the mark of `{app}`"),
        None => return Ok(()),
    };
    Err(usage(format!(
        "`{place}` is in use, its `{name}` has {found}; --rollups writes into a new warehouse only: name another one \
         with --warehouse"
    )))
}

fn progress(days: u64, quiet: bool) -> anyhow::Result<ProgressBar> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(days) };
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} days, {eta} left")?;
    Ok(bar.with_style(style).with_message("writing rollups"))
}
