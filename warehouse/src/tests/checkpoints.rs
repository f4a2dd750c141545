//! Checkpoints: what is known from them, and handles that the log was cleaned away under.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{attempts, line, offsets, over};
use crate::log::Log;
use crate::store::{Root, Storage};
use crate::streams::{StreamNames, StreamSpans};
use crate::testing::append;
use crate::{Advance, AppId, Change, Table, TableId, Warehouse};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

fn app(partition: i64) -> AppId {
    AppId(format!("ingest/test/events/0/{partition}"))
}

fn log_file(root: &Path, name: &str) -> PathBuf {
    root.join("attempts/_delta_log").join(name)
}

/// As log cleanup does: entries that a checkpoint covers go.
fn clean(root: &Path, below: i64) {
    for version in 0..below {
        let _ = std::fs::remove_file(log_file(root, &format!("{version:020}.json")));
    }
}

async fn reopened(warehouse: &Warehouse) -> Table {
    let again = Warehouse::open(warehouse.location()).await.unwrap();
    again.table(TableId::Attempts).await.unwrap()
}

/// Rows of a checkpoint, each with its one action, as a Parquet reader of its own finds them.
fn rows(root: &Path, version: i64) -> Vec<Value> {
    let file = std::fs::File::open(log_file(root, &format!("{version:020}.checkpoint.parquet"))).unwrap();
    let mut lines = LineDelimitedWriter::new(Vec::new());
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        lines.write(&batch.unwrap()).unwrap();
    }
    lines.finish().unwrap();
    let text = String::from_utf8(lines.into_inner()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The actions of one kind.
fn of_kind(rows: &[Value], kind: &str) -> Vec<Value> {
    rows.iter().filter_map(|row| row.get(kind)).cloned().collect()
}

fn pointer(root: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(log_file(root, "_last_checkpoint")).unwrap()).unwrap()
}

fn log_of(warehouse: &Warehouse) -> Log {
    Log::new(storage_of(warehouse))
}

fn storage_of(warehouse: &Warehouse) -> Arc<Storage> {
    let root = Arc::new(Root::open(warehouse.location()).unwrap());
    Arc::new(Storage::new("attempts", &root))
}

/// Three partitions with ten rows each, then one file taken away: version 4.
async fn three_partitions() -> (TempDir, Warehouse, Table) {
    let (dir, warehouse, mut table) = attempts().await;
    for partition in 0..3 {
        let mut names = StreamNames::default();
        names.insert("events", 0, app(0).0);
        let rows = offsets(partition * 10, partition * 10 + 10);
        let mut staging = table.stage_of_streams(&[rows], names).await.unwrap();
        staging.store().await.unwrap();
        let add = staging.files();
        let advance = vec![Advance { app: app(partition), from: None, to: 10 + partition }];
        table.commit(Change { advance, add, ..Change::default() }).await.unwrap();
    }
    let gone = table.snapshot().files()[0].path.clone();
    table.commit(Change { remove: vec![gone], ..Change::default() }).await.unwrap();
    (dir, warehouse, table)
}

/// What files tell of the log that they hold, each ten offsets of it.
fn told(table: &Table) -> Vec<(i64, i64)> {
    let tags = table.snapshot().files().iter().filter_map(|file| file.streams.as_deref());
    let spans = tags.map(|tag| StreamSpans::parse(tag).unwrap().of(&app(0).0).unwrap());
    spans.inspect(|(first, last)| assert_eq!((first % 10, last - first), (0, 9))).collect()
}

#[tokio::test]
async fn files_and_transactions_outlive_the_entries_that_brought_them() {
    let (dir, warehouse, table) = three_partitions().await;
    let mut early = warehouse.table(TableId::Attempts).await.unwrap();
    table.checkpoint().await.unwrap();
    clean(dir.path(), 4);

    let mut later = reopened(&warehouse).await;
    assert_eq!(later.snapshot().version(), 4);
    assert_eq!(later.snapshot().files(), table.snapshot().files());
    assert_eq!(told(&later).len(), 2);
    let txns = [(app(0), 10), (app(1), 11), (app(2), 12)];
    assert_eq!(later.snapshot().txns("ingest/"), txns);
    assert_eq!(line(&over(&later), "SELECT count(*) FROM attempts").await, "20");

    // A handle from before finds its next entry missing and must not take that for the end of the log.
    let committed = append(&mut early, &offsets(100, 101)).await.unwrap();
    assert_eq!(committed.version, 5);
    assert_eq!(early.snapshot().txns("ingest/"), txns);
    assert_eq!(later.refresh().await.unwrap(), 5);
    assert_eq!(line(&over(&later), "SELECT count(*) FROM attempts").await, "21");
}

