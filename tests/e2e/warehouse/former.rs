//! Warehouses that former binaries wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use bellwether_warehouse::{Location, TableId, Warehouse};

use crate::support::app::Bellwether;
use crate::support::http::runtime;
use crate::support::{python, repository, scratch, store};

/// The warehouse of a fixture, unpacked into a folder of its own.
fn unpacked(fixture: &str, into: &Path) -> PathBuf {
    let folder = into.join("former");
    std::fs::create_dir(&folder).expect("create a folder");
    let archive = repository("tests/e2e/data").join(fixture);
    let unpacked = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder).status();
    assert!(unpacked.expect("start tar").success(), "cannot unpack {}", archive.display());
    folder
}

const EVENT: &str = r#"{"request_id": "after-the-upgrade", "started_at": "2026-11-21T09:00:00Z", "attempts": [{"model": "openai/gpt-5", "provider": "openai", "http_status": 200, "finish_reason": "stop", "input_tokens": 120, "output_tokens": 20, "duration_ms": 900}]}"#;

/// Totals as DuckDB told them of the fixture when it was made.
const ROWS: i64 = 85;
const INPUT_TOKENS: i64 = 3_787_752;

#[test]
fn warehouse_with_a_checkpoint_of_the_delta_crate_is_read_written_and_checkpointed() {
    let scratch = scratch();
    let warehouse = unpacked("layout-1.tar.gz", scratch.path());
    let totals = || {
        let sql = "SELECT count(*) AS rows, count(DISTINCT event_id) AS events, sum(input_tokens) AS input, \
                   sum(output_tokens) AS output, CAST(sum(cost_usd) AS VARCHAR) AS cost FROM attempts";
        store::rows(&warehouse, sql).remove(0)
    };
    let folded = || store::number(&warehouse, "SELECT sum(input_tokens) FROM usage_daily");
    let before = serde_json::json!(
        {"rows": ROWS, "events": ROWS, "input": INPUT_TOKENS, "output": 41_836, "cost": "0.675820488"}
    );
    assert_eq!(totals(), before);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 3);
    assert_eq!(folded(), INPUT_TOKENS);

    let file = scratch.path().join("event.ndjson");
    std::fs::write(&file, EVENT).expect("write an event");
    let run = |args: &[&str]| {
        let ended = Bellwether::new(scratch.path(), args).arg("--warehouse").arg(&warehouse).run();
        assert_eq!(ended.code(), 0, "{args:?}: {}", ended.stderr);
    };
    run(&["import", "event.ndjson"]);
    run(&["jobs", "run"]);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), ROWS + 1);
    assert_eq!(folded(), INPUT_TOKENS + 120);
    // Columns that were added since are null in what stood before.
    for (table, stood) in [("attempts", ROWS), ("rejects", 3)] {
        let sql = format!("SELECT count(*) FROM {table} WHERE src_index IS NULL");
        assert_eq!(store::number(&warehouse, &sql), stood, "{table}");
    }
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts WHERE src_index = 0"), 1);

    let location = Location::parse(warehouse.to_str().expect("a text path")).expect("a location");
    let version = runtime().block_on(async {
        let table = Warehouse::open(&location).await.expect("open").table(TableId::Attempts).await;
        let table = table.expect("open attempts");
        table.checkpoint().await.expect("write a checkpoint from the Delta crate's");
        table.snapshot().version()
    });
    std::fs::remove_file(warehouse.join(format!("attempts/_delta_log/{version:020}.json"))).expect("clean");
    let read = python::run("checkpoint.py", &[warehouse.to_str().expect("a text path")]);
    assert_eq!(read["deltalake"]["rows"].as_i64(), Some(ROWS + 1));
    assert_eq!(read["deltalake"]["version"].as_i64(), Some(version));
    assert_eq!((read["polars"].as_i64(), read["duckdb"].as_i64()), (Some(ROWS + 1), Some(ROWS + 1)));
    assert_eq!(totals()["rows"].as_i64(), Some(ROWS + 1));
}
