use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_warehouse::testing::{DAY_US, NOON_US, append, attempt, batch};
use bellwether_warehouse::{Advance, AppId, Change, Kind, Table, TableId};

use super::*;
use crate::testing::{Fixture, at};
use crate::{MaintainSettings, Maintainer, Outcome};

const NOW: &str = "2026-11-25T13:00:00Z";
const ASKED: Asked = Asked { from: None, to: None, intent: Intent::Do };

/// Raw names that mean another model than they say. What is `told` to nobody is unclear.
struct Aliases(&'static [(&'static str, &'static str)]);

impl Naming for Aliases {
    fn name(&self, row: &AttemptRow<'_>) -> Option<Named> {
        let raw = row.raw_model.unwrap_or_default();
        if raw == "behind-a-host" {
            return None;
        }
        let alias = self.0.iter().find(|(from, _)| *from == raw).map(|(_, model)| *model);
        let author = alias.or(Some(raw).filter(|raw| raw.contains('/')));
        Some(Named {
            model_id: Some(alias.unwrap_or(raw).to_owned()),
            variant: Some("standard".to_owned()),
            author: author.and_then(|id| id.split_once('/')).map(|(author, _)| author.to_owned()),
            provider_id: row.provider_id.map(str::to_owned),
        })
    }

    /// A free model costs nothing.
    fn price<'r>(&'r self, row: &mut AttemptRow<'r>) {
        if row.model_id == Some("zeta/free") {
            (row.cost_usd, row.price_source) = (Some(0), Some("list"));
        }
    }
}

const NONE: Aliases = Aliases(&[]);
const NEW: Aliases = Aliases(&[("prod", "acme/one"), ("gratis", "zeta/free")]);

const RAW: [&str; 4] = ["acme/one", "prod", "gratis", "behind-a-host"];
/// Today, yesterday, the Sunday before, and a day of the month before.
const DAYS: [i64; 4] = [0, 1, 3, 30];

/// Rows of one day as ingest makes them under a catalogue: a file each with `raw`, by turns of users and apps.
fn day<'a>(
    ids: &'a [String],
    days_ago: i64,
    naming: &'a Aliases,
    named: &'a mut Vec<Option<Named>>,
) -> Vec<AttemptRow<'a>> {
    let rows: Vec<AttemptRow<'a>> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| AttemptRow {
            started_at: NOON_US - days_ago * DAY_US + n as i64 * 61_000_000,
            raw_model: Some(RAW[n % RAW.len()]),
            model_id: Some(RAW[n % RAW.len()]),
            author: None,
            user_key: Some(n as i64 % 5),
            app_id: Some(["kilo", "chat"][n / 4 % 2]),
            outcome: ["ok", "ok", "fault"][n / 3 % 3],
            error_class: [None, None, Some("timeout")][n / 3 % 3],
            src_topic: "t",
            src_offset: days_ago * 100 + n as i64,
            ..attempt(id)
        })
        .collect();
    *named = rows.iter().map(|row| naming.name(row)).collect();
    let renamed = rows.into_iter().zip(named.iter());
    renamed
        .map(|(row, named)| match named {
            None => row,
            Some(named) => {
                let mut row = AttemptRow {
                    model_id: named.model_id.as_deref(),
                    author: named.author.as_deref(),
                    ..row
                };
                naming.price(&mut row);
                row
            }
        })
        .collect()
}

/// A warehouse of rows that came under a catalogue, two files a day: the second has names that no catalogue moves.
async fn born(naming: &Aliases) -> Fixture {
    let mut f = Fixture::new().await;
    for days_ago in DAYS {
        let ids: Vec<String> = (0..24).map(|n| format!("e{days_ago}-{n:02}")).collect();
        let mut named = Vec::new();
        f.append(&day(&ids, days_ago, naming, &mut named)).await;
        let still = [format!("s{days_ago}-0")];
        let row =
            AttemptRow { started_at: NOON_US - days_ago * DAY_US, src_topic: "t", ..attempt(&still[0]) };
        f.append(&[row]).await;
    }
    // Where a stream stands.
    let advance = vec![Advance { app: AppId("ingest/t/0".into()), from: None, to: 3_024 }];
    f.attempts.commit(Change { advance, ..Change::default() }).await.unwrap();
    f
}

