mod labels;
mod withdrawn;
mod year;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{Aging, attempt, batch};
use bellwether_warehouse::{Change, Location, Table, TableId, Warehouse, snapshot};
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::{Depth, Intent, MaintainReport, MaintainSettings, Maintainer, Step, TableReport};
use crate::Jobs;
use crate::testing::{at, lines};

struct Fixture {
    dir: TempDir,
    store: Arc<Aging>,
    warehouse: Warehouse,
    jobs: Jobs,
    maintainer: Maintainer,
}

impl Fixture {
    async fn new(now: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
        let store = Aging::new(at(now));
        let warehouse = store.warehouse(&location).await.unwrap();
        let jobs = Jobs::open(&warehouse).await.unwrap();
        let maintainer = Maintainer::open(&warehouse, settings()).await.unwrap();
        Self { dir, store, warehouse, jobs, maintainer }
    }

    async fn table(&self, table: TableId) -> Table {
        self.warehouse.table(table).await.unwrap()
    }

    async fn round(&mut self, depth: Depth, intent: Intent) -> MaintainReport {
        let now = self.store.now();
        let report = self.maintainer.round(depth, intent, now).await;
        assert!(report.is_clean(), "{report}");
        report
    }

    /// Folds and routes.
    async fn fold(&mut self) {
        let now = self.store.now();
        self.jobs.fold(now).await.unwrap();
        self.jobs.recompute().await.unwrap();
    }

    fn folder(&self, table: TableId) -> PathBuf {
        self.dir.path().join(table.name())
    }

    async fn query(&self, sql: &str) -> Vec<String> {
        query(&self.warehouse, sql).await
    }
}

fn settings() -> MaintainSettings {
    MaintainSettings { checkpoint_after_commits: 20, ..MaintainSettings::default() }
}

async fn query(warehouse: &Warehouse, sql: &str) -> Vec<String> {
    let ctx = warehouse.session(2);
    for table in TableId::ALL {
        let table = warehouse.table(table).await.unwrap();
        snapshot::register(&ctx, &[table.snapshot().clone()]).unwrap();
    }
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    batches.iter().flat_map(lines).collect()
}

/// One commit of one attempt that begins at `at`.
async fn append(table: &mut Table, at: DateTime<Utc>, offset: i64) -> bool {
    let id = format!("event-{offset}");
    let row = AttemptRow { started_at: at.timestamp_micros(), src_offset: offset, ..attempt(&id) };
    let add = table.write(&[batch(&[row])]).await.unwrap();
    match table.commit(Change { add, ..Change::default() }).await {
        Ok(_) => true,
        Err(error) if error.is_refusal() => false,
        Err(error) => panic!("{error:?}"),
    }
}

fn steps(report: &MaintainReport, table: &str) -> Vec<Step> {
    let report = report.tables.iter().find(|report| report.table == table).unwrap();
    report.steps.iter().map(|(step, _)| *step).collect()
}

#[tokio::test]
async fn telling_changes_nothing_and_says_what_doing_does() {
    let mut f = Fixture::new("2026-11-25T12:00:00Z").await;
    let mut attempts = f.table(TableId::Attempts).await;
    for offset in 0..25 {
        append(&mut attempts, f.store.now(), offset).await;
    }
    f.fold().await;
    let checkpointed = f.round(Depth::Logs, Intent::Do).await;
    assert_eq!(steps(&checkpointed, "attempts"), [Step::Checkpoint]);
    f.store.advance(TimeDelta::hours(36));
    let before = snapshot(&f);
    let told = f.round(Depth::Whole, Intent::Tell).await;
    assert_eq!(steps(&told, "attempts"), [Step::Compact, Step::Clean]);
    assert_eq!(snapshot(&f), before, "telling wrote or deleted a file");
    let done = f.round(Depth::Whole, Intent::Do).await;
    let attempts = |report: &MaintainReport| report.tables[0].steps.clone();
    assert_eq!(attempts(&told)[1], attempts(&done)[1]);
    assert_eq!((attempts(&told)[0].1.files, attempts(&done)[0].1.files), (25, 25));
    // The entry of version 0 up to that before the checkpoint.
    assert_eq!(attempts(&done)[1].1.files, 25);
    // The old files go a day after they were removed.
    f.store.advance(TimeDelta::hours(25));
    f.fold().await;
    let later = f.round(Depth::Whole, Intent::Do).await;
    assert_eq!(steps(&later, "attempts"), [Step::Vacuum]);
    assert_eq!(later.tables[0].steps[0].1.files, 25);
    assert_eq!(f.query("SELECT count(*), count(DISTINCT event_id) FROM attempts").await, ["25 25"]);
    // Nothing is left to do.
    let again = f.round(Depth::Whole, Intent::Do).await;
    assert!(again.tables.iter().all(|table| table.steps.is_empty()), "{again}");
}

