//! Both lanes beside each other, and what of them is cut off.

use std::collections::BTreeMap;

use bellwether_metrics::publications::Publication;
use bellwether_metrics::{
    Catalogue, Metric, Named, Terms, gate, health_by_5min, health_by_day, health_now, live_by_minute,
    share_by_week, usage_by_day,
};
use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::attempt;
use chrono::TimeDelta;

use super::super::scope::Scope;
use super::super::{Publisher, Round, Stage};
use super::names::answer;
use super::{add, newest, terms, versions};
use crate::Error;
use crate::testing::{Fixture, at, us};

const FAST: &[Metric] =
    &[gate::METRIC, usage_by_day::METRIC, health_by_5min::METRIC, health_now::METRIC, live_by_minute::METRIC];
const ALL: &[Metric] = &[
    gate::METRIC,
    usage_by_day::METRIC,
    share_by_week::METRIC,
    health_by_day::METRIC,
    health_by_5min::METRIC,
    health_now::METRIC,
    live_by_minute::METRIC,
];
const LIVE: [&str; 3] = ["health_by_5min", "health_now", "live_by_minute"];
/// Of the slow lane alone.
const SLOW: [&str; 3] = ["gate", "share_by_week", "health_by_day"];
const NOW: &str = "2026-11-25T13:00:00Z";
/// What comes late for yesterday is shown then.
const SOON: &str = "2026-11-25T13:10:00Z";
/// Every window has another end then.
const LATER: &str = "2026-11-25T14:05:00Z";

async fn lane(f: &Fixture, scope: Scope, users: u32) -> Publisher {
    let metrics = if scope == Scope::Fast { FAST } else { ALL };
    let providers = vec![Named { id: "north".into(), name: "North".into() }];
    let catalogue = Catalogue { providers, ..Catalogue::default() };
    let terms = Terms { catalogue, ..terms(users) };
    Publisher::open_scope(&f.warehouse, terms, scope, metrics).await.unwrap()
}

async fn lanes(f: &Fixture, users: u32) -> (Publisher, Publisher) {
    (lane(f, Scope::Fast, users).await, lane(f, Scope::Slow, users).await)
}

/// One of three users at a time of the 25th, or of a day before.
fn call<'a>(id: &'a str, time: &str) -> AttemptRow<'a> {
    let time = if time.len() > 5 { time.to_owned() } else { format!("2026-11-25T{time}:00Z") };
    let user = i64::from(id.bytes().last().unwrap()) % 3;
    AttemptRow { started_at: us(&time), user_key: Some(user), ..attempt(id) }
}

/// Three users on the two days before and this morning.
async fn started() -> Fixture {
    let mut f = Fixture::new().await;
    let mut rows = Vec::new();
    for time in ["2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z", "12:30"] {
        rows.extend(["a", "b", "c"].map(|id| call(id, time)));
    }
    add(&mut f, &rows, NOW).await;
    f
}

async fn rows(f: &Fixture, publication: &Publication, metric: &Metric, sql: &str) -> Vec<String> {
    let version = publication.versions[metric.table.name];
    let snapshot = f.warehouse.table(metric.id()).await.unwrap().at(version).await.unwrap();
    let mut rows = answer(f, snapshot, sql).await;
    rows.sort();
    rows
}

/// Every row that a publication names.
async fn contents(f: &Fixture, publication: &Publication) -> BTreeMap<&'static str, Vec<String>> {
    let mut contents = BTreeMap::new();
    for metric in ALL {
        // How often rows were replaced is no part of them.
        let columns = if metric.is_revised() { "* EXCEPT (revision)" } else { "*" };
        let sql = format!("SELECT {columns} FROM {}", metric.table.name);
        contents.insert(metric.table.name, rows(f, publication, metric, &sql).await);
    }
    contents
}

/// The same of one publisher of everything over the same attempts.
async fn at_once(f: &Fixture, now: &str) -> BTreeMap<&'static str, Vec<String>> {
    let mut other = Fixture::new().await;
    let files = f.attempts.snapshot().files().to_vec();
    let all = f.warehouse.session(1).read_table(f.attempts.snapshot().provider_over(files)).unwrap();
    let add = other.attempts.write(&all.collect().await.unwrap()).await.unwrap();
    other.attempts.commit(bellwether_warehouse::Change { add, ..Default::default() }).await.unwrap();
    other.jobs.fold(at(now)).await.unwrap();
    lane(&other, Scope::Everything, 2).await.publish(at(now)).await.unwrap();
    contents(&other, &newest(&other).await).await
}

const TODAY: &str = "SELECT requests FROM usage_by_day WHERE date = '2026-11-25' AND dimension = 'total'";

async fn today(f: &Fixture) -> Vec<String> {
    rows(f, &newest(f).await, &usage_by_day::METRIC, TODAY).await
}

