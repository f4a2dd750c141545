mod again;
mod hours;
mod lanes;
mod late;
mod live;
mod market;
mod names;
mod place;
mod plans;
mod pool;
mod remapped;
mod renamed;
mod revisions;
mod rounds;
mod stages;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::{Catalogue, Keyless, Metric, Terms};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};
use bellwether_warehouse::{Advance, Change, Snapshot, TableId, fold_app};
use chrono::{DateTime, NaiveDate};

use super::{PublishReport, Publisher};
use crate::settle::Settling;
use crate::testing::{Fixture, at};
use crate::{Depth, Error, Intent, Jobs, MaintainSettings, Maintainer, Step};

const NOW: &str = "2026-11-25T13:00:00Z";

fn terms(users: u32) -> Terms {
    Terms {
        catalogue: Catalogue::default(),
        users,
        keyless: Keyless::Hide,
        has_raw_names: false,
        growth_requests: 1,
        counted_attempts: 1,
        speed_requests: 1,
        watermark: DateTime::UNIX_EPOCH,
        today: NaiveDate::default(),
    }
}

fn of_user(id: &str, days_ago: i64, user: i64) -> AttemptRow<'_> {
    AttemptRow { started_at: NOON_US - days_ago * DAY_US, user_key: Some(user), ..attempt(id) }
}

fn gate() -> TableId {
    bellwether_metrics::gate::METRIC.id()
}

/// Two tables, one of which reads the other, stand for all: what is asked here is the same for each.
const SOME: &[Metric] = &[bellwether_metrics::gate::METRIC, bellwether_metrics::usage_by_day::METRIC];

async fn publisher(f: &Fixture, users: u32) -> Publisher {
    Publisher::open_some(&f.warehouse, terms(users), SOME).await.unwrap()
}

async fn add(f: &mut Fixture, rows: &[AttemptRow<'_>], now: &str) {
    f.append(rows).await;
    f.jobs.fold(at(now)).await.unwrap();
}

async fn newest(f: &Fixture) -> Publication {
    Publication::newest(&f.snapshot(publications::id()).await).await.unwrap().unwrap()
}

/// Answer over the gate as the newest publication names it.
async fn published(f: &Fixture, sql: &str) -> Vec<String> {
    let version = newest(f).await.versions["gate"];
    let snapshot = f.warehouse.table(gate()).await.unwrap().at(version).await.unwrap();
    names::answer(f, snapshot, sql).await
}

/// How many of its dates changed.
fn dates_of_gate(report: &PublishReport) -> usize {
    report.tables.iter().find(|table| table.table == "gate").map_or(0, |table| table.dates)
}

const VARIANTS: &str =
    "SELECT date, users, is_public FROM gate WHERE dimension = 'variant' AND key = 'acme/one' ORDER BY date";

async fn versions(f: &Fixture) -> Vec<i64> {
    let mut versions = Vec::new();
    for table in bellwether_metrics::tables() {
        versions.push(f.snapshot(table).await.version());
    }
    versions
}

fn files(snapshot: &Snapshot, month: &str) -> usize {
    snapshot.files().iter().filter(|file| file.path.starts_with(&format!("month={month}"))).count()
}

/// Rows of each table that is expected.
fn assert_same(found: &BTreeMap<&'static str, Vec<String>>, expected: &BTreeMap<&'static str, Vec<String>>) {
    for (table, rows) in expected {
        let differ: Vec<_> = found[table].iter().filter(|row| !rows.contains(row)).take(3).collect();
        assert!(
            found[table] == *rows,
            "{table}: {} and {} rows; {differ:#?}",
            found[table].len(),
            rows.len()
        );
    }
}

#[tokio::test]
async fn an_empty_warehouse_gets_its_tables_and_publication_0_and_then_nothing() {
    let f = Fixture::new().await;
    let mut publisher = publisher(&f, 2).await;
    assert_eq!(publisher.publish(at(NOW)).await.unwrap().number, Some(0));
    let first = newest(&f).await;
    assert_eq!((first.number, first.attempts_version), (0, None));
    assert_eq!(first.published_at, at(NOW));
    assert_eq!((first.watermark, first.newest_event_at), (at("2026-11-25T12:58:00Z"), None));
    let before = versions(&f).await;
    for now in [NOW, "2026-11-25T13:01:00Z", "2026-11-26T13:00:00Z"] {
        let report = publisher.publish(at(now)).await.unwrap();
        assert_eq!((report.number, report.tables.len()), (None, 0), "{now}");
    }
    assert_eq!(versions(&f).await, before);
}

#[tokio::test]
async fn what_a_fold_brought_is_published_once_under_the_version_it_came_from() {
    let mut f = Fixture::new().await;
    let mut publisher = publisher(&f, 2).await;
    add(&mut f, &[of_user("a", 2, 1), of_user("b", 1, 2), of_user("c", 0, 3)], NOW).await;
    let report = publisher.publish(at(NOW)).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (Some(0), 3));
    // Today has what yesterday had: two users.
    let expected = ["2026-11-23 1 false", "2026-11-24 2 true", "2026-11-25 2 true"];
    assert_eq!(published(&f, VARIANTS).await, expected);
    let last = newest(&f).await;
    assert_eq!(last.attempts_version, Some(1));
    assert_eq!(last.seen["usage_daily"], f.snapshot(TableId::UsageDaily).await.version());
    assert_eq!(last.versions["gate"], f.snapshot(gate()).await.version());
    assert_eq!(last.watermark, at("2026-11-25T12:58:00Z"));
    assert_eq!(last.newest_event_at, Some(at("2026-11-25T12:00:00Z")));
    assert!(last.what.starts_with("the first publication; gate: 3 dates"), "{}", last.what);
    // Nothing new.
    let before = versions(&f).await;
    assert_eq!(publisher.publish(at("2026-11-25T13:01:00Z")).await.unwrap().number, None);
    assert_eq!(versions(&f).await, before);
    // New rows that decide nothing: the gate stays, and what was published is of the new version.
    add(&mut f, &[of_user("d", 0, 9)], NOW).await;
    let report = publisher.publish(at("2026-11-25T13:02:00Z")).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (Some(1), 0));
    assert_eq!(newest(&f).await.attempts_version, Some(2));
    assert_eq!(versions(&f).await[0], before[0]);
    // A clock that runs ahead tells of no event that has not been.
    add(&mut f, &[of_user("ahead", -1, 4)], NOW).await;
    publisher.publish(at("2026-11-25T13:05:00Z")).await.unwrap();
    assert_eq!(newest(&f).await.newest_event_at, Some(at("2026-11-25T13:05:00Z")));
}

