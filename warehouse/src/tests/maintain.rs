//! What clean-up, vacuum and compaction take away, and what they must not.

mod left;
mod rewritten;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::faulty::{Faulty, Manner};
use super::{line, over, rows};
use crate::log_folder::entry_name;
use crate::maintain::{CleaningRule, CompactError, VacuumRule};
use crate::tables::attempts::AttemptRow;
use crate::testing::{Aging, DAY_US, NOON_US, append, attempt, batch};
use crate::{AppId, Change, CommitError, Location, Table, TableId, Warehouse};

const TARGET: usize = 64 * 1024 * 1024;

struct Fixture {
    dir: TempDir,
    store: Arc<Aging>,
    warehouse: Warehouse,
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
        let store = Aging::new("2026-11-25T12:00:00Z".parse().unwrap());
        let warehouse = store.warehouse(&location).await.unwrap();
        Self { dir, store, warehouse }
    }

    async fn attempts(&self) -> Table {
        self.warehouse.table(TableId::Attempts).await.unwrap()
    }

    fn now(&self) -> DateTime<Utc> {
        self.store.now()
    }

    fn folder(&self) -> std::path::PathBuf {
        self.dir.path().join("attempts")
    }

    /// Names of log files without their zeros, sorted.
    fn log(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder().join("_delta_log"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| match name.split_once('.') {
                Some((version, kind)) => format!("{}.{kind}", version.parse::<i64>().unwrap()),
                None => name,
            })
            .collect();
        names.sort();
        names
    }

    fn exists(&self, path: &str) -> bool {
        self.folder().join(path).exists()
    }
}

fn cleaning(f: &Fixture, passed: i64) -> CleaningRule {
    CleaningRule { before: f.now() - TimeDelta::hours(24), passed, checkpoints: 2, own_entry: false }
}

fn vacuum(f: &Fixture, passed: i64) -> VacuumRule {
    let before = f.now() - TimeDelta::hours(24);
    VacuumRule { removed_before: before, unreferenced_before: before, passed }
}

/// `rows` attempts of one day, as offsets from `from` on.
fn day(days: i64, from: i64, rows: i64) -> RecordBatch {
    let ids: Vec<String> = (from..from + rows).map(|offset| format!("event-{offset}")).collect();
    let rows: Vec<_> = ids
        .iter()
        .zip(from..)
        .map(|(id, src_offset)| AttemptRow {
            started_at: NOON_US + days * DAY_US + (src_offset % 7) * 1_000_000,
            src_offset,
            plugins: if src_offset % 3 == 0 { vec!["web", "pdf"] } else { Vec::new() },
            cost_usd: Some(i128::from(src_offset) * 7).filter(|_| src_offset % 2 == 0),
            ..attempt(id)
        })
        .collect();
    batch(&rows)
}

/// Every value of every row, sorted.
async fn content(table: &Table) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in rows(&over(table), "SELECT * FROM attempts").await {
        for row in 0..batch.num_rows() {
            let cell = |column: &arrow::array::ArrayRef| match column.is_null(row) {
                true => "NULL".to_owned(),
                false => arrow::util::display::array_value_to_string(column, row).unwrap(),
            };
            lines.push(batch.columns().iter().map(cell).collect::<Vec<_>>().join("|"));
        }
    }
    lines.sort();
    lines
}

#[tokio::test]
async fn entries_go_below_a_checkpoint_that_is_a_day_old_and_that_every_reader_has_passed() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    for version in 1..=9 {
        append(&mut table, &day(0, version * 10, 10)).await.unwrap();
        if version % 3 == 0 {
            table.checkpoint().await.unwrap();
            f.store.advance(TimeDelta::hours(20));
        }
    }
    // Checkpoints 3, 6 and 9 are 60, 40 and 20 hours old.
    let plan = table.plan_cleaning(&cleaning(&f, 4)).await.unwrap();
    assert_eq!((plan.below, plan.entries().files, plan.checkpoints().files, plan.kept), (Some(3), 3, 0, 7));
    let plan = table.plan_cleaning(&cleaning(&f, 1)).await.unwrap();
    assert_eq!((plan.below, plan.entries().files, plan.kept), (None, 0, 10));
    let plan = table.plan_cleaning(&cleaning(&f, i64::MAX)).await.unwrap();
    assert_eq!((plan.below, plan.entries().files, plan.checkpoints().files), (Some(6), 6, 1));
    table.clean(plan).await.unwrap();
    let left = ["6.checkpoint.parquet", "6.json", "7.json", "8.json", "9.checkpoint.parquet", "9.json"];
    assert_eq!(f.log(), [&left[..], &["_last_checkpoint"]].concat());
    let again = f.attempts().await;
    assert_eq!(again.snapshot().files(), table.snapshot().files());
    assert_eq!(table.plan_cleaning(&cleaning(&f, i64::MAX)).await.unwrap().entries().files, 0);
}

