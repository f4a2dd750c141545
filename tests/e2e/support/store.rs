//! Reading a warehouse in this process, by the crate that owns it.

use std::path::Path;

use arrow::array::RecordBatch;
use bellwether_warehouse::{Location, Snapshot, Table, TableId, Warehouse, snapshot};
use serde_json::Value;

use super::http::runtime;

fn open(folder: &Path) -> Option<Warehouse> {
    let location =
        Location::parse(folder.to_str().expect("folders are text")).expect("a folder is a location");
    runtime().block_on(Warehouse::open(&location)).ok()
}

/// The newest state of one table; None while the warehouse does not exist.
pub fn snapshot(folder: &Path, table: TableId) -> Option<Snapshot> {
    let warehouse = open(folder)?;
    runtime().block_on(warehouse.table(table)).ok().map(|t| t.snapshot().clone())
}

/// Sum of the positions of all streams that are ingested continuously.
pub fn sum_of_positions(snapshot: &Snapshot) -> i64 {
    let txns = snapshot.txns("ingest/");
    // Beside each position stands the newest record time below it.
    txns.iter().filter(|(app, _)| !app.0.ends_with("/time")).map(|(_, next)| next).sum()
}

/// Sum of the ingest positions: how many records of all streams are in `attempts`.
pub fn position(folder: &Path) -> i64 {
    snapshot(folder, TableId::Attempts).as_ref().map_or(0, sum_of_positions)
}

/// Follows the position, reading only what is new: quick enough to see single commits.
#[derive(Debug)]
pub struct Position(Table);

impl Position {
    /// None while the warehouse does not exist.
    pub fn follow(folder: &Path) -> Option<Self> {
        let warehouse = open(folder)?;
        runtime().block_on(warehouse.table(TableId::Attempts)).ok().map(Self)
    }

    pub fn now(&mut self) -> i64 {
        runtime().block_on(self.0.refresh()).expect("read the log of attempts");
        sum_of_positions(self.0.snapshot())
    }
}

#[track_caller]
pub fn batches(folder: &Path, sql: &str) -> Vec<RecordBatch> {
    // A warehouse that a former binary wrote lacks the tables that came since; published ones come with the first
    // publication.
    let ids = TableId::ALL.into_iter().chain(bellwether_metrics::tables());
    let snapshots: Vec<Snapshot> = ids.filter_map(|id| snapshot(folder, id)).collect();
    assert!(!snapshots.is_empty(), "no tables in {}", folder.display());
    runtime()
        .block_on(async {
            let ctx = snapshots[0].session(2);
            snapshot::register(&ctx, &snapshots)?;
            ctx.sql(sql).await?.collect().await
        })
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Rows as JSON objects, nulls explicit, bytes as hexadecimal text.
#[track_caller]
pub fn rows(folder: &Path, sql: &str) -> Vec<Value> {
    let mut out = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::JsonArray>(&mut out);
    for batch in batches(folder, sql) {
        writer.write(&batch).expect("write rows as JSON");
    }
    writer.finish().expect("finish the JSON");
    drop(writer);
    if out.is_empty() {
        return Vec::new();
    }
    serde_json::from_slice(&out).expect("rows are JSON")
}

/// The only value of the only row.
#[track_caller]
pub fn number(folder: &Path, sql: &str) -> i64 {
    let rows = rows(folder, sql);
    let first = rows.first().and_then(Value::as_object).and_then(|row| row.values().next());
    first.and_then(Value::as_i64).unwrap_or_else(|| panic!("{sql} gave {rows:?}"))
}

/// Rows of `attempts` by its log alone; 0 while there is none.
pub fn rows_of_attempts(folder: &Path) -> i64 {
    let table = snapshot(folder, TableId::Attempts);
    table.map_or(0, |table| table.files().iter().map(|file| file.rows).sum())
}

/// When the newest record came, in seconds, of which the tables keep milliseconds beside their positions.
#[track_caller]
pub fn newest_record(folder: &Path) -> f64 {
    let micros = number(folder, "SELECT CAST(max(ingested_at) AS BIGINT) FROM attempts");
    micros.div_euclid(1000) as f64 / 1000.0
}

/// Every regular file below `folder`, sorted.
pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).expect("read a folder") {
            let entry = entry.expect("read a folder entry");
            if entry.file_type().expect("type of a folder entry").is_dir() {
                open.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
