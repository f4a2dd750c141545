//! Tables that are written every few seconds: what stays of so many rounds.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use bellwether_metrics::{Metric, gate, live_by_minute, publications, usage_by_day};
use bellwether_warehouse::testing::{Aging, append, attempt, batch};
use bellwether_warehouse::{Change, Location, TableId};
use chrono::{DateTime, TimeDelta, Utc};

use super::super::scope::Scope;
use super::super::{Publisher, Stage, advance};
use super::{NOW, terms};
use crate::jobs::refresh;
use crate::testing::at;
use crate::{Depth, Intent, Jobs, MaintainSettings, Maintainer};

const LIVE: &[Metric] = &[gate::METRIC, usage_by_day::METRIC, live_by_minute::METRIC];
/// Seconds from one round to the next, and how many there are.
const EVERY: i64 = 60;
const ROUNDS: i64 = 5 * HOUR;
const HOUR: i64 = 3_600 / EVERY;
/// Commits after which a checkpoint is written.
const CHECKPOINT: i64 = 20;

/// Data files and entries of the log of a table, as they lie in its folder.
fn lying(folder: &Path) -> (usize, usize) {
    let (mut files, mut entries) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_log = path.parent().is_some_and(|parent| parent.ends_with("_delta_log"));
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("json") => entries += 1,
                Some("parquet") if !is_log => files += 1,
                _ => {}
            }
        }
    }
    (files, entries)
}

/// Every table of both lanes in new files, and a row that says so.
async fn round(publisher: &mut Publisher, rows: &[Vec<RecordBatch>], now: DateTime<Utc>) {
    for (published, rows) in publisher.tables.iter_mut().zip(rows).skip(1) {
        let table = &mut published.table;
        refresh(table).await.unwrap();
        let remove = table.snapshot().files().iter().map(|file| file.path.clone()).collect();
        let add = table.write(rows).await.unwrap();
        let number = table.snapshot().version() + 1;
        let advance = vec![advance(table, number)];
        table.commit(Change { advance, add, remove, ..Change::default() }).await.unwrap();
    }
    refresh(&mut publisher.publications).await.unwrap();
    let round = publisher.begin(now).await.unwrap();
    publisher.announce(&round, &Stage::default()).await.unwrap();
}

#[tokio::test]
async fn of_hours_of_rounds_the_files_and_entries_of_the_last_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = Aging::new(at(NOW));
    let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
    let warehouse = store.warehouse_of_its_time(&location).await.unwrap();
    let mut attempts = warehouse.table(TableId::Attempts).await.unwrap();
    append(&mut attempts, &batch(&[attempt("a")])).await.unwrap();
    Jobs::open(&warehouse).await.unwrap().fold(store.now()).await.unwrap();
    let mut publisher = Publisher::open_scope(&warehouse, terms(1), Scope::Everything, LIVE).await.unwrap();
    publisher.publish(store.now()).await.unwrap();
    let mut rows = Vec::new();
    for published in &publisher.tables {
        let provider = published.table.snapshot().provider();
        rows.push(warehouse.session(1).read_table(provider).unwrap().collect().await.unwrap());
    }
    let settings = MaintainSettings { checkpoint_after_commits: CHECKPOINT, ..MaintainSettings::default() };
    let mut maintainer = Maintainer::open(&warehouse, settings).await.unwrap();
    // Of each hour.
    let mut most: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for number in 1..=ROUNDS {
        store.advance(TimeDelta::seconds(EVERY));
        round(&mut publisher, &rows, store.now()).await;
        if number % HOUR == 0 {
            for table in ["usage_by_day", "live_by_minute", publications::NAME] {
                most.entry(table).or_default().push(lying(&dir.path().join(table)));
            }
        }
        if number % (HOUR / 6) == 0 {
            let depth = if number % HOUR == 0 { Depth::Whole } else { Depth::Logs };
            let report = maintainer.round(depth, Intent::Do, store.now()).await;
            assert!(report.is_clean(), "{report}");
        }
    }
    // Of the hour that they stay and the one until they are looked for. Entries stand until a checkpoint that is as old: one is
    // written after so many commits, which are counted every ten minutes.
    let (hour, checkpoint) = (HOUR as usize, (CHECKPOINT + HOUR / 6) as usize);
    for (table, hours) in [("live_by_minute", 2), (publications::NAME, 2)] {
        for (files, entries) in &most[table] {
            // Of publications also those that are not merged yet.
            assert!(*files <= hours * hour + 2 * 64, "{table}: {most:?}");
            assert!(*entries <= hours * hour + checkpoint + 2, "{table}: {most:?}");
        }
    }
    assert!(most["usage_by_day"].iter().all(|(files, _)| *files <= 2 * hour + 3), "{most:?}");
    // All rounds are told of.
    let snapshot = warehouse.table(publications::id()).await.unwrap().snapshot().clone();
    let told: i64 = snapshot.files().iter().map(|file| file.rows).sum();
    assert!(told >= ROUNDS && snapshot.files().len() < 2 * 64, "{told} rows");
}