#[tokio::test]
async fn a_write_that_was_cut_off_is_told_with_the_orphans_and_deleted() {
    let mut f = Fixture::new("2026-11-25T12:00:00Z").await;
    let path = f.folder(TableId::Attempts).join("event_date=2026-11-20/part-1.parquet#42");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"half a file").unwrap();
    std::fs::File::open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let told = f.round(Depth::Whole, Intent::Tell).await;
    assert_eq!((told.tables[0].orphans.files, told.tables[0].orphans.bytes), (1, 11));
    assert!(told.to_string().contains("hidden, of writes cut off before 2026-11-24T12:00:00Z"), "{told}");
    assert!(path.exists());
    let done = f.round(Depth::Whole, Intent::Do).await;
    assert_eq!(done.tables[0].steps, told.tables[0].steps);
    assert!(!path.exists());
}

/// Names and contents of all files.
fn snapshot(f: &Fixture) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![f.dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push((path.clone(), std::fs::read(&path).unwrap())),
            }
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn entries_and_files_wait_for_a_fold_that_is_behind() {
    let mut f = Fixture::new("2026-11-25T12:00:00Z").await;
    let mut attempts = f.table(TableId::Attempts).await;
    append(&mut attempts, f.store.now(), 0).await;
    f.fold().await;
    for offset in 1..=40 {
        append(&mut attempts, f.store.now(), offset).await;
    }
    for _ in 0..3 {
        f.round(Depth::Whole, Intent::Do).await;
        f.store.advance(TimeDelta::days(3));
    }
    let held = f.round(Depth::Whole, Intent::Do).await;
    assert!(!steps(&held, "attempts").contains(&Step::Clean), "{held}");
    // The first one's file was folded and goes; the others wait.
    assert_eq!(held.tables[0].active.files, 1);
    assert_eq!(held.tables[0].waiting.files, 40);
    // It reads the original files and counts each attempt once.
    let report = f.jobs.fold(f.store.now()).await.unwrap();
    assert_eq!((report.files, report.attempts), (40, 40));
    f.jobs.recompute().await.unwrap();
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["41"]);
    let free = f.round(Depth::Whole, Intent::Do).await;
    assert_eq!(steps(&free, "attempts"), [Step::Clean, Step::Vacuum]);
    assert_eq!(f.jobs.fold(f.store.now()).await.unwrap().attempts, 0);
}