#[tokio::test]
async fn a_day_that_closes_is_decided_and_the_next_one_follows_it() {
    let mut f = Fixture::new().await;
    let mut publisher = publisher(&f, 2).await;
    add(&mut f, &[of_user("a", 1, 1), of_user("b", 0, 2)], NOW).await;
    publisher.publish(at(NOW)).await.unwrap();
    assert_eq!(published(&f, VARIANTS).await, ["2026-11-24 1 false", "2026-11-25 1 false"]);
    // Nothing comes any more; two days later all days in between are there.
    publisher.publish(at("2026-11-27T02:10:00Z")).await.unwrap();
    let expected = ["2026-11-24 1 false", "2026-11-25 2 true", "2026-11-26 2 true", "2026-11-27 2 true"];
    assert_eq!(published(&f, VARIANTS).await, expected);
    assert!(newest(&f).await.what.starts_with("gate: 3 dates"));
}

#[tokio::test]
async fn a_late_row_moves_the_dates_that_it_touches_and_no_file_of_others() {
    let mut f = Fixture::new().await;
    let mut publisher = publisher(&f, 2).await;
    let rows: Vec<String> = (0..10).map(|days| format!("e{days}")).collect();
    let rows: Vec<_> = rows.iter().zip(0..).map(|(id, days)| of_user(id, days, 1)).collect();
    add(&mut f, &rows, NOW).await;
    publisher.publish(at(NOW)).await.unwrap();
    let before: BTreeSet<String> =
        f.snapshot(gate()).await.files().iter().map(|file| file.path.clone()).collect();
    add(&mut f, &[of_user("late", 3, 2)], NOW).await;
    let report = publisher.publish(at(NOW)).await.unwrap();
    assert_eq!(dates_of_gate(&report), 4);
    let after: BTreeSet<String> =
        f.snapshot(gate()).await.files().iter().map(|file| file.path.clone()).collect();
    assert_eq!((before.len(), after.len(), before.intersection(&after).count()), (10, 10, 6));
    let decided = published(&f, VARIANTS).await;
    assert_eq!(decided[5..8], ["2026-11-21 1 false", "2026-11-22 2 true", "2026-11-23 2 true"]);
}

/// Ends when the tables are written and nothing says so.
async fn cut_off(mut publisher: Publisher) {
    assert!(publisher.look().await.unwrap().is_even());
    let round = publisher.begin(at(NOW)).await.unwrap();
    let stage = publisher.put_all(&round).await.unwrap();
    assert!(stage.tables.iter().any(|table| table.table == "gate" && table.dates > 0));
}

