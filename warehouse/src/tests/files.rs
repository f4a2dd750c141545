//! Data files: how rows are split, and what the log says about each file.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, Int64Array, RecordBatch, StringArray, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{attempts, line, offsets, over, warehouse};
use crate::tables::attempts::AttemptRow;
use crate::testing::{DAY_US, NOON_US, append, attempt, batch};
use crate::{DataFile, Error, TableId};

/// Reads a file with nothing but the Parquet reader.
pub(super) fn read(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

/// Rewrites a file without one of its columns.
pub(super) fn drop_column(path: &Path, column: &str) {
    let batches = read(path);
    let schema = batches[0].schema();
    let keep: Vec<usize> = (0..schema.fields().len()).filter(|i| schema.field(*i).name() != column).collect();
    let batches: Vec<_> = batches.iter().map(|batch| batch.project(&keep).unwrap()).collect();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batches[0].schema(), None).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
}

fn stats(file: &DataFile) -> Value {
    serde_json::from_str(file.stats.as_deref().unwrap()).unwrap()
}

#[test]
fn a_file_tells_the_date_of_its_partition() {
    let file = |partition: &[(&str, Option<&str>)]| DataFile {
        path: "a.parquet".to_owned(),
        size_bytes: 1,
        rows: 1,
        partition: partition
            .iter()
            .map(|(column, value)| ((*column).to_owned(), value.map(str::to_owned)))
            .collect(),
        stats: None,
        streams: None,
    };
    for (column, text) in [("event_date", "2026-11-25"), ("date", "1969-12-31"), ("week", "2028-02-29")] {
        let date = file(&[(column, Some(text))]).date().unwrap();
        assert_eq!(date.format("%Y-%m-%d").to_string(), text);
    }
    assert_eq!(file(&[]).date(), None, "not partitioned");
    assert_eq!(file(&[("date", None)]).date(), None, "a null date");
    for text in ["", "2026-02-29", "2026-13-01", "25.11.2026", "2026-11-25T00:00:00Z"] {
        assert_eq!(file(&[("date", Some(text))]).date(), None, "{text}");
    }
}

#[tokio::test]
async fn rows_of_several_dates_go_into_one_file_a_date() {
    let (dir, _warehouse, table) = attempts().await;
    let last_us_of_day = NOON_US + DAY_US / 2 - 1;
    let rows = [
        AttemptRow { src_offset: 1, ..attempt("b") },
        AttemptRow { src_offset: 2, started_at: last_us_of_day + 1, ..attempt("c") },
        AttemptRow { src_offset: 3, started_at: last_us_of_day, ..attempt("a") },
    ];
    let files = table.write(&[batch(&rows), offsets(10, 12)]).await.unwrap();
    let found: Vec<_> = files.iter().map(|f| (f.partition[0].1.as_deref().unwrap(), f.rows)).collect();
    assert_eq!(found, [("2026-11-25", 4), ("2026-11-26", 1)]);
    let dates: Vec<_> = files.iter().map(|file| file.date().unwrap().to_string()).collect();
    assert_eq!(dates, ["2026-11-25", "2026-11-26"]);
    for file in &files {
        let path = dir.path().join("attempts").join(&file.path);
        assert!(
            file.path.starts_with(&format!("event_date={}/part-", file.partition[0].1.as_ref().unwrap()))
        );
        assert_eq!(std::fs::metadata(&path).unwrap().len(), u64::try_from(file.size_bytes).unwrap());
        let batches = read(&path);
        assert!(batches[0].column_by_name("event_date").is_none());
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() as i64, file.rows);
    }
    let only = &read(&dir.path().join("attempts").join(&files[1].path))[0];
    let ids = only.column_by_name("event_id").unwrap().as_any().downcast_ref::<StringArray>().unwrap();
    assert_eq!(ids.value(0), "c");
    // Nothing is part of the table before a commit says so.
    assert_eq!(line(&over(&table), "SELECT count(*) FROM attempts").await, "0");
}

#[tokio::test]
async fn logged_statistics_are_bounds_of_the_rows() {
    let (_dir, _warehouse, table) = attempts().await;
    let long = "x".repeat(40);
    let rows = [
        AttemptRow { src_offset: -5, started_at: NOON_US + 123_456, ..attempt("aa") },
        AttemptRow { src_offset: 9, request_id: None, provider_id: None, ..attempt(&long) },
    ];
    let file = table.write(&[batch(&rows)]).await.unwrap().remove(0);
    let stats = stats(&file);
    assert_eq!(stats["numRecords"], 2);
    assert_eq!(
        (&stats["minValues"]["src_offset"], &stats["maxValues"]["src_offset"]),
        (&(-5).into(), &9.into())
    );
    assert_eq!(stats["minValues"]["started_at"], "2026-11-25T12:00:00.000000Z");
    assert_eq!(stats["maxValues"]["started_at"], "2026-11-25T12:00:00.123456Z");
    assert_eq!(stats["minValues"]["event_id"], "aa");
    let cut = stats["maxValues"]["event_id"].as_str().unwrap();
    assert!(cut > long.as_str() && cut.chars().count() == 33, "{cut}");
    assert_eq!(stats["nullCount"]["request_id"], 1);
    assert_eq!(stats["nullCount"]["event_id"], 0);
    assert_eq!(stats["maxValues"]["provider_id"], "north");
    // Only columns that filters use.
    assert!(stats["minValues"].get("output_tokens").is_none());
}