#[tokio::test]
async fn nothing_goes_for_a_checkpoint_that_is_not_whole_or_that_no_pointer_names() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    for version in 1..=4 {
        append(&mut table, &day(0, version * 10, 10)).await.unwrap();
    }
    table.checkpoint().await.unwrap();
    f.store.advance(TimeDelta::hours(30));
    let log = f.folder().join("_delta_log");
    let pointer = std::fs::read(log.join("_last_checkpoint")).unwrap();
    std::fs::remove_file(log.join("_last_checkpoint")).unwrap();
    assert_eq!(table.plan_cleaning(&cleaning(&f, i64::MAX)).await.unwrap().below, None);
    std::fs::write(log.join("_last_checkpoint"), pointer).unwrap();
    let file = log.join(format!("{:020}.checkpoint.parquet", 4));
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    table.plan_cleaning(&cleaning(&f, i64::MAX)).await.unwrap_err();
    assert!(f.exists(&entry_name(0)));
}

#[tokio::test]
async fn vacuum_takes_what_was_removed_a_day_ago_and_what_nobody_ever_named() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    for version in 0..4 {
        append(&mut table, &day(0, version * 10, 10)).await.unwrap();
    }
    let paths: Vec<String> = table.snapshot().files().iter().map(|file| file.path.clone()).collect();
    let remove = |at: usize| Change { remove: vec![paths[at].clone()], ..Change::default() };
    table.commit(remove(0)).await.unwrap();
    let orphan = table.write(&[day(0, 900, 5)]).await.unwrap().remove(0).path;
    f.store.advance(TimeDelta::hours(23));
    table.commit(remove(1)).await.unwrap();
    let found = table.plan_vacuum(&vacuum(&f, i64::MAX)).await.unwrap();
    assert_eq!((found.removed.files, found.unreferenced.files, found.waiting.files), (0, 0, 2));

    f.store.advance(TimeDelta::hours(2));
    let staged = table.write(&[day(0, 950, 5)]).await.unwrap();
    // The checkpoint tells of the removed file instead of its entry.
    table.checkpoint().await.unwrap();
    for name in ["_hidden.parquet", "notes.txt", "_bellwether/x.parquet", ".part.parquet"] {
        let path = f.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"somebody else's").unwrap();
        std::fs::File::open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    let found = table.plan_vacuum(&vacuum(&f, i64::MAX)).await.unwrap();
    assert_eq!((found.removed.files, found.unreferenced.files, found.waiting.files), (1, 1, 1));
    let freed = table.vacuum(found).await.unwrap();
    assert_eq!(freed.files, 2);
    assert!(!f.exists(&paths[0]) && !f.exists(&orphan));
    for path in [&paths[1], &paths[2], &paths[3], &staged[0].path] {
        assert!(f.exists(path), "{path}");
    }
    for name in [
        "_hidden.parquet",
        "notes.txt",
        "_bellwether/x.parquet",
        ".part.parquet",
        "_delta_log/_last_checkpoint",
    ] {
        assert!(f.exists(name), "{name}");
    }
    table.commit(Change { add: staged, ..Change::default() }).await.unwrap();
    assert_eq!(line(&over(&table), "SELECT count(*) FROM attempts").await, "25");
}

#[tokio::test]
async fn vacuum_waits_for_the_fold_that_has_not_read_a_file_yet() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    append(&mut table, &day(0, 0, 10)).await.unwrap();
    append(&mut table, &day(0, 10, 10)).await.unwrap();
    let files = table.snapshot().files().to_vec();
    table.compact(files.clone(), AppId("compact/2026-11-25".to_owned()), TARGET).await.unwrap();
    f.store.advance(TimeDelta::days(3));
    let found = table.plan_vacuum(&vacuum(&f, 1)).await.unwrap();
    assert_eq!((found.removed.files, found.waiting.files), (1, 1));
    table.vacuum(found).await.unwrap();
    let second = table.commits(1, 2).await.unwrap().remove(0).added.remove(0).path;
    assert!(f.exists(&second));
    assert_eq!(files.iter().filter(|file| f.exists(&file.path)).count(), 1);
    assert_eq!(table.plan_vacuum(&vacuum(&f, 2)).await.unwrap().removed.files, 1);
}

