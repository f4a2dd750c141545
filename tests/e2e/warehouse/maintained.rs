//! A table that was compacted, cleaned up and vacuumed, as other engines read it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{NOON_US, attempt, batch};
use bellwether_warehouse::{Advance, AppId, Change, Location, Table, TableId, Warehouse};
use serde_json::{Value, json};

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::http::runtime;
use crate::support::{python, scratch, store};

const COMMITS: i64 = 40;
const ROWS_A_COMMIT: i64 = 3;
/// Longer than `maintain.history`.
const PASSES: Duration = Duration::from_secs(26 * 3600);

fn app() -> AppId {
    AppId("ingest/test/events/0/0".to_owned())
}

/// Rows of the first of January 2026, so that their date has closed.
async fn commit(table: &mut Table, at: i64) {
    let offsets = at * ROWS_A_COMMIT..(at + 1) * ROWS_A_COMMIT;
    let ids: Vec<String> = offsets.clone().map(|offset| format!("event-{offset}")).collect();
    let started_at = NOON_US - 328 * 24 * 3_600_000_000;
    let rows: Vec<_> = ids
        .iter()
        .zip(offsets.clone())
        .map(|(id, src_offset)| AttemptRow { started_at, src_offset, ..attempt(id) })
        .collect();
    let add = table.write(&[batch(&rows)]).await.expect("write rows");
    let advance = vec![Advance { app: app(), from: table.snapshot().txn(&app()), to: offsets.end }];
    table.commit(Change { advance, add, ..Change::default() }).await.expect("commit rows");
}

/// Lets time pass for every file of a table.
fn age(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            age(&path);
            continue;
        }
        let file = std::fs::File::options().append(true).open(&path).expect("open a file");
        let modified = file.metadata().and_then(|metadata| metadata.modified()).expect("a file's age");
        file.set_modified(modified.min(SystemTime::now()) - PASSES).expect("age a file");
    }
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|found| found == kind) {
            files.push(path);
        }
    }
    files
}

fn maintain(folder: &Path, config: &str, more: &[&str]) -> Vec<Value> {
    let mut args = vec!["maintain", "--format", "json", "--config", config];
    args.extend(more);
    let told = Bellwether::new(folder, &args).run().ok().stdout;
    let report: Value = serde_json::from_str(&told).expect("a report in JSON");
    let tables = report["tables"].as_array().expect("tables");
    let attempts = tables.iter().find(|table| table["table"] == "attempts").expect("attempts");
    attempts["steps"].as_array().expect("steps").iter().map(|step| step[0].clone()).collect()
}

#[test]
fn maintained_table_is_read_alike_by_deltalake_polars_and_duckdb() {
    let scratch = scratch();
    let config = Config::new(scratch.path()).set("maintain.checkpoint_after_commits", 10);
    let file = config.write();
    let location = Location::parse(config.warehouse().to_str().expect("a text path")).expect("a location");
    runtime().block_on(async {
        let warehouse = Warehouse::open_or_create(&location).await.expect("create a warehouse");
        let mut table = warehouse.table(TableId::Attempts).await.expect("open attempts");
        for at in 0..COMMITS {
            commit(&mut table, at).await;
        }
    });
    Bellwether::new(scratch.path(), &["jobs", "run", "--config", &file]).run().ok();
    let folder = config.warehouse().join("attempts");
    let (log, day) = (folder.join("_delta_log"), folder.join("event_date=2026-01-01"));

    assert_eq!(maintain(scratch.path(), &file, &["--dry-run"]), ["compact", "checkpoint"]);
    assert_eq!(files(&day, "parquet").len(), 40);
    assert_eq!(maintain(scratch.path(), &file, &[]), ["compact", "checkpoint"]);
    assert_eq!(files(&day, "parquet").len(), 41);
    Bellwether::new(scratch.path(), &["jobs", "run", "--config", &file]).run().ok();
    age(&folder);
    assert_eq!(maintain(scratch.path(), &file, &[]), ["clean", "vacuum"]);
    assert_eq!(files(&day, "parquet").len(), 1);
    assert_eq!(files(&log, "json").len(), 1, "the entry that the checkpoint is of");
    assert!(maintain(scratch.path(), &file, &[]).is_empty());

    let args =
        [scratch.path().join("warehouse"), "ingest/test/events/0/0".into(), "compact/2026-01-01".into()];
    let args: Vec<&str> = args.iter().map(|arg| arg.to_str().expect("text")).collect();
    let rows = COMMITS * ROWS_A_COMMIT;
    let reader = json!({"rows": rows, "version": 41, "files": 1});
    let txns = json!({"ingest/test/events/0/0": rows, "compact/2026-01-01": 1});
    let expected = json!({"deltalake": reader, "polars": rows, "duckdb": rows, "txns": txns});
    assert_eq!(python::run("checkpoint.py", &args), expected);
    let sql = "SELECT count(DISTINCT event_id) FROM attempts";
    assert_eq!(store::number(&config.warehouse(), sql), rows);
    assert_eq!(store::number(&config.warehouse(), "SELECT sum(requests) FROM usage_daily"), rows);
}
