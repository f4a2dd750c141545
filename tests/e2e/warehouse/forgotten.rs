//! Label rows of users whose time is over are in no file of the warehouse, whichever store it lies in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use bellwether_warehouse::tables::label_cells::{Builder, LabelCellRow, epoch_of_day, first_day_after};
use bellwether_warehouse::{Change, Table, TableId, Warehouse};
use chrono::{Days, NaiveDate, Utc};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::gateway::Gateway;
use crate::support::http::runtime;
use crate::support::place::Place;
use crate::support::{scratch, store};

/// Of a user whose rows must be gone.
const PLANTED: i64 = 0x5AFE_0DD5_EC2E_7123;
const OTHER: i64 = 17;
/// An epoch goes on the sixth day after its end, which is the 35th of its oldest row.
const DESTROYED_AFTER: Days = Days::new(6);
/// Until then somebody may be about to commit a file.
const STAGED: Duration = Duration::from_secs(25 * 3600);

fn day(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

fn date(day: i64) -> NaiveDate {
    NaiveDate::default() + chrono::TimeDelta::days(day)
}

async fn write(table: &Table, week: i64, user_key: i64) -> Vec<bellwether_warehouse::DataFile> {
    let mut cells = Builder::default();
    let week = i32::try_from(week).expect("a day");
    let user_key = Some(user_key);
    cells.push(&LabelCellRow { week, nl: "en", cat: "law", user_key, n: 1, ..LabelCellRow::default() });
    table.write(&[cells.finish()]).await.expect("write a row")
}

async fn add(table: &mut Table, week: i64, user_key: i64) {
    let add = write(table, week, user_key).await;
    table.commit(Change { add, ..Change::default() }).await.expect("commit a row");
}

/// Files that hold the planted key: in a row, or anywhere as bytes or digits.
fn found(folder: &Path) -> Vec<PathBuf> {
    let has_planted = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("read a file");
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        has(&PLANTED.to_le_bytes()) || has(PLANTED.to_string().as_bytes()) || in_rows(path)
    };
    store::files(folder).into_iter().filter(has_planted).collect()
}

fn in_rows(path: &Path) -> bool {
    if !path.to_str().expect("paths are text").contains("/label_cells/week=") {
        return false;
    }
    let file = std::fs::File::open(path).expect("open a file");
    let rows =
        ParquetRecordBatchReaderBuilder::try_new(file).expect("open Parquet").build().expect("read it");
    rows.map(|rows| rows.expect("rows")).any(|rows| {
        let keys = rows.column_by_name("user_key").expect("keys").as_primitive::<Int64Type>();
        keys.iter().any(|key| key == Some(PLANTED))
    })
}

/// Lets time pass for rows, as the store dates them.
fn age(folder: &Path) {
    for path in store::files(folder).iter().filter(|path| path.to_string_lossy().contains("/week=")) {
        let file = std::fs::File::options().append(true).open(path).expect("open a file");
        file.set_modified(SystemTime::now() - STAGED).expect("age a file");
    }
}

#[test]
fn rows_of_an_epoch_that_is_over_are_in_no_file_of_a_folder() {
    forgotten(Place::Folder);
}

#[test]
fn rows_of_an_epoch_that_is_over_are_in_no_file_of_a_bucket() {
    forgotten(Place::Bucket);
}

fn forgotten(place: Place) {
    let scratch = scratch();
    let config = place.of(Config::new(scratch.path()), "forgotten");
    let due = epoch_of_day(day(Utc::now().date_naive() - DESTROYED_AFTER)) - 1;
    let (first_week, last_week, next) =
        (first_day_after(due - 1), first_day_after(due) - 7, first_day_after(due));
    let table = config.warehouse().join("label_cells");
    runtime().block_on(async {
        let warehouse = Warehouse::open_or_create(&config.place()).await.expect("create a warehouse");
        let mut cells = warehouse.table(TableId::LabelCells).await.expect("open label cells");
        add(&mut cells, first_week, PLANTED).await;
        add(&mut cells, first_week, OTHER).await;
        cells.checkpoint().await.expect("write a checkpoint");
        add(&mut cells, last_week, PLANTED).await;
        add(&mut cells, next, OTHER).await;
        cells.checkpoint().await.expect("write a checkpoint");
        add(&mut cells, last_week, PLANTED).await;
        // Written by a process that was killed before it could commit.
        write(&cells, last_week, PLANTED).await;
    });
    age(&table);
    // Everything that the store has, its own files too.
    let all = match place {
        Place::Folder => config.warehouse(),
        Place::Bucket => Gateway::shared().bucket("forgotten"),
    };
    assert_eq!(found(&all).len(), 4, "three rows of the table and one of no commit");

    let args = ["maintain", "--format", "json", "--config", &config.write()];
    let mut steps = BTreeSet::new();
    // A round goes by the time at which it began; the next one takes what the first one wrote.
    for _ in 0..2 {
        let report = Bellwether::new(scratch.path(), &args).run().ok().json();
        let tables = report["tables"].as_array().expect("tables").iter();
        let cells = tables.clone().find(|table| table["table"] == "label_cells").expect("label cells");
        assert_eq!(cells["destroyed_epoch"], due);
        let done = cells["steps"].as_array().expect("steps").iter();
        steps.extend(done.map(|step| step[0].as_str().expect("a step").to_owned()));
    }
    assert_eq!(steps, BTreeSet::from(["checkpoint", "clean", "destroy", "vacuum"].map(str::to_owned)));

    assert_eq!(found(&all), Vec::<PathBuf>::new());
    let weeks = [first_week, last_week].map(|week| format!("week={}", date(week)));
    for path in store::files(&table) {
        let bytes = std::fs::read(&path).expect("read a file");
        let told = String::from_utf8_lossy(&bytes);
        let is_told = weeks.iter().any(|week| told.contains(week) || path.to_string_lossy().contains(week));
        assert!(!is_told, "{} tells of a week that is gone", path.display());
    }
    let rows = store::rows(&config.warehouse(), "SELECT user_key, n FROM label_cells");
    assert_eq!(rows, [json!({"user_key": OTHER, "n": 1})]);
}
