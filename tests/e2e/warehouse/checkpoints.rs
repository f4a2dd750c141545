//! A checkpoint that other engines must begin with, because the entries before it are gone.

use std::path::Path;

use bellwether_warehouse::testing::{attempt, batch};
use bellwether_warehouse::{Advance, AppId, Change, DataFile, Location, Table, TableId, Warehouse};
use serde_json::json;

use crate::support::http::runtime;
use crate::support::{python, scratch};

const FILES: usize = 10_500;
const FILES_A_COMMIT: usize = 1_500;
const ROWS_A_FILE: i64 = 3;
const REMOVED: usize = 7;

fn app(stream: i64) -> AppId {
    AppId(format!("ingest/test/events/0/{stream}"))
}

/// Names of one file: readers open each name, and what it takes on disk is one.
fn linked(folder: &Path, file: &DataFile, index: usize) -> DataFile {
    let path = file.path.replace(".parquet", &format!("-{index}.parquet"));
    std::fs::hard_link(folder.join(&file.path), folder.join(&path)).expect("link a file");
    let streams = Some(format!(r#"[["ingest/c/t/0/0",{index},{index}]]"#));
    DataFile { path, streams, ..file.clone() }
}

async fn write(table: &Table) -> DataFile {
    let ids: Vec<String> = (0..ROWS_A_FILE).map(|row| format!("event-{row}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| attempt(id)).collect();
    table.write(&[batch(&rows)]).await.expect("write a file").remove(0)
}

/// Removes every entry below `version`, as log clean-up does.
fn clean(folder: &Path, version: i64) {
    for entry in 0..version {
        let name = folder.join(format!("_delta_log/{entry:020}.json"));
        if name.exists() {
            std::fs::remove_file(name).expect("remove an entry");
        }
    }
}

fn judged(warehouse: &Path) -> serde_json::Value {
    let args = [warehouse.to_str().expect("a text path"), "ingest/test/events/0/0", "ingest/test/events/0/6"];
    python::run("checkpoint.py", &args)
}

#[test]
fn checkpoint_of_many_files_is_read_alike_by_deltalake_polars_and_duckdb_after_log_clean_up() {
    let scratch = scratch();
    let location = Location::parse(scratch.path().to_str().expect("a text path")).expect("a location");
    let folder = scratch.path().join("attempts");
    let mut table = runtime().block_on(async {
        let warehouse = Warehouse::open_or_create(&location).await.expect("create a warehouse");
        warehouse.table(TableId::Attempts).await.expect("open attempts")
    });

    let file = runtime().block_on(write(&table));
    let files: Vec<_> = (0..FILES).map(|index| linked(&folder, &file, index)).collect();
    for (stream, add) in (0..).zip(files.chunks(FILES_A_COMMIT)) {
        let advance = vec![Advance { app: app(stream), from: None, to: 100 + stream }];
        let change = Change { advance, add: add.to_vec(), ..Change::default() };
        runtime().block_on(table.commit(change)).expect("commit files");
    }
    let gone: Vec<String> = files.iter().step_by(1_000).take(REMOVED).map(|file| file.path.clone()).collect();
    let change = Change { remove: gone.clone(), ..Change::default() };
    let version = runtime().block_on(table.commit(change)).expect("commit removals").version;
    runtime().block_on(table.checkpoint()).expect("write a checkpoint");
    clean(&folder, version + 1);
    // A reader that still believed in a removed file would fail on it.
    gone.iter().for_each(|path| std::fs::remove_file(folder.join(path)).expect("remove a file"));

    let mut active = FILES - REMOVED;
    let expect = |version: i64, active: usize, first_stream: i64| {
        let rows = i64::try_from(active).expect("few files") * ROWS_A_FILE;
        let reader = json!({"rows": rows, "version": version, "files": active});
        let txns = json!({"ingest/test/events/0/0": first_stream, "ingest/test/events/0/6": 106});
        json!({"deltalake": reader, "polars": rows, "duckdb": rows, "txns": txns})
    };
    assert_eq!(judged(scratch.path()), expect(version, active, 100));

    // The next one is made from this one and a commit that adds, removes and moves a position.
    let add = vec![linked(&folder, &file, FILES)];
    let advance = vec![Advance { app: app(0), from: Some(100), to: 2_000 }];
    let remove = vec![files[1].path.clone(), files[2].path.clone()];
    let change = Change { advance, add, remove, ..Change::default() };
    let version = runtime().block_on(table.commit(change)).expect("commit").version;
    active -= 1;
    assert_eq!(judged(scratch.path()), expect(version, active, 2_000), "a checkpoint and an entry after it");
    runtime().block_on(table.checkpoint()).expect("write a checkpoint");
    clean(&folder, version + 1);
    assert_eq!(judged(scratch.path()), expect(version, active, 2_000), "a checkpoint made from a checkpoint");
}
