//! Rows that say something else, in the place of what they said.

use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::Int64Type;

use super::*;
use crate::Advance;
use crate::maintain::Rewriting;
use crate::streams::StreamNames;

/// Every provider becomes `south`.
fn moved(rows: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let at = rows.schema().index_of("provider_id")?;
    let mut columns = rows.columns().to_vec();
    columns[at] = Arc::new(StringArray::from(vec!["south"; rows.num_rows()]));
    RecordBatch::try_new(rows.schema(), columns)
}

fn rewriting<'a>(from: Option<i64>) -> Rewriting<'a> {
    let advance = vec![Advance { app: AppId("remapped/2026-11-25".into()), from, to: 7 }];
    let info = [("bellwether".to_owned(), json!("remap"))].into_iter().collect();
    Rewriting { each: &moved, advance, info }
}

/// Offsets in the order in which the rows of a file lie.
async fn offsets(table: &Table, file: &crate::DataFile) -> Vec<i64> {
    let provider = table.snapshot().provider_over(vec![file.clone()]);
    let rows = table.snapshot().session(1).read_table(provider).unwrap();
    let batches = rows.select_columns(&["src_offset"]).unwrap().collect().await.unwrap();
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

#[tokio::test]
async fn each_file_gets_one_with_as_many_rows_in_their_order_that_tells_the_same_streams() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    let mut names = StreamNames::default();
    let (topic, partition) = (attempt("e").src_topic, attempt("e").src_partition);
    names.insert(topic, partition, "ingest/c/t/0/0".to_owned());
    for from in [500, 100, 300] {
        let mut staging = table.stage_of_streams(&[day(0, from, 100)], names.clone()).await.unwrap();
        staging.store().await.unwrap();
        table.commit(Change { add: staging.files(), ..Change::default() }).await.unwrap();
    }
    let before = content(&table).await;
    let files = table.snapshot().files().to_vec();
    let rewritten: Vec<_> =
        files.iter().filter(|file| !file.streams.as_deref().unwrap().contains("300")).cloned().collect();
    let done = table.rewrite(rewritten.clone(), rewriting(None)).await.unwrap();
    assert_eq!((done.version, done.files, done.rows), (4, 2, 200));
    // Nothing but the provider is another one.
    let expected = |line: &String| {
        let offset = line.contains("event-3");
        if offset { line.clone() } else { line.replace("|north|", "|south|") }
    };
    let expected: Vec<String> = before.iter().map(expected).collect();
    assert!(content(&table).await == expected, "other rows");
    assert_ne!(before, expected);
    for old in &rewritten {
        let new = table.snapshot().files().iter().find(|file| file.streams == old.streams).unwrap();
        assert_ne!(new.path, old.path);
        assert_eq!(offsets(&table, new).await, offsets(&table, old).await);
        assert_eq!(new.partition, old.partition);
    }
    // It changes data, and says who did.
    let entry = table.commits(3, 4).await.unwrap().remove(0);
    assert_eq!((entry.added.len(), entry.removed.len()), (2, 2));
    assert_eq!(entry.info["bellwether"], json!("remap"));
    assert_eq!(table.snapshot().txn(&AppId("remapped/2026-11-25".into())), Some(7));
}

#[tokio::test]
async fn what_is_refused_leaves_no_file() {
    let f = Fixture::new().await;
    let mut table = f.attempts().await;
    append(&mut table, &day(0, 0, 10)).await.unwrap();
    append(&mut table, &day(1, 10, 10)).await.unwrap();
    let all = table.snapshot().files().to_vec();
    let error = table.rewrite(all.clone(), rewriting(None)).await.unwrap_err();
    assert!(matches!(error, CompactError::Mixed { .. }), "{error:?}");
    let first: Vec<_> = all.into_iter().filter(|file| file.path.contains("2026-11-25")).collect();
    let count = || std::fs::read_dir(f.folder().join("event_date=2026-11-25")).unwrap().count();
    let before = count();
    // A transaction that stands elsewhere, a file that is gone, rows that are fewer.
    let error = table.rewrite(first.clone(), rewriting(Some(3))).await.unwrap_err();
    assert!(error.is_refusal(), "{error:?}");
    let fewer = |rows: &RecordBatch| Ok(rows.slice(0, rows.num_rows() - 1));
    let error =
        table.rewrite(first.clone(), Rewriting { each: &fewer, ..rewriting(None) }).await.unwrap_err();
    assert!(matches!(error, CompactError::Rows { expected: 10, found: 9, .. }), "{error:?}");
    let mut other = f.attempts().await;
    let remove = first.iter().map(|file| file.path.clone()).collect();
    other.commit(Change { remove, ..Change::default() }).await.unwrap();
    let error = table.rewrite(first, rewriting(None)).await.unwrap_err();
    assert!(matches!(&error, CompactError::Commit(CommitError::FileGone { .. })), "{error:?}");
    assert_eq!(count(), before);
}