#[tokio::test]
async fn what_was_cut_off_before_the_row_of_the_publication_is_made_whole() {
    let mut f = Fixture::new().await;
    let mut first = publisher(&f, 2).await;
    add(&mut f, &[of_user("a", 1, 1)], NOW).await;
    first.publish(at(NOW)).await.unwrap();
    add(&mut f, &[of_user("b", 1, 2)], NOW).await;
    cut_off(first).await;
    let left = versions(&f).await;
    // Readers see what they saw.
    assert_eq!(published(&f, VARIANTS).await[0], "2026-11-24 1 false");
    // Another process finds it: nothing is written twice, and it is named.
    let mut second = publisher(&f, 2).await;
    let report = second.publish(at(NOW)).await.unwrap();
    assert_eq!((report.number, report.tables.len()), (Some(1), 0));
    assert_eq!(versions(&f).await[0], left[0]);
    assert_eq!(published(&f, VARIANTS).await, ["2026-11-24 2 true", "2026-11-25 2 true"]);
    // What was cut off under other terms is not taken for ours.
    let other = publisher(&f, 3).await;
    add(&mut f, &[of_user("c", 0, 3)], NOW).await;
    cut_off(other).await;
    second.publish(at(NOW)).await.unwrap();
    assert_eq!(published(&f, VARIANTS).await, ["2026-11-24 2 true", "2026-11-25 2 true"]);
}