/// Merged rows of every rollup, as text.
async fn rollups(f: &Fixture) -> Vec<(&'static str, Vec<String>)> {
    let mut all = Vec::new();
    for table in TableId::of(Kind::Folded).chain(TableId::of(Kind::Recomputed)) {
        let rollup = table.rollup().unwrap();
        let sql = rollup.merge().replace("FROM part", &format!("FROM {}", table.name()));
        all.push((table.name(), f.query(&sql).await));
    }
    all
}

const EVERYTHING: &str = "SELECT * FROM attempts ORDER BY event_id";
const LINEAGE: &str = "SELECT event_id, src_topic, src_partition, src_offset, src_index, ingested_at FROM attempts ORDER BY 1, 4";

async fn assert_as_born(f: &Fixture, naming: &Aliases) {
    let mut fresh = born(naming).await;
    fresh.jobs.fold(at(NOW)).await.unwrap();
    fresh.jobs.recompute().await.unwrap();
    assert_eq!(f.query(EVERYTHING).await, fresh.query(EVERYTHING).await);
    for ((table, found), (_, expected)) in rollups(f).await.into_iter().zip(rollups(&fresh).await) {
        assert!(!expected.is_empty() || table == "intake_daily", "{table}");
        assert_eq!(found, expected, "{table}");
    }
}

async fn versions(f: &Fixture) -> Vec<i64> {
    let mut versions = Vec::new();
    for table in TableId::ALL {
        versions.push(f.snapshot(table).await.version());
    }
    versions
}

fn rename(of: &'static str, from: Option<&str>, to: Option<&str>, rows: i64) -> Renaming {
    Renaming { of, from: from.map(str::to_owned), to: to.map(str::to_owned), rows }
}

/// Six rows of each raw name a day, on four days.
const RENAMED: i64 = 2 * 6 * 4;

#[tokio::test]
async fn rows_get_the_names_of_now_and_rollups_are_those_of_attempts_that_came_with_them() {
    let mut f = born(&NONE).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    f.jobs.recompute().await.unwrap();
    let (lineage, files) = (f.query(LINEAGE).await, f.snapshot(TableId::Attempts).await.files().to_vec());
    let report = f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
    assert_eq!(
        (report.dates_read, report.dates, report.files, report.rows, report.unclear_rows),
        (4, 4, 4, RENAMED, 6 * 4)
    );
    assert_eq!(
        report.renames,
        [
            rename("model", Some("gratis"), Some("zeta/free"), RENAMED / 2),
            rename("model", Some("prod"), Some("acme/one"), RENAMED / 2)
        ]
    );
    assert_as_born(&f, &NEW).await;
    assert_eq!(f.query(LINEAGE).await, lineage);
    let now = f.snapshot(TableId::Attempts).await;
    assert_eq!(now.txns("ingest/"), [(AppId("ingest/t/0".into()), 3_024)]);
    // Files without such a name are the same ones.
    let kept = files.iter().filter(|file| now.files().contains(file)).count();
    assert_eq!((kept, now.files().len()), (4, 8));
    assert_eq!(
        f.query(
            "SELECT cost_usd, price_source, count(*) FROM attempts WHERE raw_model = 'gratis' GROUP BY 1, 2"
        )
        .await,
        ["0.000000000 list 24"]
    );
    // Nothing is left to do, by whom ever it is asked.
    let before = versions(&f).await;
    let report = f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
    assert_eq!((report.rows, report.files, report.rebuilt, report.dates_read), (0, 0, 0, 4));
    assert_eq!(versions(&f).await, before);
    assert!(due(&mut f.jobs, at(NOW)).await.unwrap().is_empty());
    // A fold reads nothing of it again.
    assert_eq!(f.jobs.fold(at(NOW)).await.unwrap().attempts, 0);
    assert_as_born(&f, &NEW).await;
}

#[tokio::test]
async fn only_dates_that_were_asked_for_are_touched_and_telling_does_nothing() {
    let mut f = born(&NONE).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let before = versions(&f).await;
    let told = f.jobs.remap(Asked { intent: Intent::Tell, ..ASKED }, &NEW, at(NOW)).await.unwrap();
    assert_eq!((told.is_done, told.dates, told.files, told.rows, told.rebuilt), (false, 4, 4, RENAMED, 0));
    assert_eq!(versions(&f).await, before);
    let (from, to) = ("2026-11-22".parse().ok(), "2026-11-24".parse().ok());
    let report = f.jobs.remap(Asked { from, to, intent: Intent::Do }, &NEW, at(NOW)).await.unwrap();
    assert_eq!((report.dates_read, report.dates, report.rows), (2, 2, RENAMED / 2));
    let of_day =
        "SELECT date, count(*) FROM usage_daily WHERE model_id = 'zeta/free' GROUP BY date ORDER BY date";
    assert_eq!(
        f.query(of_day).await.iter().map(|row| &row[..10]).collect::<Vec<_>>(),
        ["2026-11-22", "2026-11-24"]
    );
}