#[tokio::test]
async fn checkpoint_is_made_from_the_former_one_when_the_entries_before_it_are_gone() {
    let (dir, warehouse, mut table) = three_partitions().await;
    table.checkpoint().await.unwrap();
    clean(dir.path(), 5);
    let gone = table.snapshot().files()[0].path.clone();
    let add = table.write(&[offsets(200, 205)]).await.unwrap();
    let advance = vec![Advance { app: app(1), from: Some(11), to: 99 }];
    table.commit(Change { advance, add, remove: vec![gone.clone()], ..Change::default() }).await.unwrap();
    table.checkpoint().await.unwrap();
    clean(dir.path(), 6);
    std::fs::remove_file(log_file(dir.path(), &format!("{:020}.checkpoint.parquet", 4))).unwrap();

    let later = reopened(&warehouse).await;
    assert_eq!(later.snapshot().files(), table.snapshot().files());
    assert_eq!(told(&later).len(), 1);
    assert_eq!(later.snapshot().txns("ingest/"), [(app(0), 10), (app(1), 99), (app(2), 12)]);
    assert_eq!(line(&over(&later), "SELECT count(*) FROM attempts").await, "15");
    let rows = rows(dir.path(), 5);
    // Protocol, schema, three positions, two removed files, two active ones.
    assert_eq!(rows.len(), 9);
    assert!(of_kind(&rows, "remove").iter().any(|remove| remove["path"] == json!(gone)));
    let bytes =
        std::fs::metadata(log_file(dir.path(), &format!("{:020}.checkpoint.parquet", 5))).unwrap().len();
    let expected = json!({"version": 5, "size": 9, "sizeInBytes": bytes, "numOfAddFiles": 2});
    assert_eq!(pointer(dir.path()), expected);
}

#[tokio::test]
async fn checkpoint_forgets_what_was_removed_before_an_instant() {
    let (dir, warehouse, _table) = three_partitions().await;
    let log = log_of(&warehouse);
    let now = crate::World::default().wall_millis();
    log.write_checkpoint(4, now - DAY_MILLIS).await.unwrap();
    assert_eq!(of_kind(&rows(dir.path(), 4), "remove").len(), 1);
    std::fs::remove_file(log_file(dir.path(), "_last_checkpoint")).unwrap();
    std::fs::remove_file(log_file(dir.path(), &format!("{:020}.checkpoint.parquet", 4))).unwrap();
    log.write_checkpoint(4, now + DAY_MILLIS).await.unwrap();
    assert_eq!(of_kind(&rows(dir.path(), 4), "remove").len(), 0);
}

/// Entries as another writer makes them, with members that ours do not have.
#[tokio::test]
async fn checkpoint_keeps_each_member_that_an_entry_told() {
    let (dir, _warehouse, table) = attempts().await;
    let first = std::fs::read_to_string(log_file(dir.path(), &format!("{:020}.json", 0))).unwrap();
    let mut meta_data = first.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut meta_data = meta_data.find_map(|action| action.get("metaData").cloned()).unwrap();
    meta_data["name"] = json!("attempts of a market");
    meta_data["description"] = json!("one row a call");
    let young = crate::World::default().wall_millis() - DAY_MILLIS;
    let txn = json!({"appId": "other/1", "version": 41, "lastUpdated": 1_795_000_000_123_i64});
    let mut add = json!({
        "path": "event_date=2026-11-25/a%20b.parquet", "partitionValues": {"event_date": "2026-11-25"},
        "size": 1234, "modificationTime": 1_795_000_000_000_i64, "dataChange": true,
        "stats": "{\"numRecords\":7}", "tags": {"stream": "a", "none": null},
    });
    let mut remove = json!({
        "path": "old.parquet", "deletionTimestamp": young, "dataChange": true, "extendedFileMetadata": true,
        "partitionValues": {"event_date": null}, "size": 99,
    });
    let entry: String = [
        json!({"commitInfo": {"timestamp": 1}}),
        json!({"metaData": meta_data}),
        json!({"txn": txn}),
        json!({"remove": remove}),
        json!({"add": add}),
    ]
    .iter()
    .map(|action| format!("{action}\n"))
    .collect();
    std::fs::write(log_file(dir.path(), &format!("{:020}.json", 1)), entry).unwrap();
    let mut table = table;
    table.refresh().await.unwrap();
    table.checkpoint().await.unwrap();

    (add["dataChange"], remove["dataChange"]) = (json!(false), json!(false));
    let rows = rows(dir.path(), 1);
    assert!(rows.iter().all(|row| row.as_object().unwrap().len() == 1), "one action a row: {rows:?}");
    let without_nulls = |mut value: Value| {
        for member in ["tags", "partitionValues"] {
            if let Some(map) = value.get_mut(member).and_then(Value::as_object_mut) {
                map.retain(|_, v| !v.is_null());
            }
        }
        value
    };
    assert_eq!(of_kind(&rows, "protocol"), [json!({"minReaderVersion": 1, "minWriterVersion": 2})]);
    assert_eq!(of_kind(&rows, "metaData"), [meta_data]);
    assert_eq!(of_kind(&rows, "txn"), [txn]);
    // The text form of a row leaves out what is null.
    assert_eq!(of_kind(&rows, "remove"), [without_nulls(remove)]);
    assert_eq!(of_kind(&rows, "add"), [without_nulls(add)]);
}