#[tokio::test]
async fn vacuum_takes_nothing_too_early_by_a_listing_with_holes() {
    const HOLES: [&str; 2] = ["00000000000000000003.json", "00000000000000000001.json"];
    // Entry 3 removes the file of entry 1. Hidden: the first tells since when, the second that a fold wants it.
    for (hole, passed, days) in [(HOLES[0], i64::MAX, 0), (HOLES[1], 0, 3)] {
        for is_checkpointed in [false, true] {
            let f = Fixture::new().await;
            let mut table = f.attempts().await;
            append(&mut table, &day(0, 0, 10)).await.unwrap();
            append(&mut table, &day(0, 10, 10)).await.unwrap();
            let path = table.snapshot().files()[0].path.clone();
            f.store.advance(TimeDelta::days(3));
            table.commit(Change { remove: vec![path], ..Change::default() }).await.unwrap();
            if is_checkpointed {
                table.checkpoint().await.unwrap();
            }
            f.store.advance(TimeDelta::days(days));
            let torn = Faulty::over(Arc::clone(&f.store) as _, 0, Manner::Hides, hole);
            let mut torn = f.warehouse.table_over(TableId::Attempts, torn).await.unwrap();
            let found = torn.plan_vacuum(&vacuum(&f, passed)).await.unwrap();
            let counts = (found.removed.files, found.unreferenced.files, found.waiting.files);
            assert_eq!(counts, (0, 0, 1), "{hole}, checkpointed: {is_checkpointed}");
        }
    }
}

#[tokio::test]
async fn clean_up_by_a_listing_with_holes_leaves_a_table_that_reads_the_same() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    let mut behind = f.attempts().await;
    for version in 1..=6 {
        append(&mut table, &day(0, version * 10, 10)).await.unwrap();
        if version == 3 {
            behind.refresh().await.unwrap();
        }
    }
    table.checkpoint().await.unwrap();
    f.store.advance(TimeDelta::days(2));
    let torn = Faulty::over(Arc::clone(&f.store) as _, 0, Manner::Hides, "00000000000000000003.json");
    let torn = f.warehouse.table_over(TableId::Attempts, torn).await.unwrap();
    let plan = torn.plan_cleaning(&cleaning(&f, i64::MAX)).await.unwrap();
    assert_eq!((plan.below, plan.entries().files), (Some(6), 5));
    torn.clean(plan).await.unwrap();
    assert_eq!(f.log(), ["3.json", "6.checkpoint.parquet", "6.json", "_last_checkpoint"]);
    // Whoever stands at the entry that was left sees that others went past it.
    append(&mut behind, &day(0, 900, 10)).await.unwrap();
    assert_eq!(behind.snapshot().version(), 7);
    for table in [&behind, &f.attempts().await] {
        assert_eq!(line(&over(table), "SELECT count(*) FROM attempts").await, "70");
    }
    let plan = table.plan_cleaning(&cleaning(&f, i64::MAX)).await.unwrap();
    table.clean(plan).await.unwrap();
    assert_eq!(f.log(), ["6.checkpoint.parquet", "6.json", "7.json", "_last_checkpoint"]);
}

/// An entry holds a name as a URL does, so the file `a b.parquet` is called `a%20b.parquet` there.
#[tokio::test]
async fn vacuum_knows_a_file_whose_name_is_written_as_a_url() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    append(&mut table, &day(0, 0, 10)).await.unwrap();
    let path = table.snapshot().files()[0].path.clone();
    let strange = path.replace("part-", "a b ");
    std::fs::rename(f.folder().join(&path), f.folder().join(&strange)).unwrap();
    let entry = f.folder().join(entry_name(1));
    let text = std::fs::read_to_string(&entry).unwrap().replace(&path, &strange.replace(' ', "%20"));
    std::fs::write(&entry, text).unwrap();
    f.store.advance(TimeDelta::days(3650));
    let mut table = f.attempts().await;
    let found = table.plan_vacuum(&vacuum(&f, i64::MAX)).await.unwrap();
    assert_eq!((found.removed.files, found.unreferenced.files), (0, 0));
}

