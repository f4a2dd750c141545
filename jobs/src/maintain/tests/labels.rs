//! Label rows are gone by their day, from every file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::datatypes::Date32Type;
use bellwether_warehouse::tables::label_cells::{Builder, LabelCellRow, destroyed_app};
use bellwether_warehouse::{Change, Table, TableId};
use chrono::TimeDelta;

use super::{Depth, Fixture, Intent, Step, steps};
use crate::testing::lines;

/// Of a user whose rows must be gone.
const PLANTED: i64 = 0x5AFE_0DD5_EC2E_7123;
const OTHER: i64 = 17;

async fn add(table: &mut Table, week: &str, user_key: i64) {
    let mut cells = Builder::default();
    let week = Date32Type::from_naive_date(week.parse().unwrap());
    let row = LabelCellRow {
        week,
        nl: "en",
        cat: "law",
        user_key: Some(user_key),
        n: 1,
        ..LabelCellRow::default()
    };
    cells.push(&row);
    commit(table, cells).await;
}

async fn commit(table: &mut Table, mut cells: Builder) {
    let add = table.write(&[cells.finish()]).await.unwrap();
    table.commit(Change { add, ..Change::default() }).await.unwrap();
}

/// Files of the table's folder that hold the planted key: in a row, or anywhere as bytes or digits.
async fn found(f: &Fixture) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![f.folder(TableId::LabelCells)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
            let name = path.display().to_string();
            let in_rows = name.contains("week=") && {
                let ctx = datafusion::prelude::SessionContext::new();
                let frame = ctx.read_parquet(name.clone(), Default::default()).await.unwrap();
                let rows = frame.select_columns(&["user_key"]).unwrap().collect().await.unwrap();
                rows.iter().flat_map(lines).any(|key| key == PLANTED.to_string())
            };
            if in_rows || has(&PLANTED.to_le_bytes()) || has(PLANTED.to_string().as_bytes()) {
                found.push(name);
            }
        }
    }
    found
}

