//! The provider against an independent reading of the same files.

use arrow::array::{Array, Int64Array, TimestampMicrosecondArray};

use super::{attempts, files, line, offsets, over, plan, rows};
use crate::tables::attempts::AttemptRow;
use crate::testing::{DAY_US, NOON_US, append, attempt, batch};
use crate::{Change, Location, Table, TableId, Warehouse};

/// Three dates, 30 rows each in two files; every third row without tokens.
async fn three_days(table: &mut Table) {
    for half in 0..2 {
        let ids: Vec<String> = (0..45).map(|i| format!("e{half}-{i:02}")).collect();
        let made: Vec<_> = ids
            .iter()
            .zip(0_i64..)
            .map(|(id, i)| AttemptRow {
                started_at: NOON_US + (i % 3) * DAY_US + i,
                output_tokens: (i / 3 % 3 != 0).then_some(i),
                model_id: (i % 5 != 0).then_some(if i % 2 == 0 { "acme/one" } else { "acme/two" }),
                src_offset: half * 1000 + i,
                ..attempt(id)
            })
            .collect();
        append(table, &batch(&made)).await.unwrap();
    }
}

/// (rows, sum of output tokens, non-null output tokens, sum of started_at) by the Parquet reader alone.
fn independent(root: &std::path::Path, table: &Table, keep: impl Fn(i64) -> bool) -> (i64, i64, i64, i128) {
    let mut total = (0, 0, 0, 0);
    for file in table.snapshot().files() {
        for batch in files::read(&root.join("attempts").join(&file.path)) {
            let int = |name: &str| {
                batch.column_by_name(name).unwrap().as_any().downcast_ref::<Int64Array>().cloned()
            };
            let tokens = int("output_tokens").unwrap();
            let started = batch.column_by_name("started_at").unwrap();
            let started = started.as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
            for row in (0..batch.num_rows()).filter(|row| keep(started.value(*row))) {
                total.0 += 1;
                total.3 += i128::from(started.value(row));
                if tokens.is_valid(row) {
                    total.1 += tokens.value(row);
                    total.2 += 1;
                }
            }
        }
    }
    total
}

const SUMS: &str = "SELECT count(*), sum(output_tokens), count(output_tokens), \
                    sum(CAST(CAST(started_at AS bigint) AS decimal(38, 0))) FROM attempts";

fn text((rows, tokens, valid, started): (i64, i64, i64, i128)) -> String {
    format!("{rows} {tokens} {valid} {started}")
}

#[tokio::test]
async fn sums_equal_those_of_the_files_read_alone() {
    let (dir, _warehouse, mut table) = attempts().await;
    three_days(&mut table).await;
    assert_eq!(table.snapshot().files().len(), 6);
    let ctx = over(&table);
    let all = independent(dir.path(), &table, |_| true);
    assert_eq!(all.0, 90);
    assert_eq!(line(&ctx, SUMS).await, text(all));
    let from = NOON_US + DAY_US / 2;
    let late = independent(dir.path(), &table, |started| started >= from);
    assert_eq!(late.0, 60);
    assert_eq!(line(&ctx, &format!("{SUMS} WHERE event_date > '2026-11-25'")).await, text(late));
    assert_eq!(line(&ctx, &format!("{SUMS} WHERE started_at >= '2026-11-26'")).await, text(late));
}

#[tokio::test]
async fn files_of_other_dates_and_outside_the_bounds_are_not_planned() {
    let (_dir, _warehouse, mut table) = attempts().await;
    three_days(&mut table).await;
    let ctx = over(&table);
    let files = |plan: &str| plan.matches(".parquet").count();
    let select = "SELECT event_id, output_tokens FROM attempts WHERE";
    let day = plan(&ctx, &format!("{select} event_date = date '2026-11-26'")).await;
    assert_eq!(files(&day), 2, "{day}");
    assert!(!day.contains("event_date=2026-11-25/") && !day.contains("event_date=2026-11-27/"), "{day}");
    // Answered by the choice of files, nothing left to filter.
    assert!(!day.contains("FilterExec") && !day.contains("predicate"), "{day}");
    let bounds =
        plan(&ctx, &format!("{select} src_offset >= 1000 AND event_date <> date '2026-11-25'")).await;
    assert_eq!(files(&bounds), 2, "{bounds}");
    assert!(bounds.contains("predicate"), "{bounds}");
    let time = plan(&ctx, &format!("{select} started_at < timestamp '2026-11-26T00:00:00Z'")).await;
    assert_eq!(files(&time), 2, "{time}");
    let nulls = plan(&ctx, &format!("{select} provider_id IS NULL")).await;
    assert_eq!(files(&nulls), 0, "{nulls}");
    let either = plan(&ctx, &format!("{select} event_date = date '2026-11-26' OR src_offset = 1001")).await;
    assert!(files(&either) >= 3, "{either}");
    let none = plan(&ctx, &format!("{select} event_date = date '2020-01-01'")).await;
    assert!(none.contains("EmptyExec"), "{none}");
}

#[tokio::test]
async fn a_filter_on_bounds_still_filters_rows() {
    let (_dir, _warehouse, mut table) = attempts().await;
    three_days(&mut table).await;
    let ctx = over(&table);
    // 45 rows a half; offset 1001 lies in one file with 14 others.
    assert_eq!(
        line(&ctx, "SELECT event_id, event_date FROM attempts WHERE src_offset = 1001").await,
        "e1-01 2026-11-26"
    );
    let sql = "SELECT count(*) FROM attempts WHERE event_date = date '2026-11-26' OR src_offset = 1002";
    assert_eq!(line(&ctx, sql).await, "31");
    assert_eq!(line(&ctx, "SELECT count(*) FROM attempts WHERE model_id IS NULL").await, "18");
}

