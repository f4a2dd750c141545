use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use bellwether_jobs::{Jobs, Scheduler};
use bellwether_simulate::{Market, Size};
use bellwether_warehouse::{Attempts, Location, TableId, Warehouse};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;

use super::extent::Extent;
use super::{Written, is_made, rollups, write};
use crate::straight;

const END: &str = "2026-11-25";

/// Some thirty places instead of seventeen hundred.
fn market(seed: u64) -> Arc<Market> {
    let end: NaiveDate = END.parse().unwrap();
    Arc::new(Market::new(Size::S1, seed, end).thinned(NonZeroUsize::new(60).unwrap()))
}

static MARKET: LazyLock<Arc<Market>> = LazyLock::new(|| market(1));

async fn warehouse(folder: &Path) -> Warehouse {
    Warehouse::open_or_create(&Location::parse(folder.to_str().unwrap()).unwrap()).await.unwrap()
}

async fn written(folder: &Path, market: Arc<Market>) -> (Warehouse, Written) {
    let warehouse = warehouse(folder).await;
    let extent = Extent::new(Size::S1, END.parse().unwrap(), 3);
    let written = write(&warehouse, market, extent, || ()).await.unwrap();
    (warehouse, written)
}

/// Partition and bytes of every data file, sorted, without its name.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for rollup in rollups().filter(is_made) {
        for date in std::fs::read_dir(folder.join(rollup.level.table.name())).unwrap() {
            let date = date.unwrap().path();
            if date.file_name().unwrap() == "_delta_log" {
                continue;
            }
            for file in std::fs::read_dir(&date).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                found.push((date.strip_prefix(folder).unwrap().to_owned(), bytes));
            }
        }
    }
    found.sort();
    found
}

async fn numbers(warehouse: &Warehouse, sql: &str) -> Vec<i64> {
    let ctx = warehouse.pin(Attempts::AsFolded).await.unwrap().session(warehouse, 1).unwrap();
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    let mut found = Vec::new();
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        assert_eq!(batch.num_rows(), 1, "{sql}");
        found.extend(batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().value(0)));
    }
    found
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_writes_the_same_bytes_and_another_does_not() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, again, other] = folders.each_ref().map(|folder| folder.path());
    written(first, MARKET.clone()).await;
    written(again, market(1)).await;
    written(other, market(2)).await;
    let bytes = contents(first);
    // A file a table and date, all of one week.
    assert_eq!(bytes.len(), 7 * 3 + 1);
    assert!(bytes == contents(again), "the same seed wrote other bytes");
    assert!(bytes != contents(other), "another seed wrote the same bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coarser_table_holds_the_sums_of_the_finer_one_and_sketches_of_as_many() {
    let folder = tempfile::tempdir().unwrap();
    let (warehouse, written) = written(folder.path(), MARKET.clone()).await;
    let sums = |table: &str, columns: &str| {
        let sums: Vec<String> =
            columns.split(' ').map(|column| format!("CAST(sum({column}) AS bigint)")).collect();
        format!("SELECT {} FROM {table}", sums.join(", "))
    };
    let health = "attempts ok fault rate_limited tool_finishes output_tokens";
    let five = numbers(&warehouse, &sums("health_5m", health)).await;
    assert!(five.iter().all(|sum| *sum > 0), "{five:?}");
    assert_eq!(five, numbers(&warehouse, &sums("health_hourly", health)).await);
    assert_eq!(five, numbers(&warehouse, &sums("health_daily", health)).await);
    let usage = "requests requests_with_user input_tokens output_tokens cost_usd context_100k";
    let hours = numbers(&warehouse, &sums("usage_hourly", usage)).await;
    assert!(hours.iter().all(|sum| *sum > 0), "{hours:?}");
    assert_eq!(hours, numbers(&warehouse, &sums("usage_daily", usage)).await);
    let routing = numbers(&warehouse, &sums("routing_hourly", "attempts requests routed_ok first_ok")).await;
    assert_eq!(routing[0], five[0]);
    assert!(routing[3] < routing[2] && routing[2] < routing[1] && routing[1] < routing[0], "{routing:?}");

    let days = numbers(&warehouse, "SELECT count(DISTINCT date), count(*) FROM usage_daily").await;
    let held = written.tables.iter().find(|held| held.0 == TableId::UsageDaily).unwrap().1;
    assert_eq!((days[0], days[1], held.files), (3, held.rows, 3));
    let users = numbers(
        &warehouse,
        "SELECT CAST(max(hll_estimate(users)) AS bigint), max(requests_with_user) FROM usage_daily",
    )
    .await;
    assert!(1_000 < users[0] && users[0] < users[1], "{users:?}");
    let week = numbers(
        &warehouse,
        "SELECT CAST(hll_estimate(hll_merge(users)) AS bigint), count(DISTINCT date) FROM users_by_week",
    )
    .await;
    let days = "SELECT CAST(hll_estimate(hll_merge(users)) AS bigint), 1 FROM usage_daily";
    assert_eq!(week, numbers(&warehouse, days).await, "sketches of a week are those of its days");
    assert!(written.to_string().contains("no attempts stand behind them"), "{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_find_nothing_to_do_and_leave_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let (warehouse, _) = written(folder.path(), MARKET.clone()).await;
    assert!(straight::is_straight(&warehouse).await.unwrap());
    let before = contents(folder.path());
    let status = Jobs::open(&warehouse).await.unwrap().status().await.unwrap();
    assert_eq!(status.attempts.rows, 0);
    for table in &status.rollups {
        let is_made = !matches!(
            table.table,
            "app_daily" | "country_daily" | "context_speed_daily" | "user_model_daily" | "user_model_monthly"
        );
        assert!(table.lag == 0 && (table.rows > 0) == is_made, "{table:?}");
    }
    let jobs = Jobs::open(&warehouse).await.unwrap();
    let report = Scheduler::new(jobs).run_once(at("2026-11-26T12:00:00Z")).await;
    assert!(report.is_clean(), "{report}");
    let after = Jobs::open(&warehouse).await.unwrap().status().await.unwrap();
    assert_eq!(status, after);
    assert!(contents(folder.path()) == before, "a job wrote");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (warehouse, _) = written(folder.path(), MARKET.clone()).await;
    let extent = Extent::new(Size::S1, END.parse().unwrap(), 1);
    let refused = |warehouse: Warehouse| async move {
        write(&warehouse, MARKET.clone(), extent, || ()).await.unwrap_err().to_string()
    };
    let error = refused(warehouse).await;
    assert!(error.contains("is in use, its `attempts` has the mark of `simulate/rollups`"), "{error}");

    // The jobs of a service have looked at it, though nothing ever came.
    let folder = tempfile::tempdir().unwrap();
    let warehouse = self::warehouse(folder.path()).await;
    Jobs::open(&warehouse).await.unwrap().fold(at("2026-11-26T12:00:00Z")).await.unwrap();
    let error = refused(warehouse).await;
    assert!(error.contains("has the mark of `fold`; --rollups writes into a new warehouse only"), "{error}");
}