#[tokio::test]
async fn rows_of_an_epoch_are_in_no_file_by_the_35th_day_and_the_others_stay() {
    // Epoch 741: 2026-10-26 to 2026-11-22.
    let mut f = Fixture::new("2026-10-26T10:00:00Z").await;
    let mut table = f.table(TableId::LabelCells).await;
    add(&mut table, "2026-10-26", PLANTED).await;
    for _ in 0..30 {
        add(&mut table, "2026-10-26", OTHER).await;
    }
    f.round(Depth::Whole, Intent::Do).await;
    f.store.advance(TimeDelta::days(27));
    add(&mut table, "2026-11-16", PLANTED).await;
    // Written and never committed.
    let mut cells = Builder::default();
    let week = Date32Type::from_naive_date("2026-11-16".parse().unwrap());
    cells.push(&LabelCellRow { week, user_key: Some(PLANTED), ..LabelCellRow::default() });
    table.write(&[cells.finish()]).await.unwrap();
    f.store.advance(TimeDelta::days(5));
    add(&mut table, "2026-11-23", OTHER).await;
    let early = f.round(Depth::Whole, Intent::Do).await;
    assert_eq!(f.store.now().date_naive().to_string(), "2026-11-27");
    assert!(!steps(&early, "label_cells").contains(&Step::Destroy));
    assert_eq!(found(&f).await.len(), 2, "the orphan is gone, the rows are there");

    // Day 34 of the oldest row; the site goes on reading meanwhile.
    f.store.advance(TimeDelta::days(2));
    let report = f.round(Depth::Whole, Intent::Do).await;
    let done = steps(&report, "label_cells");
    assert_eq!(done, [Step::Destroy, Step::Vacuum, Step::Checkpoint, Step::Clean]);
    assert_eq!(report.destroyed_epoch(), Some(741));
    assert_eq!(found(&f).await, Vec::<String>::new());
    assert_eq!(f.query("SELECT user_key, n FROM label_cells").await, [format!("{OTHER} 1")]);

    // No file of the log tells of a file that went, and the table goes on.
    for entry in std::fs::read_dir(f.folder(TableId::LabelCells).join("_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains("week=2026-11-16"), "{}", path.display());
    }
    assert!(
        !f.folder(TableId::LabelCells)
            .join("week=2026-11-16")
            .read_dir()
            .is_ok_and(|mut dir| dir.next().is_some())
    );
    table.refresh().await.unwrap();
    assert_eq!(table.snapshot().txn(&destroyed_app()), Some(741));
    add(&mut table, "2026-11-23", OTHER).await;
    let again = f.round(Depth::Whole, Intent::Do).await;
    assert!(!steps(&again, "label_cells").contains(&Step::Destroy));
    assert_eq!(f.query("SELECT count(*) FROM label_cells").await, ["2"]);
}

/// One commit of two rows, the second of which knows little.
async fn add_pair(table: &mut Table, week: &str, user_key: i64, at: i32) {
    let mut cells = Builder::default();
    let week = Date32Type::from_naive_date(week.parse().unwrap());
    let share = f64::from(at) / 7.0;
    let whole = LabelCellRow {
        week,
        nl: "de",
        task: Some("write"),
        model_id: Some("acme/one"),
        user_key: Some(user_key),
        n: i64::from(at),
        sum_w: share,
        sum_wt2: -share,
        ..LabelCellRow::default()
    };
    cells.push(&whole);
    cells.push(&LabelCellRow { week, n: 1, ..LabelCellRow::default() });
    commit(table, cells).await;
}

/// Every value of every row, sorted.
async fn content(f: &Fixture) -> Vec<String> {
    let mut rows = f.query("SELECT * FROM label_cells").await;
    rows.sort();
    rows
}

async fn files_by_week(f: &Fixture) -> BTreeMap<String, usize> {
    let mut weeks = BTreeMap::new();
    for file in f.table(TableId::LabelCells).await.snapshot().files() {
        *weeks.entry(file.partition[0].1.clone().unwrap()).or_default() += 1;
    }
    weeks
}

fn counts<const N: usize>(weeks: [(&str, usize); N]) -> BTreeMap<String, usize> {
    weeks.map(|(week, files)| (week.to_owned(), files)).into()
}

#[tokio::test]
async fn weeks_are_compacted_apart_with_all_their_rows_and_an_epoch_goes_whole_all_the_same() {
    // The last Saturday on which the rows of epoch 741 may stand; 2026-11-16 has closed, 2026-11-23 has not.
    let mut f = Fixture::new("2026-11-28T20:00:00Z").await;
    let mut table = f.table(TableId::LabelCells).await;
    for at in 0..70 {
        if at < 17 {
            add_pair(&mut table, "2026-11-09", PLANTED, at).await;
            add_pair(&mut table, "2026-11-16", PLANTED, at).await;
        }
        add_pair(&mut table, "2026-11-23", OTHER, at).await;
    }
    let before = content(&f).await;
    assert_eq!(before.len(), 2 * (17 + 17 + 70));
    let report = f.round(Depth::Logs, Intent::Do).await;
    assert_eq!(
        steps(&report, "label_cells"),
        [Step::Compact, Step::Compact, Step::Compact, Step::Checkpoint]
    );
    assert_eq!(files_by_week(&f).await, counts([("2026-11-09", 1), ("2026-11-16", 1), ("2026-11-23", 1)]));
    assert_eq!(content(&f).await, before);
    // Nothing is left to do.
    let again = f.round(Depth::Logs, Intent::Do).await;
    assert_eq!(steps(&again, "label_cells"), []);

    // The log forgets the former files before they are a day old.
    f.store.advance(TimeDelta::hours(1));
    f.round(Depth::Whole, Intent::Do).await;
    assert!(found(&f).await.len() > 2, "{:?}", found(&f).await);
    f.store.advance(TimeDelta::hours(4));
    let report = f.round(Depth::Whole, Intent::Do).await;
    assert_eq!(report.destroyed_epoch(), Some(741));
    assert_eq!(found(&f).await, Vec::<String>::new());
    assert_eq!(files_by_week(&f).await, counts([("2026-11-23", 1)]));
    let kept: Vec<String> = before.into_iter().filter(|row| row.contains("2026-11-23")).collect();
    assert_eq!((content(&f).await, kept.len()), (kept, 140));
}

#[tokio::test]
async fn a_compaction_of_an_epoch_that_is_destroyed_meanwhile_brings_no_row_back() {
    let mut f = Fixture::new("2026-11-28T20:00:00Z").await;
    let mut table = f.table(TableId::LabelCells).await;
    for at in 0..17 {
        add_pair(&mut table, "2026-11-16", PLANTED, at).await;
    }
    // Between the look of the compaction at the log and its commit, which would be entry 18.
    let (warehouse, store) = (f.warehouse.clone(), f.store.clone());
    f.store.before_put_of("00000000000000000018.json", move || {
        Box::pin(async move {
            store.advance(TimeDelta::hours(5));
            let mut other = super::Maintainer::open(&warehouse, super::settings()).await.unwrap();
            let report = other.round(Depth::Whole, Intent::Do, store.now()).await;
            assert_eq!(report.destroyed_epoch(), Some(741), "{report}");
        })
    });
    let report = f.round(Depth::Logs, Intent::Do).await;
    assert_eq!(steps(&report, "label_cells"), []);
    assert_eq!(content(&f).await, Vec::<String>::new());
    assert_eq!(found(&f).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_epoch_goes_in_one_round_though_the_clock_of_the_store_moves_on_meanwhile() {
    let mut f = Fixture::new("2026-11-28T20:00:00Z").await;
    let mut table = f.table(TableId::LabelCells).await;
    add(&mut table, "2026-11-16", PLANTED).await;
    add(&mut table, "2026-11-23", OTHER).await;
    f.store.advance(TimeDelta::hours(5));
    f.store.let_writes_take(TimeDelta::milliseconds(3));
    let report = f.round(Depth::Whole, Intent::Do).await;
    let done = steps(&report, "label_cells");
    assert_eq!(done, [Step::Destroy, Step::Vacuum, Step::Checkpoint, Step::Clean]);
    assert_eq!(found(&f).await, Vec::<String>::new());
    for entry in std::fs::read_dir(f.folder(TableId::LabelCells).join("_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains("week=2026-11-16"), "{}", path.display());
    }
    assert_eq!(f.query("SELECT user_key FROM label_cells").await, [OTHER.to_string()]);
}

#[tokio::test]
async fn rows_that_should_be_gone_are_counted_in_every_round_until_they_are() {
    let mut f = Fixture::new("2026-11-29T23:00:00Z").await;
    let mut table = f.table(TableId::LabelCells).await;
    add(&mut table, "2026-11-09", PLANTED).await;
    add(&mut table, "2026-11-16", PLANTED).await;
    add(&mut table, "2026-11-23", OTHER).await;
    let overdue = |report: &super::MaintainReport| {
        let table = report.tables.iter().find(|table| table.table == "label_cells").unwrap();
        table.overdue_files
    };
    // Due, and in time until midnight.
    assert_eq!(overdue(&f.round(Depth::Logs, Intent::Do).await), Some(0));
    f.store.advance(TimeDelta::hours(1));
    let late = f.round(Depth::Logs, Intent::Do).await;
    assert_eq!(overdue(&late), Some(2));
    assert!(late.to_string().contains("label rows are older than 35 days"), "{late}");
    assert_eq!(overdue(&f.round(Depth::Whole, Intent::Tell).await), Some(2));
    let report = f.round(Depth::Whole, Intent::Do).await;
    assert_eq!(overdue(&report), Some(0));
    assert!(report.tables.iter().all(|table| table.table == "label_cells" || table.overdue_files.is_none()));
}

/// What the gauges without labels were set to last.
#[derive(Clone, Default)]
struct Gauges(Arc<Mutex<BTreeMap<String, f64>>>);

struct Named(Gauges, String);

impl metrics::GaugeFn for Named {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}
    fn set(&self, value: f64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), value);
    }
}

impl metrics::Recorder for Gauges {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}

    fn register_counter(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        metrics::Counter::noop()
    }

    fn register_gauge(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::from_arc(Arc::new(Named(self.clone(), key.name().to_owned())))
    }

    fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[test]
fn what_is_overdue_is_a_metric_whether_or_not_the_round_failed() {
    let gauges = Gauges::default();
    let told = |overdue_files: Option<u64>, error: Option<String>| {
        let found = super::TableReport { overdue_files, error, ..super::TableReport::new("any") };
        metrics::with_local_recorder(&gauges, || found.tell());
        gauges.0.lock().unwrap().get("bellwether_label_overdue_files").copied()
    };
    assert_eq!(told(None, None), None);
    assert_eq!(told(Some(3), Some("the store says no".to_owned())), Some(3.0));
    // Another table has nothing to say on it.
    assert_eq!(told(None, None), Some(3.0));
    assert_eq!(told(Some(0), None), Some(0.0));
}