#[tokio::test]
async fn counting_rows_reads_no_file_and_limits_hold() {
    let (_dir, _warehouse, mut table) = attempts().await;
    three_days(&mut table).await;
    let ctx = over(&table);
    let counted = plan(&ctx, "SELECT count(*) FROM attempts").await;
    assert!(!counted.contains("DataSourceExec"), "{counted}");
    assert_eq!(line(&ctx, "SELECT count(*) FROM attempts").await, "90");
    let by_day = "SELECT count(*) FROM attempts WHERE event_date = date '2026-11-26'";
    assert!(!plan(&ctx, by_day).await.contains("DataSourceExec"));
    assert_eq!(line(&ctx, by_day).await, "30");
    let count = async |sql: &str| rows(&ctx, sql).await.iter().map(|b| b.num_rows()).sum::<usize>();
    assert_eq!(count("SELECT event_id FROM attempts LIMIT 7").await, 7);
    assert_eq!(
        count("SELECT event_id FROM attempts WHERE event_date = date '2026-11-27' LIMIT 40").await,
        30
    );
    assert_eq!(count("SELECT event_id FROM attempts WHERE src_offset < 1000 LIMIT 50").await, 45);
    // Bounds may be cut, so extremes are read, not taken from the log.
    let extremes = plan(&ctx, "SELECT max(event_id) FROM attempts").await;
    assert!(extremes.contains("DataSourceExec"), "{extremes}");
    assert_eq!(line(&ctx, "SELECT max(event_id) FROM attempts").await, "e1-44");
}

#[tokio::test]
async fn removed_files_are_not_read_unless_named() {
    let (_dir, _warehouse, mut table) = attempts().await;
    append(&mut table, &offsets(0, 10)).await.unwrap();
    append(&mut table, &offsets(10, 15)).await.unwrap();
    let removed = table.snapshot().files().iter().find(|f| f.rows == 10).unwrap().clone();
    table.commit(Change { remove: vec![removed.path.clone()], ..Change::default() }).await.unwrap();
    let ctx = over(&table);
    assert_eq!(line(&ctx, "SELECT count(*), min(src_offset) FROM attempts").await, "5 10");
    let ctx = table.snapshot().session(1);
    ctx.register_table("delta", table.snapshot().provider_over(vec![removed])).unwrap();
    assert_eq!(line(&ctx, "SELECT count(*), max(src_offset) FROM delta").await, "10 9");
}

#[tokio::test]
async fn columns_stand_in_the_order_of_the_table_with_its_types() {
    let (_dir, _warehouse, mut table) = attempts().await;
    append(&mut table, &offsets(0, 1)).await.unwrap();
    let batches = rows(&over(&table), "SELECT * FROM attempts").await;
    assert_eq!(batches[0].schema().fields(), TableId::Attempts.schema().fields());
}

#[tokio::test]
async fn a_folder_with_an_odd_name_works_throughout() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a b#c%20d?é");
    let location = Location::parse(path.to_str().unwrap()).unwrap();
    let warehouse = Warehouse::open_or_create(&location).await.unwrap();
    let mut table = warehouse.table(TableId::Attempts).await.unwrap();
    append(&mut table, &offsets(0, 3)).await.unwrap();
    table.checkpoint().await.unwrap();
    let table = warehouse.table(TableId::Attempts).await.unwrap();
    assert_eq!(line(&over(&table), "SELECT count(*), sum(src_offset) FROM attempts").await, "3 3");
    assert!(path.join("attempts/_delta_log/00000000000000000001.checkpoint.parquet").exists());
}

#[tokio::test]
async fn an_empty_table_has_no_rows() {
    let (_dir, _warehouse, table) = attempts().await;
    let ctx = over(&table);
    assert_eq!(line(&ctx, "SELECT count(*), sum(output_tokens) FROM attempts").await, "0");
}

#[tokio::test]
async fn texts_of_the_last_character_are_found() {
    let (_dir, _warehouse, mut table) = attempts().await;
    let last = "\u{10FFFF}".repeat(40);
    // Behind 32 characters only the second has one that cannot be raised.
    let raisable = format!("{}x{}", "\u{10FFFF}".repeat(32), "\u{10FFFF}".repeat(7));
    for (offset, id) in [(0, &last), (1, &raisable)] {
        append(&mut table, &batch(&[AttemptRow { src_offset: offset, ..attempt(id) }])).await.unwrap();
    }
    let bounds: Vec<bool> = table
        .snapshot()
        .files()
        .iter()
        .map(|file| {
            let stats: serde_json::Value = serde_json::from_str(file.stats.as_deref().unwrap()).unwrap();
            assert!(stats["minValues"]["event_id"].is_string());
            stats["maxValues"]["event_id"].is_string()
        })
        .collect();
    assert_eq!(bounds.iter().filter(|has_bound| **has_bound).count(), 1);
    let ctx = over(&table);
    for id in [&last, &raisable] {
        let found = format!("SELECT count(*) FROM attempts WHERE event_id = '{id}'");
        assert_eq!(line(&ctx, &found).await, "1");
    }
    assert_eq!(
        line(&ctx, &format!("SELECT count(*) FROM attempts WHERE event_id > '{raisable}'")).await,
        "1"
    );
}