#[tokio::test]
async fn compaction_keeps_every_row_and_is_no_news_for_a_fold() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    for commit in 0..40 {
        append(&mut table, &day(commit % 2, commit * 25, 25)).await.unwrap();
    }
    let before = content(&table).await;
    let mut days: BTreeMap<Option<String>, Vec<crate::DataFile>> = BTreeMap::new();
    for file in table.snapshot().files() {
        days.entry(file.partition[0].1.clone()).or_default().push(file.clone());
    }
    let second = days.values().last().unwrap().clone();
    let first = days.into_values().next().unwrap();
    let mixed = [first[0].clone(), second[0].clone()].to_vec();
    let app = |name: &str| AppId(name.to_owned());
    let error = table.compact(mixed, app("compact/2026-11-25"), TARGET).await.unwrap_err();
    assert!(matches!(error, CompactError::Mixed { .. }), "{error:?}");

    let done = table.compact(first.clone(), app("compact/2026-11-25"), TARGET).await.unwrap();
    assert_eq!((done.version, done.files_before, done.files_after, done.rows), (41, 20, 1, 500));
    // A small target makes several files.
    let done = table.compact(second, app("compact/2026-11-26"), 20_000).await.unwrap();
    assert!(done.files_after > 1 && done.files_after < 20, "{done:?}");
    assert!(content(&table).await == before, "rows changed");
    assert_eq!(before.len(), 1000);
    assert_eq!(table.snapshot().txn(&app("compact/2026-11-25")), Some(1));

    let entry = table.commits(40, 41).await.unwrap().remove(0);
    assert_eq!((entry.added.len(), entry.removed.len()), (0, 20));
    assert_eq!(entry.info["bellwether"], json!("compact"));
    // The new file skips as the old ones did.
    let file = table.snapshot().files().iter().find(|file| file.rows == 500).unwrap();
    let stats: Value = serde_json::from_str(file.stats.as_deref().unwrap()).unwrap();
    assert_eq!(stats["minValues"]["src_offset"], json!(0));
    assert_eq!(stats["maxValues"]["src_offset"], json!(974));
    let error = table.compact(first, app("compact/2026-11-25"), TARGET).await.unwrap_err();
    assert!(error.is_refusal(), "{error:?}");
}

#[tokio::test]
async fn compaction_that_is_refused_leaves_no_file_and_the_table_as_it_was() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    for commit in 0..3 {
        append(&mut table, &day(0, commit * 10, 10)).await.unwrap();
    }
    let files = table.snapshot().files().to_vec();
    let gone = files[1].path.clone();
    let mut other = f.attempts().await;
    other.commit(Change { remove: vec![gone.clone()], ..Change::default() }).await.unwrap();
    let count = |folder: &Path| std::fs::read_dir(folder.join("event_date=2026-11-25")).unwrap().count();
    let before = count(&f.folder());
    let error = table.compact(files, AppId("compact/2026-11-25".to_owned()), TARGET).await.unwrap_err();
    assert!(
        matches!(&error, CompactError::Commit(CommitError::FileGone { path, .. }) if *path == gone),
        "{error:?}"
    );
    assert_eq!(count(&f.folder()), before);
    assert_eq!(other.refresh().await.unwrap(), 4);
}

#[tokio::test]
async fn a_table_with_columns_of_a_newer_binary_is_not_compacted() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    append(&mut table, &day(0, 0, 10)).await.unwrap();
    append(&mut table, &day(0, 10, 10)).await.unwrap();
    let creation = std::fs::read_to_string(f.folder().join(entry_name(0))).unwrap();
    let mut actions = creation.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut metadata = actions.find(|action| action.get("metaData").is_some()).unwrap();
    let text = metadata.pointer_mut("/metaData/schemaString").unwrap();
    let mut schema: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    let mut column = schema["fields"][0].clone();
    column["name"] = json!("mood");
    schema["fields"].as_array_mut().unwrap().push(column);
    *text = schema.to_string().into();
    std::fs::write(f.folder().join(entry_name(3)), format!("{metadata}\n")).unwrap();
    table.refresh().await.unwrap();
    let files = table.snapshot().files().to_vec();
    let error = table.compact(files, AppId("compact/2026-11-25".to_owned()), TARGET).await.unwrap_err();
    assert!(matches!(error, CompactError::Columns { table: "attempts" }), "{error:?}");
    assert_eq!(table.refresh().await.unwrap(), 3);
}
