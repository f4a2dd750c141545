//! Rows as a fold reads them, against the rows that were written.

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use futures::TryStreamExt;

use super::{attempts, files};
use crate::tables::attempts::AttemptRow;
use crate::testing::{append, attempt, batch};
use crate::{DataFile, Table, is_missing_file};

/// Model, output tokens, region.
type Row = (Option<String>, Option<i64>, Option<String>);

const COLUMNS: [&str; 3] = ["model_id", "output_tokens", "region"];

/// More than a batch of rows, and more models than one list of a page has room to be looked up in by chance.
const ROWS: usize = 5_000;

async fn write(table: &mut Table, from: usize) -> Vec<Row> {
    let models: Vec<String> = (0..700).map(|model| format!("acme/{model:03}")).collect();
    let made: Vec<_> = (from..from + ROWS)
        .map(|i| AttemptRow {
            model_id: (i % 7 > 0).then_some(models[i * i % 700].as_str()),
            output_tokens: (i % 3 > 0).then_some(i as i64),
            region: (i % 2 > 0).then_some("eu"),
            src_offset: i as i64,
            ..attempt("e")
        })
        .collect();
    append(table, &batch(&made)).await.unwrap();
    let row = |row: &AttemptRow<'_>| {
        (row.model_id.map(str::to_owned), row.output_tokens, row.region.map(str::to_owned))
    };
    made.iter().map(row).collect()
}

fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let text = |name: &str| -> Vec<Option<String>> {
        let column = batch.column_by_name(name).unwrap();
        assert!(matches!(column.data_type(), DataType::Dictionary(..)), "{name}");
        let texts = cast(column, &DataType::Utf8).unwrap();
        texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    };
    let tokens = batch.column_by_name("output_tokens").unwrap().as_primitive::<Int64Type>().clone();
    let texts = text("model_id").into_iter().zip(text("region"));
    texts.zip(tokens.iter()).map(|((model, region), tokens)| (model, tokens, region)).collect()
}

async fn read(table: &Table, files: Vec<DataFile>) -> Vec<Row> {
    let batches: Vec<_> = table.snapshot().rows_with_lists(files, &COLUMNS).try_collect().await.unwrap();
    batches.iter().flat_map(rows_of).collect()
}

#[tokio::test]
async fn rows_with_lists_are_those_of_the_files_and_a_column_that_a_file_lacks_is_unknown() {
    let (dir, _warehouse, mut table) = attempts().await;
    let mut written = write(&mut table, 0).await;
    let mut first = table.snapshot().files().to_vec();
    written.extend(write(&mut table, ROWS).await);
    let second: Vec<DataFile> =
        table.snapshot().files().iter().filter(|file| file.path != first[0].path).cloned().collect();
    let both = [first.clone(), second.clone()].concat();
    assert_eq!(read(&table, both).await, written);

    // As one that was written before there were regions.
    let path = dir.path().join("attempts").join(&first[0].path);
    files::drop_column(&path, "region");
    first[0].size_bytes = std::fs::metadata(&path).unwrap().len() as i64;
    written[..ROWS].iter_mut().for_each(|row| row.2 = None);
    assert_eq!(read(&table, [first, second].concat()).await, written);
}

#[tokio::test]
async fn a_file_that_is_gone_is_told_as_such() {
    let (dir, _warehouse, mut table) = attempts().await;
    write(&mut table, 0).await;
    let files = table.snapshot().files().to_vec();
    std::fs::remove_file(dir.path().join("attempts").join(&files[0].path)).unwrap();
    let read = table.snapshot().rows_with_lists(files, &COLUMNS).try_collect::<Vec<_>>().await;
    assert!(is_missing_file(&read.unwrap_err()));
}