fn of(publication: &Publication, tables: &[&str]) -> Vec<i64> {
    tables.iter().map(|table| publication.versions[*table]).collect()
}

/// Begins and puts the first tables.
async fn begun(publisher: &mut Publisher, tables: usize, now: &str) -> (Round, Stage) {
    publisher.look().await.unwrap();
    let round = publisher.begin(at(now)).await.unwrap();
    let mut stage = Stage::default();
    for at in 0..tables.min(publisher.tables.len()) {
        publisher.put_next(at, &round, &mut stage).await.unwrap();
    }
    (round, stage)
}

#[tokio::test]
async fn each_lane_names_its_own_tables_anew_and_those_of_the_other_as_they_were() {
    let mut f = started().await;
    let (mut fast, mut slow) = lanes(&f, 2).await;
    // Nothing is of now before everything was published once.
    assert_eq!(fast.publish(at(NOW)).await.unwrap().number, None);
    assert_eq!(slow.publish(at(NOW)).await.unwrap().number, Some(0));
    let first = newest(&f).await;
    assert_eq!((first.attempts_version, first.live_attempts_version), (Some(1), Some(1)));
    assert!(contents(&f, &first).await == at_once(&f, NOW).await);
    let stand = versions(&f).await;
    assert_eq!(fast.publish(at(NOW)).await.unwrap().number, None, "it is all there");
    assert_eq!(versions(&f).await, stand, "what does not change is not committed");

    add(&mut f, &[call("d", "12:45"), call("e", "12:45")], NOW).await;
    let soon = "2026-11-25T13:00:10Z";
    assert_eq!(fast.publish(at(soon)).await.unwrap().number, Some(1));
    let second = newest(&f).await;
    assert_eq!((second.attempts_version, second.live_attempts_version), (Some(1), Some(2)));
    assert_eq!(of(&second, &SLOW), of(&first, &SLOW));
    assert!(LIVE.iter().all(|table| second.versions[*table] > first.versions[*table]));
    assert_eq!(today(&f).await, ["5"]);
    assert_eq!(
        (second.as_of["live_by_minute"], second.as_of["usage_by_day"]),
        (second.watermark, second.watermark)
    );
    assert_eq!(
        (second.watermark, second.as_of["gate"]),
        (at("2026-11-25T12:58:10Z"), at("2026-11-25T12:58:00Z"))
    );

    let later = "2026-11-25T13:00:20Z";
    assert_eq!(slow.publish(at(later)).await.unwrap().number, Some(2));
    let third = newest(&f).await;
    assert_eq!((third.attempts_version, third.live_attempts_version), (Some(2), Some(2)));
    let put = ["usage_by_day", LIVE[0], LIVE[1], LIVE[2]];
    assert_eq!(of(&third, &put), of(&second, &put));
    assert!(third.versions["share_by_week"] > second.versions["share_by_week"]);
    assert_eq!((third.as_of["gate"], third.as_of["live_by_minute"]), (third.watermark, second.watermark));
    for publisher in [&mut fast, &mut slow] {
        assert_eq!(publisher.publish(at(later)).await.unwrap().number, None);
    }
    fast.publish(at(LATER)).await.unwrap();
    assert!(contents(&f, &newest(&f).await).await == at_once(&f, LATER).await);
}

#[tokio::test]
async fn the_fast_lane_goes_on_in_the_middle_of_the_slow_one_and_neither_row_is_lost() {
    let mut f = started().await;
    let (mut fast, mut slow) = lanes(&f, 2).await;
    slow.publish(at(NOW)).await.unwrap();
    // A late row of a closed day makes the slow lane put all that it has.
    add(&mut f, &[call("d", "12:45"), call("e", "2026-11-24T09:00:00Z")], NOW).await;
    let before = newest(&f).await;
    slow.look().await.unwrap();
    let round = slow.begin(at(SOON)).await.unwrap();
    let mut stage = Stage::default();
    for table in 0..slow.tables.len() {
        slow.put_next(table, &round, &mut stage).await.unwrap();
        let id = format!("f{table}");
        add(&mut f, &[call(&id, "12:46")], NOW).await;
        assert_eq!(fast.publish(at(NOW)).await.unwrap().number, Some(before.number + 1 + table as i64));
        let row = newest(&f).await;
        assert_eq!(row.live_attempts_version, Some(3 + table as i64));
        assert_eq!(of(&row, &SLOW), of(&before, &SLOW), "nothing of the stage is told");
        // Until the slow lane has put the table that both do; then its next row comes first.
        assert_eq!(today(&f).await, ["5"], "{table}");
    }
    let number = slow.announce(&round, &stage).await.unwrap();
    let row = newest(&f).await;
    assert_eq!((row.number, number), (before.number + 8, before.number + 8));
    assert_eq!((row.attempts_version, row.live_attempts_version), (Some(2), Some(9)));
    let yesterday = "SELECT requests FROM usage_by_day WHERE date = '2026-11-24' AND dimension = 'total'";
    assert_eq!(rows(&f, &row, &usage_by_day::METRIC, yesterday).await, ["4"]);
    // Now there is nothing in the way.
    fast.publish(at(LATER)).await.unwrap();
    assert_eq!(today(&f).await, ["11"]);
    slow.publish(at(LATER)).await.unwrap();
    assert!(contents(&f, &newest(&f).await).await == at_once(&f, LATER).await);
}