#[tokio::test]
async fn dropped_anywhere_the_next_publication_is_whole() {
    let mut f = Fixture::new().await;
    add(&mut f, &[of_user("a", 40, 1), of_user("b", 1, 2)], NOW).await;
    for polls in 0..60 {
        let mut dropped = publisher(&f, 2 + polls % 2).await;
        let mut future = Box::pin(dropped.publish(at(NOW)));
        for _ in 0..polls {
            if futures::poll!(&mut future).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let mut whole = publisher(&f, 2).await;
    whole.publish(at(NOW)).await.unwrap();
    let found = published(&f, "SELECT min(date), max(date), count(*), count(DISTINCT date) FROM gate").await;
    // 28 days of the one user, the last two of the other one; of variant and provider each.
    assert_eq!(found, ["2026-10-16 2026-11-25 60 30"]);
}

#[tokio::test]
async fn of_two_at_a_time_one_publishes_and_the_other_looks_again() {
    let mut f = Fixture::new().await;
    let (mut one, mut other) = (publisher(&f, 2).await, publisher(&f, 2).await);
    for round in 0..4 {
        let id = format!("e{round}");
        add(&mut f, &[of_user(&id, 1, round)], NOW).await;
        let (a, b) = tokio::join!(one.publish(at(NOW)), other.publish(at(NOW)));
        for result in [a, b] {
            assert!(
                result.as_ref().is_ok_and(|_| true) || result.as_ref().is_err_and(Error::is_fenced),
                "{result:?}"
            );
        }
        one.publish(at(NOW)).await.unwrap();
        let report = other.publish(at(NOW)).await.unwrap();
        assert_eq!((report.number, report.tables.len()), (None, 0));
        assert_eq!(newest(&f).await.attempts_version, Some(round + 1));
        let users = round + 1;
        assert_eq!(published(&f, VARIANTS).await[0], format!("2026-11-24 {users} {}", users >= 2));
    }
}

#[tokio::test]
async fn other_terms_recompute_everything_and_whoever_comes_later_takes_over() {
    let mut f = Fixture::new().await;
    let mut first = publisher(&f, 2).await;
    add(&mut f, &[of_user("a", 1, 1)], NOW).await;
    first.publish(at(NOW)).await.unwrap();
    assert_eq!(published(&f, VARIANTS).await, ["2026-11-24 1 false", "2026-11-25 1 false"]);
    let mut second = publisher(&f, 1).await;
    second.publish(at(NOW)).await.unwrap();
    assert_eq!(published(&f, VARIANTS).await, ["2026-11-24 1 true", "2026-11-25 1 true"]);
    assert!(newest(&f).await.what.starts_with("other terms than publication 0"));
    // The first one does not take it back, now or later.
    let (ours, theirs) = (terms(2).fingerprint(), terms(1).fingerprint());
    for _ in 0..2 {
        let error = first.publish(at(NOW)).await.unwrap_err();
        assert!(matches!(&error, Error::OtherTerms { number: 1, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&ours) && text.contains(&theirs), "{text}");
    }
    assert_eq!(second.publish(at(NOW)).await.unwrap().number, None);
    // The time of day is no term.
    let moved = Terms { watermark: at(NOW), today: at(NOW).date_naive(), ..terms(2) };
    assert_eq!(moved.fingerprint(), ours);
}

#[tokio::test]
async fn rollups_that_are_only_merged_or_not_even_publish_nothing() {
    let mut f = Fixture::new().await;
    let mut publisher = publisher(&f, 2).await;
    for id in ["a", "b", "c"] {
        add(&mut f, &[of_user(id, 1, 1)], NOW).await;
    }
    publisher.publish(at(NOW)).await.unwrap();
    let before = versions(&f).await;
    assert!(f.jobs.settle(Settling::Closed, at(NOW)).await.unwrap().dates > 0);
    assert_eq!(publisher.publish(at(NOW)).await.unwrap().number, None);
    // A fold that was cut off behind its first table.
    f.append(&[of_user("d", 1, 2)]).await;
    let mut ahead = f.warehouse.table(TableId::UsageHourly).await.unwrap();
    let advance = vec![Advance { app: fold_app(), from: Some(3), to: 4 }];
    ahead.commit(Change { advance, ..Change::default() }).await.unwrap();
    let report = publisher.publish(at(NOW)).await.unwrap();
    assert_eq!(report.number, None);
    assert!(report.waits_for.contains(&"health_daily"), "{report}");
    assert_eq!(versions(&f).await, before);
    f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!(publisher.publish(at(NOW)).await.unwrap().number, Some(1));
}

#[tokio::test]
async fn a_running_month_holds_a_file_a_date_and_a_closed_one_becomes_one_file() {
    let mut f = Fixture::new().await;
    let mut publisher = publisher(&f, 2).await;
    add(&mut f, &[of_user("a", 40, 1), of_user("b", 10, 1), of_user("c", 0, 2)], NOW).await;
    publisher.publish(at(NOW)).await.unwrap();
    let snapshot = f.snapshot(gate()).await;
    // From the 16th of October the first user for 28 days; then from the 15th of November on.
    assert_eq!((files(&snapshot, "2026-10"), files(&snapshot, "2026-11")), (1, 12 + 11));
    let rows = published(&f, "SELECT * FROM gate ORDER BY date, dimension, key").await;
    publisher.publish(at("2026-12-01T01:00:00Z")).await.unwrap();
    let snapshot = f.snapshot(gate()).await;
    let held = ["2026-10", "2026-11", "2026-12"].map(|month| files(&snapshot, month));
    assert_eq!(held, [1, 1, 1]);
    let now = published(&f, "SELECT * FROM gate ORDER BY date, dimension, key").await;
    assert_eq!(rows[..rows.len() - 2], now[..rows.len() - 2], "closed days stay as they were");
    assert_eq!(publisher.publish(at("2026-12-01T01:01:00Z")).await.unwrap().number, None);
}

#[tokio::test]
async fn where_the_log_no_longer_reaches_back_everything_is_looked_at() {
    let mut f = Fixture::new().await;
    let mut first = publisher(&f, 2).await;
    add(&mut f, &[of_user("a", 40, 1), of_user("b", 1, 1)], NOW).await;
    first.publish(at(NOW)).await.unwrap();
    add(&mut f, &[of_user("c", 40, 2)], NOW).await;
    let table = f.warehouse.table(TableId::UsageDaily).await.unwrap();
    table.checkpoint().await.unwrap();
    let log = f.root().join("usage_daily/_delta_log");
    for version in 0..=table.snapshot().version() {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let mut second = publisher(&f, 2).await;
    second.publish(at(NOW)).await.unwrap();
    assert_eq!(published(&f, VARIANTS).await[0], "2026-10-16 2 true");
}

#[tokio::test]
async fn a_scheduler_publishes_and_its_failures_stop_no_fold() {
    let mut f = Fixture::new().await;
    add(&mut f, &[of_user("a", 1, 1)], NOW).await;
    let mut scheduler = crate::Scheduler::new(Jobs::open(&f.warehouse).await.unwrap()).publishing(terms(1));
    let report = scheduler.run_once(at(NOW)).await;
    assert!(report.is_clean(), "{report}");
    let last = report.jobs.last().unwrap();
    assert_eq!((last.job, last.published.as_ref().unwrap().number), (crate::Job::Publish, Some(0)));
    assert!(report.to_string().contains("publication 0"), "{report}");
    let mend = f.damage_log(publications::id()).await;
    f.append(&[of_user("b", 1, 2)]).await;
    let report = scheduler.run_once(at("2026-11-25T13:00:30Z")).await;
    assert!(!report.is_clean());
    assert_eq!(f.query("SELECT sum(requests) FROM usage_daily").await, ["2"]);
    mend();
    // It waits a little, and then finds what it had left.
    let report = scheduler.run_once(at("2026-11-25T13:00:35Z")).await;
    assert!(report.jobs.iter().all(|report| report.job != crate::Job::Publish));
    let report = scheduler.run_once(at("2026-11-25T13:00:45Z")).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(published(&f, VARIANTS).await[0], "2026-11-24 2 true");
}

#[tokio::test]
async fn a_scheduler_takes_other_terms_over_as_a_process_that_starts_does() {
    let mut f = Fixture::new().await;
    add(&mut f, &[of_user("a", 1, 1)], NOW).await;
    let (sender, receiver) = tokio::sync::watch::channel(terms(1));
    let jobs = Jobs::open(&f.warehouse).await.unwrap();
    let mut scheduler = crate::Scheduler::new(jobs).publishing_as(receiver);
    assert!(scheduler.run_once(at(NOW)).await.is_clean());
    assert_eq!(newest(&f).await.terms, terms(1).fingerprint());
    sender.send_replace(terms(2));
    let report = scheduler.run_once(at("2026-11-25T13:00:30Z")).await;
    assert!(report.is_clean(), "{report}");
    let row = newest(&f).await;
    assert_eq!((row.number, row.terms), (1, terms(2).fingerprint()));
    // Those stay when nobody is left to give others.
    drop(sender);
    f.append(&[of_user("b", 1, 2)]).await;
    let report = scheduler.run_once(at("2026-11-25T13:01:30Z")).await;
    assert!(report.is_clean(), "{report}");
    let row = newest(&f).await;
    assert_eq!((row.number, row.terms), (2, terms(2).fingerprint()));
}

#[tokio::test]
async fn the_loop_publishes_what_it_folds() {
    let mut f = Fixture::new().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let scheduler = crate::Scheduler::new(Jobs::open(&f.warehouse).await.unwrap()).publishing(terms(1));
    let running = tokio::spawn(scheduler.run_forever(std::time::Duration::from_millis(5), stopped));
    for id in ["a", "b"] {
        f.append(&[attempt(id)]).await;
        let version = f.attempts.snapshot().version();
        let seen = async {
            loop {
                if let Ok(table) = f.warehouse.table(publications::id()).await
                    && let Ok(Some(last)) = Publication::newest(table.snapshot()).await
                    && last.live_attempts_version == Some(version)
                    && last.attempts_version.is_some()
                {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        f.warehouse.world().within(std::time::Duration::from_secs(50), seen).await.unwrap();
    }
    stop.send(true).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn published_tables_are_listed_and_maintained_once_they_exist() {
    let mut f = Fixture::new().await;
    let settings = MaintainSettings { checkpoint_after_commits: 2, ..MaintainSettings::default() };
    let mut maintainer = Maintainer::open(&f.warehouse, settings).await.unwrap();
    let before = maintainer.round(Depth::Whole, Intent::Do, at(NOW)).await;
    assert!(before.is_clean() && before.tables.iter().all(|table| table.table != "gate"), "{before}");
    assert!(f.jobs.status().await.unwrap().published.is_empty());

    let mut publisher = publisher(&f, 2).await;
    for id in ["a", "b", "c"] {
        add(&mut f, &[of_user(id, 1, 1)], NOW).await;
        publisher.publish(at(NOW)).await.unwrap();
    }
    f.append(&[attempt("d")]).await;
    let listed = f.jobs.status().await.unwrap().published;
    let of = |name: &str| listed.iter().find(|table| table.table == name).unwrap();
    assert_eq!((of("gate").computed_at, of("gate").lag), (Some(3), 1));
    assert_eq!(of("gate").newest_date, Some("2026-11-25".parse().unwrap()));
    // A day, a variant, a provider; a file a publication.
    assert_eq!((of("gate").rows, of("gate").files), (4, 2));
    assert_eq!((of("publications").rows, of("publications").files), (3, 3));
    let round = maintainer.round(Depth::Whole, Intent::Do, at(NOW)).await;
    assert!(round.is_clean(), "{round}");
    let publications = round.tables.iter().find(|table| table.table == "publications").unwrap();
    let steps: Vec<Step> = publications.steps.iter().map(|(step, _)| *step).collect();
    assert_eq!((steps, publications.active.files), (vec![Step::Checkpoint], 3));
    assert!(round.tables.iter().any(|table| table.table == "gate"));
}