#[tokio::test]
async fn what_was_not_folded_yet_is_folded_from_the_rows_that_came_and_made_again() {
    let mut f = born(&NONE).await;
    f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
    assert_as_born(&f, &NEW).await;
    // Late rows under the former catalogue, of which another process has folded none when their date is read again.
    let late =
        AttemptRow { raw_model: Some("prod"), model_id: Some("prod"), author: None, ..attempt("late") };
    f.append(&[late]).await;
    let report = f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
    assert_eq!((report.rows, report.dates), (1, 1));
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily WHERE model_id = 'prod'").await, ["-"]);
    let served = "SELECT count(*) FROM attempts WHERE model_id = 'acme/one' AND outcome = 'ok'";
    assert_eq!(
        f.query("SELECT sum(requests) FROM usage_daily WHERE model_id = 'acme/one'").await,
        f.query(served).await
    );
}

#[tokio::test]
async fn wherever_it_ends_going_on_gives_the_same() {
    // Before the commit of the second date.
    let mut f = born(&NONE).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let repair = f.damage_log(TableId::Attempts).await;
    f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap_err();
    repair();
    f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
    assert_as_born(&f, &NEW).await;
    // After the commits, before any rollup: another run, or the rounds of a service.
    for by_service in [false, true] {
        let mut f = born(&NONE).await;
        f.jobs.fold(at(NOW)).await.unwrap();
        f.jobs.recompute().await.unwrap();
        for days_ago in DAYS {
            let date = at(NOW).date_naive() - chrono::Days::new(days_ago as u64);
            refresh(&mut f.jobs.attempts).await.unwrap();
            date_again(&mut f.jobs, date, Intent::Do, &NEW, at(NOW), &mut || Box::pin(async {}))
                .await
                .unwrap();
        }
        f.jobs = Jobs::open(&f.warehouse).await.unwrap();
        match by_service {
            false => {
                let report = f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
                assert!(report.rows == 0 && report.rebuilt > 0, "{report}");
            }
            true => {
                let report = f.jobs.run_once(at(NOW)).await;
                assert!(
                    report.jobs.iter().all(|job| matches!(job.outcome, Outcome::Done { .. })),
                    "{report}"
                );
            }
        }
        assert_as_born(&f, &NEW).await;
        assert!(due(&mut f.jobs, at(NOW)).await.unwrap().is_empty());
    }
    // Between two rollups.
    for table in [TableId::UsageDaily, TableId::UsersByWeek, TableId::RoutingHourly] {
        let mut f = born(&NONE).await;
        f.jobs.fold(at(NOW)).await.unwrap();
        f.jobs.recompute().await.unwrap();
        let repair = f.damage_log(table).await;
        let report = f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
        assert_eq!((report.rows, report.left), (RENAMED, Some(Left::Failed)), "{table:?}");
        repair();
        f.jobs = Jobs::open(&f.warehouse).await.unwrap();
        f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
        assert_as_born(&f, &NEW).await;
    }
}

/// Runs `act` on `attempts`, as another process has it, when the first date was read and nothing of it is committed. Returns how
/// often a date was read.
async fn remap_while(
    f: &mut Fixture,
    act: impl Fn(&mut Table) -> BoxFuture<'_, ()> + Send + Sync + 'static,
) -> usize {
    let (count, act) = (Arc::new(AtomicUsize::new(0)), Arc::new(act));
    let (counted, warehouse) = (Arc::clone(&count), f.warehouse.clone());
    let mut looked = move || -> BoxFuture<'static, ()> {
        let (warehouse, act) = (warehouse.clone(), Arc::clone(&act));
        let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            if is_first {
                act(&mut warehouse.table(TableId::Attempts).await.unwrap()).await;
            }
        })
    };
    let asked = Asked { from: "2026-11-24".parse().ok(), ..ASKED };
    remap_beside(&mut f.jobs, asked, &NEW, at(NOW), &mut looked).await.unwrap();
    count.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_date_that_was_compacted_meanwhile_is_begun_again() {
    let mut f = born(&NONE).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let tried = remap_while(&mut f, |table| Box::pin(compact(table, "2026-11-24"))).await;
    // Two dates, of which one was begun twice.
    assert_eq!(tried, 3);
    f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
    assert_as_born(&f, &NEW).await;
}