#[tokio::test]
async fn what_the_fast_lane_has_put_of_today_is_no_reason_to_compute_other_days_again() {
    let mut f = started().await;
    let (mut fast, mut slow) = lanes(&f, 2).await;
    slow.publish(at(NOW)).await.unwrap();
    add(&mut f, &[call("d", "12:45"), call("e", "2026-11-24T09:00:00Z")], NOW).await;
    slow.look().await.unwrap();
    let round = slow.begin(at(SOON)).await.unwrap();
    let mut stage = Stage::default();
    slow.put_next(0, &round, &mut stage).await.unwrap();
    // What is due is known, and meanwhile the table moves.
    let due = slow.due(1, &round, &stage.froms).await.unwrap();
    assert_eq!(due.dates.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2026-11-24"]);
    fast.publish(at(NOW)).await.unwrap();
    assert!(slow.put(1, &due, &round, &mut Vec::new()).await.unwrap().is_some());
    slow.announce(&round, &stage).await.unwrap();
    assert_eq!(today(&f).await, ["4"]);
}

#[tokio::test]
async fn of_two_slow_lanes_the_later_one_is_overtaken_and_of_two_fast_ones_too() {
    let mut f = started().await;
    let (mut fast, mut slow) = lanes(&f, 2).await;
    slow.publish(at(NOW)).await.unwrap();
    let (mut other_fast, mut other_slow) = lanes(&f, 2).await;
    add(&mut f, &[call("d", "12:45")], NOW).await;
    let (round, stage) = begun(&mut slow, 0, NOW).await;
    other_slow.publish(at(NOW)).await.unwrap();
    let late = slow.announce(&round, &stage).await.unwrap_err();
    assert!(matches!(late, Error::Overtaken { number: 1 }) && late.is_fenced(), "{late}");
    let (round, stage) = begun(&mut fast, 0, NOW).await;
    other_fast.publish(at(NOW)).await.unwrap();
    let late = fast.announce(&round, &stage).await.unwrap_err();
    assert!(matches!(late, Error::Overtaken { number: 2 }), "{late}");
    assert_eq!(newest(&f).await.number, 2);
}

#[tokio::test]
async fn either_lane_ended_anywhere_leaves_nothing_that_is_not_made_whole() {
    let mut f = started().await;
    let (_, mut slow) = lanes(&f, 2).await;
    slow.publish(at(NOW)).await.unwrap();
    let mut ended = 0;
    for tables in 0..=ALL.len() {
        for scope in [Scope::Fast, Scope::Slow] {
            // Each time late rows have their turn.
            let now = at(NOW) + TimeDelta::minutes(10 * (ended + 1));
            let now = &now.to_rfc3339();
            let ids = [format!("g{ended}"), format!("h{ended}")];
            let rows = [call(&ids[0], "12:40"), call(&ids[1], "2026-11-24T08:00:00Z")];
            add(&mut f, &rows, now).await;
            let named = newest(&f).await;
            let said = contents(&f, &named).await;
            let mut publisher = lane(&f, scope, 2).await;
            begun(&mut publisher, tables, now).await;
            ended += 1;
            // Readers see what they saw, and the other lane can go on.
            assert!(contents(&f, &newest(&f).await).await == said);
            let other = if scope == Scope::Fast { Scope::Slow } else { Scope::Fast };
            lane(&f, other, 2).await.publish(at(now)).await.unwrap();
        }
    }
    let (mut fast, mut slow) = lanes(&f, 2).await;
    let later = "2026-11-25T16:05:00Z";
    slow.publish(at(later)).await.unwrap();
    fast.publish(at(later)).await.unwrap();
    slow.publish(at(later)).await.unwrap();
    assert_eq!(ended, 16);
    assert!(contents(&f, &newest(&f).await).await == at_once(&f, later).await);
}

#[tokio::test]
async fn no_publication_names_a_row_of_other_terms() {
    let mut f = started().await;
    let (mut fast, mut slow) = lanes(&f, 2).await;
    slow.publish(at(NOW)).await.unwrap();
    let named = "SELECT key FROM usage_by_day WHERE kind = 'key'";
    let bands = "SELECT key FROM health_now WHERE NOT counts_are_bands";
    let is_clean = async |f: &Fixture| {
        let row = newest(f).await;
        rows(f, &row, &usage_by_day::METRIC, named).await.is_empty()
            && rows(f, &row, &health_now::METRIC, bands).await.is_empty()
    };
    assert!(!is_clean(&f).await);
    // Another configuration takes over, and just before it says so, the former fast lane puts once more.
    let (mut raised_fast, mut raised_slow) = lanes(&f, 4).await;
    let (round, stage) = begun(&mut raised_slow, ALL.len(), NOW).await;
    assert_eq!(raised_fast.publish(at(NOW)).await.unwrap().number, None);
    add(&mut f, &[call("d", "12:45")], NOW).await;
    let (late_round, late_stage) = begun(&mut fast, FAST.len(), NOW).await;
    assert!(late_stage.left.contains("usage_by_day") && !late_stage.tables.is_empty());
    raised_slow.announce(&round, &stage).await.unwrap();
    assert!(fast.announce(&late_round, &late_stage).await.unwrap_err().is_fenced());
    assert!(is_clean(&f).await);
    assert_eq!(fast.publish(at(NOW)).await.unwrap().number, None);
    assert!(slow.publish(at(NOW)).await.is_err());
    // What it has left is named by nobody.
    raised_fast.publish(at(NOW)).await.unwrap();
    assert!(is_clean(&f).await);
    assert_eq!(today(&f).await, ["4"]);

    // One with the former configuration is started once more, and ended before it says so.
    let mut former = lane(&f, Scope::Slow, 2).await;
    begun(&mut former, ALL.len(), NOW).await;
    let unnamed = f.snapshot(usage_by_day::METRIC.id()).await;
    assert!(!answer(&f, unnamed, named).await.is_empty());
    add(&mut f, &[call("e", "12:45")], NOW).await;
    raised_fast.publish(at(NOW)).await.unwrap();
    assert!(is_clean(&f).await);
    assert_eq!(today(&f).await, ["4"], "another lane has to put the table first");
    raised_slow.publish(at(NOW)).await.unwrap();
    assert!(is_clean(&f).await);
    assert_eq!(today(&f).await, ["5"]);
    add(&mut f, &[call("f", "12:45")], NOW).await;
    raised_fast.publish(at(NOW)).await.unwrap();
    assert!(is_clean(&f).await);
    assert_eq!(today(&f).await, ["6"]);
}

#[tokio::test]
async fn a_round_of_the_fast_lane_opens_no_hours_while_no_long_window_ends() {
    let mut f = started().await;
    let (mut fast, mut slow) = lanes(&f, 2).await;
    slow.publish(at(NOW)).await.unwrap();
    let stood = newest(&f).await;
    add(&mut f, &[call("d", "12:45"), call("e", "12:45")], NOW).await;
    let show = f.hide(TableId::HealthHourly, "2026-11-25").await;
    let soon = "2026-11-25T13:00:10Z";
    assert_eq!(fast.publish(at(soon)).await.unwrap().number, Some(1));
    let of_model = |minutes: u32| {
        format!("SELECT attempts FROM health_now WHERE dimension = 'model' AND window_minutes = {minutes}")
    };
    let row = newest(&f).await;
    assert_eq!(rows(&f, &row, &health_now::METRIC, &of_model(30)).await, ["5"]);
    assert_eq!(rows(&f, &row, &health_now::METRIC, &of_model(1_440)).await, ["3"]);
    assert_eq!(rows(&f, &stood, &health_now::METRIC, &of_model(30)).await, ["3"]);
    // A day that ends anew is made of hours.
    let later = "2026-11-25T13:03:00Z";
    assert!(fast.publish(at(later)).await.is_err());
    show();
    fast.publish(at(later)).await.unwrap();
    assert_eq!(rows(&f, &newest(&f).await, &health_now::METRIC, &of_model(1_440)).await, ["5"]);
}

/// Some tables of one lane are made of tables of the other.
#[tokio::test]
async fn round_after_round_both_lanes_put_every_table() {
    let mut f = started().await;
    let mut slow = Publisher::slow(&f.warehouse, terms(2)).await.unwrap();
    let mut fast = Publisher::fast(&f.warehouse, terms(2)).await.unwrap();
    assert_eq!(slow.publish(at(NOW)).await.unwrap().number, Some(0));
    for (round, now) in [(1, "2026-11-25T13:00:10Z"), (3, "2026-11-25T13:00:20Z")] {
        add(&mut f, &[call(&format!("new{round}"), "12:45")], now).await;
        assert_eq!(fast.publish(at(now)).await.unwrap().number, Some(round));
        assert_eq!(slow.publish(at(now)).await.unwrap().number, Some(round + 1));
        assert_eq!(newest(&f).await.attempts_version, Some(1 + (round + 1) / 2));
    }
}
