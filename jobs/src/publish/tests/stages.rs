//! Much at once: the newest days first, and nothing of former terms in between.

use std::collections::BTreeMap;

use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::{
    Metric, gate, growth_by_month, health_by_day, health_by_hour, health_now, share_by_week, usage_by_day,
};
use bellwether_warehouse::{Snapshot, Table};
use chrono::NaiveDate;

use super::super::{Publisher, Stage};
use super::names::answer;
use super::{NOW, add, newest, of_user, terms};
use crate::testing::{Fixture, at};

/// One that all need, one that others read, one of weeks, one of months that looks back, one of half a year, one of a recent
/// history, one of now.
const TABLES: &[Metric] = &[
    gate::METRIC,
    usage_by_day::METRIC,
    share_by_week::METRIC,
    growth_by_month::METRIC,
    health_by_day::METRIC,
    health_by_hour::METRIC,
    health_now::METRIC,
];

/// Days of the history.
const DAYS: i64 = 60;

async fn publisher(f: &Fixture, users: u32) -> Publisher {
    Publisher::open_some(&f.warehouse, terms(users), TABLES).await.unwrap()
}

/// Two users on every day, three on every tenth.
async fn history() -> Fixture {
    let mut f = Fixture::new().await;
    let ids: Vec<String> = (0..3 * DAYS).map(|n| format!("e{n}")).collect();
    let rows = ids.iter().zip(0..).filter_map(|(id, n)| {
        let (days, user) = (n / 3, n % 3);
        (user < 2 || days % 10 == 0).then(|| of_user(id, days, user))
    });
    let rows: Vec<_> = rows.collect();
    add(&mut f, &rows, NOW).await;
    f
}

async fn snapshot(f: &Fixture, publication: &Publication, metric: &Metric) -> Snapshot {
    let table: Table = f.warehouse.table(metric.id()).await.unwrap();
    table.at(publication.versions[metric.table.name]).await.unwrap()
}

/// Every row of every table as a publication names them.
async fn contents(f: &Fixture, publication: &Publication) -> BTreeMap<&'static str, Vec<String>> {
    let mut contents = BTreeMap::new();
    for metric in TABLES {
        let name = metric.table.name;
        let mut rows =
            answer(f, snapshot(f, publication, metric).await, &format!("SELECT * FROM {name}")).await;
        rows.sort();
        contents.insert(name, rows);
    }
    contents
}

/// All publications, oldest first.
async fn publications(f: &Fixture) -> Vec<Publication> {
    let table = f.warehouse.table(publications::id()).await.unwrap();
    let mut all = Vec::new();
    for version in 0..=table.snapshot().version() {
        // The newest one at each version of the table.
        all.extend(Publication::newest(&table.at(version).await.unwrap()).await.unwrap());
    }
    all.dedup_by_key(|publication| publication.number);
    all
}