#[tokio::test]
async fn rows_are_fitted_by_name_and_refused_when_they_cannot_be() {
    let (_dir, warehouse) = warehouse().await;
    let mut table = warehouse.table(TableId::Imports).await.unwrap();
    let mut builder = crate::tables::imports::Builder::default();
    builder.push(&crate::tables::imports::ImportRow {
        content_hash: "h",
        end_offset: 3,
        ..Default::default()
    });
    let rows = builder.finish();
    // Another order and another string type.
    let hash = Arc::new(StringViewArray::from(vec!["h2"]));
    let mut columns: Vec<_> = rows.columns().iter().skip(1).cloned().collect();
    let mut fields: Vec<_> = rows.schema().fields().iter().skip(1).cloned().collect();
    columns.push(hash);
    fields.push(Arc::new(Field::new("content_hash", DataType::Utf8View, false)));
    let shuffled = RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), columns.clone()).unwrap();
    append(&mut table, &shuffled).await.unwrap();
    append(&mut table, &rows).await.unwrap();
    let sql = "SELECT count(*), min(content_hash), max(content_hash), sum(end_offset) FROM imports";
    assert_eq!(line(&over(&table), sql).await, "2 h h2 6");

    fields.push(Arc::new(Field::new("surplus", DataType::Int64, true)));
    columns.push(Arc::new(Int64Array::from(vec![1])));
    let surplus = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    for (bad, column) in [(surplus, "`surplus`"), (rows.project(&[0, 1]).unwrap(), "`format`")] {
        let error = table.write(&[bad]).await.unwrap_err();
        assert!(
            matches!(&error, Error::Rows { table: "imports", detail } if detail.contains(column)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_reader_of_files_alone_finds_every_value_that_was_pushed() {
    let (dir, _warehouse, table) = attempts().await;
    let rows = [AttemptRow {
        plugins: vec!["web", "pdf"],
        cost_usd: Some(1_234_567_890),
        is_byok: Some(false),
        attempt: Some(-1),
        gateway_cache_hit: true,
        ..attempt("e")
    }];
    let file = table.write(&[batch(&rows)]).await.unwrap().remove(0);
    let read = &read(&dir.path().join("attempts").join(&file.path))[0];
    let text = |column: &str| {
        let array = read.column_by_name(column).unwrap();
        arrow::util::display::array_value_to_string(array, 0).unwrap()
    };
    let values = ["plugins", "cost_usd", "is_byok", "attempt", "gateway_cache_hit", "started_at"].map(text);
    assert_eq!(values, ["[web, pdf]", "1.234567890", "false", "-1", "true", "2026-11-25T12:00:00Z"]);
    assert!(read.column_by_name("refused").unwrap().is_null(0));
    assert_eq!(read.num_columns(), TableId::Attempts.schema().fields().len() - 1);
}

#[test]
fn the_memory_count_follows_the_rows_and_ends_with_them() {
    let mut builder = crate::tables::attempts::Builder::default();
    builder.push(&attempt("e"));
    let one = builder.size_bytes();
    builder.push(&attempt("e2345"));
    // Both ids are four bytes longer.
    assert_eq!(builder.size_bytes(), 2 * one + 8);
    assert_eq!(builder.len(), 2);
    builder.finish();
    assert_eq!((builder.len(), builder.size_bytes()), (0, 0));
}

#[tokio::test]
async fn a_further_try_stores_only_what_is_missing_and_giving_up_leaves_nothing() {
    let (dir, _warehouse, table) = attempts().await;
    let rows =
        batch(&[attempt("a"), AttemptRow { src_offset: 1, started_at: NOON_US + DAY_US, ..attempt("b") }]);
    let stored = || {
        ["2026-11-25", "2026-11-26"].map(|date| {
            let folder = dir.path().join(format!("attempts/event_date={date}"));
            std::fs::read_dir(folder).map_or(0, Iterator::count)
        })
    };
    // A file stands where the second date's folder is to be.
    let in_the_way = dir.path().join("attempts/event_date=2026-11-26");
    std::fs::write(&in_the_way, "").unwrap();
    let mut staging = table.stage(std::slice::from_ref(&rows)).await.unwrap();
    for _ in 0..3 {
        staging.store().await.unwrap_err();
        assert_eq!(stored(), [1, 0]);
    }
    std::fs::remove_file(&in_the_way).unwrap();
    staging.store().await.unwrap();
    assert_eq!(stored(), [1, 1]);
    let files = staging.files();
    assert_eq!(files.iter().map(|file| file.rows).collect::<Vec<_>>(), [1, 1]);
    assert!(files.iter().all(|file| dir.path().join("attempts").join(&file.path).is_file()));
    staging.discard().await;
    assert_eq!(stored(), [0, 0]);

    std::fs::remove_dir(&in_the_way).unwrap();
    std::fs::write(&in_the_way, "").unwrap();
    table.write(&[rows]).await.unwrap_err();
    assert_eq!(stored(), [0, 0]);
}
