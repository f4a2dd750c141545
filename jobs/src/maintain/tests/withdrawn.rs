//! Files of what was published under other terms do not stay for a day.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Field;
use bellwether_metrics::METRICS;
use bellwether_metrics::publications::{self, Publication};
use bellwether_warehouse::{Change, TableId};
use chrono::TimeDelta;
use datafusion::common::ScalarValue;

use super::{Depth, Fixture, Intent};

fn models() -> TableId {
    METRICS.iter().find(|metric| metric.table.name == "models").unwrap().id()
}

/// Replaces all rows of the table; what they are matters to nobody here.
async fn replace(f: &Fixture) {
    let mut table = f.table(models()).await;
    let schema = models().schema();
    let value = |field: &Arc<Field>| ScalarValue::new_default(field.data_type()).unwrap().to_array().unwrap();
    let columns = schema.fields().iter().map(value).collect();
    let add = table.write(&[RecordBatch::try_new(schema.clone(), columns).unwrap()]).await.unwrap();
    let remove = table.snapshot().files().iter().map(|file| file.path.clone()).collect();
    table.commit(Change { add, remove, ..Change::default() }).await.unwrap();
}

async fn publish(f: &Fixture, number: i64, terms: &str) {
    let row = Publication {
        number,
        terms: terms.to_owned(),
        watermark: f.store.now(),
        published_at: f.store.now(),
        ..Publication::default()
    };
    let mut table = f.table(publications::id()).await;
    let add = table.write(&[row.row().unwrap()]).await.unwrap();
    table.commit(Change { add, ..Change::default() }).await.unwrap();
}

fn files(f: &Fixture) -> usize {
    let folder = std::fs::read_dir(f.folder(models())).unwrap();
    folder
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "parquet"))
        .count()
}

/// Files of two versions, of which the newer is published under `terms`, some minutes after.
async fn left_after(terms: &str, minutes: i64) -> usize {
    let mut f = Fixture::new("2026-11-25T12:00:00Z").await;
    f.warehouse.ensure(&bellwether_metrics::tables()).await.unwrap();
    replace(&f).await;
    publish(&f, 1, "public").await;
    f.store.advance(TimeDelta::minutes(1));
    replace(&f).await;
    publish(&f, 2, terms).await;
    assert_eq!(files(&f), 2);
    f.store.advance(TimeDelta::minutes(minutes));
    f.round(Depth::Logs, Intent::Do).await;
    files(&f)
}

#[tokio::test]
async fn what_other_terms_published_is_deleted_within_minutes() {
    assert_eq!(left_after("private", 9).await, 2, "somebody may be reading it");
    assert_eq!(left_after("private", 12).await, 1);
    assert_eq!(left_after("public", 12).await, 2);
}