async fn dates(f: &Fixture, publication: &Publication, metric: &Metric, column: &str) -> Vec<String> {
    let sql = format!("SELECT DISTINCT {column} FROM {} ORDER BY 1", metric.table.name);
    answer(f, snapshot(f, publication, metric).await, &sql).await
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_first_publication_has_the_newest_days_first_and_then_a_month_each() {
    let f = history().await;
    let report = publisher(&f, 2).await.publish(at(NOW)).await.unwrap();
    let all = publications(&f).await;
    // Usage of 35 days, then what is left of October, then September; with each one more table of those that wait.
    assert_eq!((report.number, all.len()), (Some(5), 6));
    let mut first_days = Vec::new();
    for publication in &all {
        let days = dates(&f, publication, &usage_by_day::METRIC, "date").await;
        assert_eq!(days.last().unwrap(), "2026-11-25");
        // No day is left out in between.
        let first = day(&days[0]);
        assert_eq!((day("2026-11-25") - first).num_days() + 1, days.len() as i64);
        first_days.push(days[0].clone());
        // Who may be named is decided for all days before anything else is shown.
        assert_eq!(dates(&f, publication, &gate::METRIC, "date").await[0], "2026-09-27");
    }
    assert_eq!(first_days[..3], ["2026-10-21", "2026-10-01", "2026-09-27"]);
    assert_eq!(first_days[3..], ["2026-09-27"; 3]);
    let from = |at: usize| all[at].complete_from.get("usage_by_day").map(NaiveDate::to_string);
    assert_eq!((from(0), from(1), from(2)), (Some("2026-10-21".into()), Some("2026-10-01".into()), None));
    assert!(!all[4].complete_from.is_empty() && all[5].complete_from.is_empty());
    // What pages cannot do without comes alone. The week of the 28th of September has days that are not there yet.
    assert!(dates(&f, &all[0], &share_by_week::METRIC, "week_start").await.is_empty());
    assert_eq!(dates(&f, &all[1], &share_by_week::METRIC, "week_start").await[0], "2026-10-05");
    // Months look back further than the history goes.
    assert!(dates(&f, &all[1], &growth_by_month::METRIC, "month").await.is_empty());
    assert_eq!(dates(&f, &all[2], &growth_by_month::METRIC, "month").await.len(), 3);
    // A recent history is there at once, another month by month.
    for (metric, begins) in [
        (
            &health_by_day::METRIC,
            [None, None, None, Some("2026-10-21"), Some("2026-10-01"), Some("2026-09-27")],
        ),
        (&health_by_hour::METRIC, [None, None, None, None, Some("2026-10-21"), Some("2026-10-21")]),
    ] {
        for (publication, begin) in all.iter().zip(begins) {
            let health = dates(&f, publication, metric, "date").await;
            let days = begin.map_or(0, |begin| (day("2026-11-25") - day(begin)).num_days() + 1);
            let found = (health.len() as i64, health.first().map(String::as_str));
            assert_eq!(found, (days, begin), "{}", metric.table.name);
        }
    }
    // What is of now does not wait.
    let now =
        answer(&f, snapshot(&f, &all[1], &health_now::METRIC).await, "SELECT count(*) FROM health_now").await;
    assert_ne!(now, ["0"]);
    // Nothing is left to do.
    assert_eq!(publisher(&f, 2).await.publish(at(NOW)).await.unwrap().number, None);
}

#[tokio::test]
async fn whoever_is_told_not_to_go_on_ends_after_the_stage_that_is_under_way() {
    let f = history().await;
    let mut publisher = publisher(&f, 2).await;
    let report = publisher.publish_while(at(NOW), || false).await.unwrap();
    assert_eq!((report.number, publications(&f).await.len()), (Some(0), 1));
    assert!(!newest(&f).await.complete_from.is_empty());
    assert_eq!(publisher.publish_while(at(NOW), || true).await.unwrap().number, Some(5));
}

#[tokio::test]
async fn ended_between_any_two_commits_it_goes_on_and_comes_to_the_same() {
    let undisturbed = history().await;
    publisher(&undisturbed, 2).await.publish(at(NOW)).await.unwrap();
    let expected = contents(&undisturbed, &newest(&undisturbed).await).await;
    assert!(expected.values().all(|rows| !rows.is_empty()));

    // Every process ends one commit later than the one before it, all through the stages.
    let f = history().await;
    let mut ended = 0;
    while ended < 100 {
        for tables in 1..=TABLES.len() + 1 {
            cut_off_at(&f, 2, tables, NOW).await;
            ended += 1;
        }
        if newest(&f).await.complete_from.is_empty() {
            break;
        }
    }
    assert_eq!(ended, 6 * 8);
    assert_eq!(publisher(&f, 2).await.publish(at(NOW)).await.unwrap().number, None);
    assert!(contents(&f, &newest(&f).await).await == expected);
}

#[tokio::test]
async fn of_a_raised_threshold_no_former_row_is_left_at_any_publication_and_all_days_come_back() {
    let direct = history().await;
    publisher(&direct, 4).await.publish(at(NOW)).await.unwrap();

    let f = history().await;
    publisher(&f, 2).await.publish(at(NOW)).await.unwrap();
    let named = "SELECT count(*) FROM usage_by_day WHERE kind = 'key'";
    let stood = newest(&f).await;
    assert_ne!(answer(&f, snapshot(&f, &stood, &usage_by_day::METRIC).await, named).await, ["0"]);
    // One of the recent history is older than what a first publication begins with.
    let later = "2026-12-05T13:00:00Z";
    publisher(&f, 2).await.publish(at(later)).await.unwrap();
    let before = newest(&f).await;
    let kept = dates(&f, &before, &health_by_hour::METRIC, "date").await;
    assert_eq!(kept[0], "2026-10-21");

    // Four users are never there. The one that does it is ended again and again.
    for tables in [1, 3, TABLES.len() + 1, 2, 4, 5] {
        cut_off_at(&f, 4, tables, later).await;
    }
    publisher(&f, 4).await.publish(at(later)).await.unwrap();
    let all = publications(&f).await;
    let since: Vec<_> = all.iter().filter(|publication| publication.number > before.number).collect();
    assert!(since.len() >= 3);
    for publication in &since {
        assert_ne!(publication.terms, before.terms);
        let days = snapshot(&f, publication, &usage_by_day::METRIC).await;
        assert_eq!(answer(&f, days, named).await, ["0"], "publication {}", publication.number);
        let shares = snapshot(&f, publication, &share_by_week::METRIC).await;
        let named = "SELECT count(*) FROM share_by_week WHERE kind = 'key'";
        assert_eq!(answer(&f, shares, named).await, ["0"], "publication {}", publication.number);
    }
    let last = newest(&f).await;
    assert!(last.complete_from.is_empty());
    assert_eq!(dates(&f, &last, &health_by_hour::METRIC, "date").await, kept);
    // The 25th is no running day any more.
    let closed = "SELECT * EXCEPT (revision) FROM usage_by_day WHERE date < '2026-11-25' ORDER BY date, dimension, key";
    let direct_days = snapshot(&direct, &newest(&direct).await, &usage_by_day::METRIC).await;
    let expected = answer(&direct, direct_days, closed).await;
    assert!(expected.len() > 100);
    let days = snapshot(&f, &last, &usage_by_day::METRIC).await;
    assert_eq!(answer(&f, days.clone(), closed).await, expected);
    // Whether they were taken out for a while or not, all of these were replaced once.
    let revisions = "SELECT DISTINCT revision FROM usage_by_day WHERE date < '2026-11-25'";
    assert_eq!(answer(&f, days, revisions).await, ["1"]);
}

/// Puts the first tables of the next stage and ends; of more than there are, it also says so.
async fn cut_off_at(f: &Fixture, users: u32, tables: usize, now: &str) {
    let mut publisher = publisher(f, users).await;
    publisher.look().await.unwrap();
    let round = publisher.begin(at(now)).await.unwrap();
    let mut stage = Stage::default();
    for at in 0..tables.min(TABLES.len()) {
        publisher.put_next(at, &round, &mut stage).await.unwrap();
    }
    if tables > TABLES.len() {
        publisher.announce(&round, &stage).await.unwrap();
    }
}