#[tokio::test]
async fn checkpoint_is_found_without_its_pointer() {
    let (dir, warehouse, mut table) = attempts().await;
    append(&mut table, &offsets(0, 5)).await.unwrap();
    table.checkpoint().await.unwrap();
    append(&mut table, &offsets(5, 7)).await.unwrap();
    clean(dir.path(), 1);
    std::fs::remove_file(log_file(dir.path(), "_last_checkpoint")).unwrap();
    let later = warehouse.table(TableId::Attempts).await.unwrap();
    assert_eq!(later.snapshot().version(), 2);
    assert_eq!(later.snapshot().files(), table.snapshot().files());
}

#[tokio::test]
async fn pointer_never_moves_back() {
    let (dir, warehouse, mut table) = attempts().await;
    let early = warehouse.table(TableId::Attempts).await.unwrap();
    for start in [0, 10] {
        append(&mut table, &offsets(start, start + 10)).await.unwrap();
    }
    table.checkpoint().await.unwrap();
    assert_eq!(table.commits_since_checkpoint().await.unwrap(), 0);
    early.checkpoint().await.unwrap();
    assert_eq!(pointer(dir.path())["version"], 2);
    assert!(!log_file(dir.path(), &format!("{:020}.checkpoint.parquet", 0)).exists());
    append(&mut table, &offsets(20, 30)).await.unwrap();
    assert_eq!(table.commits_since_checkpoint().await.unwrap(), 1);
}

/// What many maintainers of one table do to its pointer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replacing_a_file_that_another_replaced_meanwhile_is_refused() {
    let (_dir, warehouse, _table) = attempts().await;
    let storage = storage_of(&warehouse);
    assert!(storage.put_over("counter", "0".into(), None).await.unwrap());
    assert!(!storage.put_over("counter", "0".into(), None).await.unwrap());
    let writers = (0..8).map(|_| {
        let storage = Arc::clone(&storage);
        tokio::spawn(async move {
            let mut done = 0;
            while done < 25 {
                let (bytes, seen) = storage.get_tagged("counter").await.unwrap().unwrap();
                let count: u32 = std::str::from_utf8(&bytes).unwrap().parse().unwrap();
                let next = (count + 1).to_string().into();
                done += u32::from(storage.put_over("counter", next, Some(seen)).await.unwrap());
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(storage.get("counter").await.unwrap().unwrap(), "200");
}

#[tokio::test]
async fn checkpoint_whose_entries_are_gone_says_which() {
    let (dir, _warehouse, mut table) = attempts().await;
    append(&mut table, &offsets(0, 5)).await.unwrap();
    std::fs::remove_file(log_file(dir.path(), &format!("{:020}.json", 0))).unwrap();
    let error = table.checkpoint().await.unwrap_err();
    assert_eq!(error.to_string(), "commit 0 of table `attempts` is no longer in the log");
    assert!(!log_file(dir.path(), "_last_checkpoint").exists());
}

#[tokio::test]
async fn a_table_is_read_as_of_any_version_that_its_log_still_leads_to() {
    let (dir, warehouse, mut table) = attempts().await;
    // Version v holds v rows.
    for n in 0..6 {
        let rows = offsets(n, n + 1);
        let add = table.write(std::slice::from_ref(&rows)).await.unwrap();
        let advance = vec![Advance { app: app(0), from: (n > 0).then_some(n), to: n + 1 }];
        table.commit(Change { add, advance, ..Change::default() }).await.unwrap();
        if n == 1 || n == 4 {
            table.checkpoint().await.unwrap();
        }
    }
    let rows = async |version: i64| {
        let snapshot = table.at(version).await?;
        assert_eq!(snapshot.version(), version);
        assert_eq!(snapshot.txn(&app(0)), (version > 0).then_some(version));
        let ctx = snapshot.session(2);
        crate::snapshot::register(&ctx, &[snapshot]).unwrap();
        Ok::<_, crate::Error>(line(&ctx, "SELECT count(*) FROM attempts").await)
    };
    for version in 0..=6 {
        assert_eq!(rows(version).await.unwrap(), version.to_string());
    }
    // From a checkpoint that the pointer has left, too, but not behind its entries.
    clean(dir.path(), 4);
    for version in [5, 6, 2] {
        assert_eq!(rows(version).await.unwrap(), version.to_string());
    }
    for version in [0, 1, 3, 4, 7] {
        let gone = rows(version).await.unwrap_err();
        assert!(matches!(gone, crate::Error::VersionGone { table: "attempts", .. }), "{version}: {gone}");
    }
    drop(warehouse);
}