#[tokio::test]
async fn a_fold_whose_commits_are_gone_begins_afresh_and_counts_each_attempt_once() {
    let mut f = Fixture::new("2026-11-25T12:00:00Z").await;
    let mut attempts = f.table(TableId::Attempts).await;
    let arrived = |rows: i64| {
        let info = serde_json::json!({"intake": [{"source": "native", "rows": rows}]});
        Change { info: info.as_object().unwrap().clone(), ..Change::default() }
    };
    attempts.commit(arrived(100)).await.unwrap();
    append(&mut attempts, f.store.now(), 0).await;
    f.fold().await;
    for offset in 1..6 {
        append(&mut attempts, f.store.now(), offset).await;
    }
    attempts.commit(arrived(1000)).await.unwrap();
    append(&mut attempts, f.store.now(), 6).await;
    attempts.commit(arrived(10)).await.unwrap();
    attempts.checkpoint().await.unwrap();
    // Another tool cleans up past the fold: the commits with offsets 1 and 2.
    for version in 0..=4 {
        std::fs::remove_file(f.folder(TableId::Attempts).join(format!("_delta_log/{version:020}.json")))
            .unwrap();
    }
    let report = f.jobs.fold(f.store.now()).await.unwrap();
    assert_eq!((report.attempts, report.tables[0].from), (7, Some(2)));
    for table in ["usage_hourly", "usage_daily"] {
        assert_eq!(f.query(&format!("SELECT sum(requests) FROM {table}")).await, ["7"], "{table}");
    }
    assert_eq!(f.query("SELECT sum(rows) FROM intake_daily").await, ["1110"]);
    f.jobs.recompute().await.unwrap();
    assert_eq!(f.query("SELECT sum(requests) FROM routing_hourly").await, ["7"]);
    append(&mut attempts, f.store.now(), 7).await;
    f.fold().await;
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["8"]);
}

#[tokio::test]
async fn a_fold_whose_files_are_gone_begins_afresh() {
    let mut f = Fixture::new("2026-11-25T12:00:00Z").await;
    let mut attempts = f.table(TableId::Attempts).await;
    append(&mut attempts, f.store.now(), 0).await;
    f.fold().await;
    for offset in 1..70 {
        append(&mut attempts, f.store.now(), offset).await;
    }
    let original = attempts.commits(4, 5).await.unwrap().remove(0).added.remove(0).path;
    let report = f.round(Depth::Logs, Intent::Do).await;
    assert!(steps(&report, "attempts").contains(&Step::Compact), "{report}");
    std::fs::remove_file(f.folder(TableId::Attempts).join(original)).unwrap();
    let report = f.jobs.fold(f.store.now()).await.unwrap();
    assert_eq!(report.attempts, 70);
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["70"]);
}

#[tokio::test]
async fn a_table_that_is_new_begins_with_the_rows_and_not_with_the_log() {
    let mut f = Fixture::new("2026-11-25T12:00:00Z").await;
    let mut attempts = f.table(TableId::Attempts).await;
    for offset in 0..70 {
        append(&mut attempts, f.store.now(), offset).await;
    }
    f.round(Depth::Logs, Intent::Do).await;
    attempts.refresh().await.unwrap();
    let files = attempts.snapshot().files().len();
    assert!(files < 10, "{files} files");
    let report = f.jobs.fold(f.store.now()).await.unwrap();
    assert_eq!((report.files, report.attempts), (files, 70));
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["70"]);
}