async fn compact(table: &mut Table, date: &str) {
    let files: Vec<_> =
        table.snapshot().files().iter().filter(|file| file.path.contains(date)).cloned().collect();
    assert_eq!(files.len(), 2);
    table.compact(files, AppId(format!("compact/{date}")), 1 << 20).await.unwrap();
}

#[tokio::test]
async fn rows_that_come_meanwhile_stay_beside_those_that_were_read() {
    let mut f = born(&NONE).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let tried = remap_while(&mut f, |table| {
        Box::pin(async {
            let late = AttemptRow { started_at: NOON_US - DAY_US, ..attempt("late") };
            append(table, &batch(&[late])).await.unwrap();
        })
    })
    .await;
    assert_eq!(tried, 2);
    assert_eq!(f.query("SELECT count(*) FROM attempts").await, ["101"]);
    let of_day = "SELECT sum(attempts) FROM health_daily WHERE date = '2026-11-24'";
    assert_eq!(f.query(of_day).await, ["26"]);
}

#[tokio::test]
async fn a_rebuild_of_rows_from_before_is_made_again_and_maintenance_keeps_the_marks() {
    let mut f = born(&NONE).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    f.jobs.recompute().await.unwrap();
    let dates = BTreeSet::from(["2026-11-24".parse().unwrap()]);
    let tables = f.jobs.rebuilt().map(|(rollup, _)| rollup.level.table).collect();
    let warehouse = f.warehouse.clone();
    let mut computed = move || -> BoxFuture<'static, ()> {
        let warehouse = warehouse.clone();
        Box::pin(async move {
            // Another process gets as far as the attempts.
            let mut jobs = Jobs::open(&warehouse).await.unwrap();
            let date = "2026-11-24".parse().unwrap();
            date_again(&mut jobs, date, Intent::Do, &NEW, at(NOW), &mut || Box::pin(async {})).await.unwrap();
        })
    };
    let rebuild = Batch { dates: &dates, tables, now: at(NOW), folding: Folding::Here };
    rebuild::rebuild_batch(&mut f.jobs, rebuild, &mut computed).await.unwrap();
    let mut maintainer = Maintainer::open(&f.warehouse, MaintainSettings::default()).await.unwrap();
    maintainer.round(crate::Depth::Whole, Intent::Do, at(NOW)).await;
    f.attempts.refresh().await.unwrap();
    f.attempts.checkpoint().await.unwrap();
    f.jobs = Jobs::open(&f.warehouse).await.unwrap();
    let waits = due(&mut f.jobs, at(NOW)).await.unwrap();
    assert!(waits.iter().any(|due| due.dates == dates && due.tables.contains(&TableId::UsageDaily)));
    f.jobs.remap(ASKED, &NEW, at(NOW)).await.unwrap();
    assert_as_born(&f, &NEW).await;
}

#[tokio::test]
async fn a_report_says_what_became_of_what() {
    let report = RemapReport {
        is_done: true,
        dates_read: 9,
        dates: 2,
        files: 3,
        rows: 40,
        unclear_rows: 5,
        renames: vec![
            rename("model", Some("prod"), Some("acme/one"), 40),
            rename("provider", None, Some("north"), 1),
        ],
        renames_left: 1,
        rebuilt: 4,
        left: Some(Left::Failed),
    };
    assert_eq!(
        report.to_string(),
        "renamed: 40 rows in 3 files of 2 dates (9 dates read)\n          \
         40 rows  model    prod → acme/one\n           \
         1 rows  provider none → north\n\
         and 1 further names\n\
         5 rows stay as they are: the catalogue asks for the host that they were sent to, which rows do not tell\n\
         rollups made again: 4 runs of dates; the next publication shows them\n\
         some rollups are not made again yet: that is left to the service, or to the next run of this"
    );
    let nothing = RemapReport { dates_read: 9, ..RemapReport::default() };
    assert_eq!(nothing.to_string(), "every name of 9 dates is taken for what it was");
}
