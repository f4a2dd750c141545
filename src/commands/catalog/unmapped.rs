//! Names without a model of the catalogue.

use std::fmt;

use anyhow::Context;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use bellwether_ingest::catalogue::Catalogue;
use bellwether_warehouse::{Attempts, Warehouse};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::config::Config;
use crate::roles;

const STATEMENT: &str = include_str!("unmapped.sql");

#[derive(Debug, serde::Serialize)]
struct Name {
    name: String,
    attempts: i64,
    tokens: i128,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
}

pub async fn print(config: &Config, catalogue: &Catalogue, limit: usize, json: bool) -> anyhow::Result<()> {
    let warehouse = Warehouse::open(&config.location()?).await.map_err(roles::as_usage)?;
    let pinned = warehouse.pin(Attempts::Newest).await?;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let ctx = pinned.session(&warehouse, threads)?;
    let batches = ctx.sql(STATEMENT).await.context("read names")?.collect().await.context("read names")?;
    let mut all = Vec::new();
    for batch in &batches {
        all.extend(names(batch, catalogue).context("an answer without the statement's columns")?);
    }
    let left_out = all.len().saturating_sub(limit);
    all.truncate(limit);
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    print!("{}", Table(&all));
    if left_out > 0 {
        println!("and {left_out} more; --limit says how many are listed");
    }
    Ok(())
}

/// Those of an answer that lead to no model: the catalogue of their time did not know them, and what it made of them is
/// not listed now. None: the answer has other columns.
fn names(batch: &RecordBatch, catalogue: &Catalogue) -> Option<Vec<Name>> {
    let column = |name: &str| batch.column_by_name(name);
    let text = arrow::compute::cast(column("name")?, &arrow::datatypes::DataType::Utf8).ok()?;
    let text = text.as_string_opt::<i32>()?;
    let was_known = column("was_known")?.as_boolean_opt()?;
    let attempts = column("attempts")?.as_primitive_opt::<Int64Type>()?;
    let tokens = column("tokens")?.as_primitive_opt::<Decimal128Type>()?;
    let instant = |name: &str| {
        let column = column(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        Some(move |row: usize| DateTime::from_timestamp_micros(column.value(row)).unwrap_or_default())
    };
    let (first_seen, last_seen) = (instant("first_seen")?, instant("last_seen")?);
    let is_unmapped =
        |row: &usize| !was_known.value(*row) || catalogue.model_name(text.value(*row)).is_none();
    let name = |row: usize| Name {
        name: text.value(row).to_owned(),
        attempts: attempts.value(row),
        tokens: tokens.value(row),
        first_seen: first_seen(row),
        last_seen: last_seen(row),
    };
    Some((0..batch.num_rows()).filter(is_unmapped).map(name).collect())
}

struct Table<'a>(&'a [Name]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "every name leads to a model of the catalogue");
        }
        let day = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        writeln!(f, "{:>12} {:>18}  {:20} {:20} name", "attempts", "tokens", "first seen", "last seen")?;
        for name in self.0 {
            let (first, last) = (day(name.first_seen), day(name.last_seen));
            writeln!(f, "{:>12} {:>18}  {first:20} {last:20} {}", name.attempts, name.tokens, name.name)?;
        }
        Ok(())
    }
}