/// Ingest, folds and two maintainers at once, while the clock of the store leaps from day to day.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn maintenance_beside_ingest_and_folds_loses_and_doubles_nothing() {
    const COMMITS: i64 = 300;
    let f = Fixture::new("2026-11-25T12:00:00Z").await;
    let (ended, end) = tokio::sync::watch::channel(false);
    let (warehouse, store) = (f.warehouse.clone(), Arc::clone(&f.store));
    let ingest = tokio::spawn(async move {
        let mut table = warehouse.table(TableId::Attempts).await.unwrap();
        let mut refused = 0;
        for offset in 0..COMMITS {
            if offset % 10 == 0 {
                store.advance(TimeDelta::hours(25));
            }
            while !append(&mut table, store.now(), offset).await {
                refused += 1;
            }
        }
        ended.send_replace(true);
        refused
    });
    let mut others = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let (warehouse, store, end) = (f.warehouse.clone(), Arc::clone(&f.store), end.clone());
        others.spawn(async move {
            let settings = MaintainSettings { checkpoint_after_commits: 7, ..MaintainSettings::default() };
            let mut maintainer = Maintainer::open(&warehouse, settings).await.unwrap();
            let mut rounds = 0;
            while !*end.borrow() {
                // What one takes away the other may be reading, as the days fly: that is no more than a failed try.
                maintainer.round(Depth::Whole, Intent::Do, store.now()).await;
                rounds += 1;
            }
            rounds
        });
    }
    let (warehouse, store, end) = (f.warehouse.clone(), Arc::clone(&f.store), end.clone());
    others.spawn(async move {
        let mut jobs = Jobs::open(&warehouse).await.unwrap();
        let mut rounds = 0;
        while !*end.borrow() {
            match jobs.fold(store.now()).await {
                Ok(_) => rounds += 1,
                Err(error) => assert!(error.is_fenced(), "{error:?}"),
            }
        }
        rounds
    });
    ingest.await.unwrap();
    let rounds = others.join_all().await;
    assert!(rounds.iter().all(|rounds| *rounds > 0), "{rounds:?}");

    let mut f = f;
    f.fold().await;
    let sql = "SELECT count(*), count(DISTINCT event_id), min(src_offset), max(src_offset) FROM attempts";
    assert_eq!(f.query(sql).await, [format!("{COMMITS} {COMMITS} 0 {}", COMMITS - 1)]);
    for table in ["usage_hourly", "usage_daily"] {
        assert_eq!(
            f.query(&format!("SELECT sum(requests) FROM {table}")).await,
            [COMMITS.to_string()],
            "{table}"
        );
    }
    f.store.advance(TimeDelta::days(2));
    f.maintainer = Maintainer::open(&f.warehouse, settings()).await.unwrap();
    f.round(Depth::Whole, Intent::Do).await;
    assert_eq!(f.query(sql).await, [format!("{COMMITS} {COMMITS} 0 {}", COMMITS - 1)]);
}

#[tokio::test]
async fn a_year_of_commits_stays_few_files_and_a_short_log() {
    let dir = tempfile::tempdir().unwrap();
    let year = year(TableId::Rejects, 365, 1);
    let found = year.run(dir.path()).await.unwrap();
    println!("{found:#?}");
    assert_eq!((found.commits, found.position, found.rows), (20_075, Some(20_075), 20_075));
    check(&found, 3 * 55);
    assert!(found.bytes * 10 <= (found.active_bytes + found.log_bytes) * 13, "{found:#?}");
    let warehouse = Warehouse::open(&Location::parse(dir.path().to_str().unwrap()).unwrap()).await.unwrap();
    assert_eq!(query(&warehouse, "SELECT count(*) FROM rejects").await, ["20075"]);
}

#[tokio::test]
async fn a_month_of_attempts_stays_few_files_though_the_fold_comes_every_five_days() {
    let dir = tempfile::tempdir().unwrap();
    let month = year(TableId::Attempts, 31, 5);
    let found = month.run(dir.path()).await.unwrap();
    assert_eq!((found.commits, found.position, found.rows), (1_705, Some(1_705), 1_705));
    check(&found, 8 * 55);
    let warehouse = Warehouse::open(&Location::parse(dir.path().to_str().unwrap()).unwrap()).await.unwrap();
    assert_eq!(query(&warehouse, "SELECT count(*) FROM attempts").await, ["1705"]);
    assert_eq!(query(&warehouse, "SELECT sum(requests) FROM usage_daily").await, ["1705"]);
}

/// 55 commits and a round a day.
fn year(table: TableId, days: u64, fold_every: u64) -> year::Year {
    let (settings, tell) = (settings(), |_, _: &_| {});
    year::Year { table, days, commits_a_day: 55, fold_every, rounds_a_day: 1, settings, tell }
}

/// `most_entries`: of the days that have to be kept or wait for the fold, and those up to the next checkpoint.
fn check(found: &year::Outcome, most_entries: usize) {
    assert!((1..=32).contains(&found.most_files_of_a_day), "{found:#?}");
    assert!(found.most_entries <= most_entries, "{found:#?}");
    let measured =
        |latencies: &year::Latencies| Duration::ZERO < latencies.p50 && latencies.p50 <= latencies.p99;
    assert!(measured(&found.first_commits) && measured(&found.last_commits), "{found:#?}");
}
