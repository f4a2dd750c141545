//! A catalogue that changes its mind.

use std::collections::BTreeMap;

use bellwether_metrics::publications::{self, Log};
use bellwether_metrics::revisions::Reason;
use bellwether_metrics::{
    Catalogue, METRICS, Metric, Model, Named, Terms, events, gate, health_by_5min, health_now, models,
    providers, quality_by_day, rankings, usage_by_day, users_by_window,
};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::{DataFile, Snapshot};

use super::super::Publisher;
use super::super::scope::Scope;
use super::names::answer;
use super::{NOW, add, assert_same, newest, of_user, terms};
use crate::Error;
use crate::testing::{Fixture, at};

pub(super) const TABLES: &[Metric] = &[
    gate::METRIC,
    usage_by_day::METRIC,
    users_by_window::METRIC,
    rankings::METRIC,
    health_now::METRIC,
    quality_by_day::METRIC,
    models::METRIC,
    providers::METRIC,
];
pub(super) const SOON: &str = "2026-11-25T13:05:00Z";
pub(super) const NIGHT: &str = "2026-11-26T03:03:00Z";

/// Author and name of two models; what follows may be another `two`, or none.
pub(super) fn catalogue(two: Option<(&str, &str)>) -> Terms {
    let model = |(id, author, name): (&str, &str, &str)| Model {
        id: id.into(),
        author: author.into(),
        name: name.into(),
    };
    let two = two.map(|(author, name)| ("acme/two", author, name));
    let catalogue = Catalogue {
        models: [("acme/one", "acme", "One")].into_iter().chain(two).map(model).collect(),
        providers: vec![Named { id: "north".into(), name: "North".into() }],
        ..Catalogue::default()
    };
    Terms { catalogue, ..terms(0) }
}

pub(super) async fn slow(f: &Fixture, terms: Terms) -> Publisher {
    Publisher::open_scope(&f.warehouse, terms, Scope::Slow, TABLES).await.unwrap()
}

/// `acme/one` on the 20th, the 24th and today, `acme/two` on the 22nd, the 23rd and today. Whose it is, the catalogue alone says.
async fn published(first: Terms) -> Fixture {
    let mut f = Fixture::new().await;
    let of_model =
        |id, days_ago, model| AttemptRow { model_id: Some(model), author: None, ..of_user(id, days_ago, 1) };
    let rows = [
        of_model("a", 5, "acme/one"),
        of_model("b", 3, "acme/two"),
        of_model("c", 2, "acme/two"),
        of_model("d", 1, "acme/one"),
        of_model("e", 0, "acme/one"),
        of_model("f", 0, "acme/two"),
    ];
    add(&mut f, &rows, NOW).await;
    slow(&f, first).await.publish(at(NOW)).await.unwrap();
    f
}

pub(super) async fn named(f: &Fixture, metric: &Metric) -> Snapshot {
    let version = newest(f).await.versions[metric.table.name];
    f.warehouse.table(metric.id()).await.unwrap().at(version).await.unwrap()
}

/// Day, name and revision of the rows that are `acme/two` in a dimension, or stand where it is not known.
async fn two(f: &Fixture, dimension: &str) -> Vec<String> {
    let is_two = match dimension {
        "author" => "requests > 0 AND date IN ('2026-11-22', '2026-11-23')".to_owned(),
        _ => "key = 'acme/two'".to_owned(),
    };
    let sql = format!(
        "SELECT date_part('day', date), display_name, revision FROM usage_by_day \
         WHERE dimension = '{dimension}' AND {is_two} ORDER BY date"
    );
    answer(f, named(f, &usage_by_day::METRIC).await, &sql).await
}

/// Files by day, of the running month.
async fn files(f: &Fixture, metric: &Metric) -> BTreeMap<String, String> {
    let column = metric.date_column().unwrap();
    let snapshot = named(f, metric).await;
    let file = |file: &DataFile| {
        let date = file.bounds().date(column).least.unwrap();
        (date.to_string(), file.path.clone())
    };
    snapshot.files().iter().map(file).collect()
}

/// Days of which the file is another one.
fn others(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    before
        .iter()
        .filter(|(date, path)| after.get(*date) != Some(path))
        .map(|(date, _)| date.clone())
        .collect()
}

pub(super) async fn log(f: &Fixture, table: &str, date: &str) -> Vec<(i64, Reason)> {
    let log = Log::read(&f.snapshot(publications::id()).await).await.unwrap();
    log.of(table, date.parse().unwrap()).map(|one| (one.revised.revision, one.revised.reason)).collect()
}

const DATED: [Metric; 2] = [usage_by_day::METRIC, rankings::METRIC];

async fn all_files(f: &Fixture) -> [BTreeMap<String, String>; 2] {
    [files(f, &DATED[0]).await, files(f, &DATED[1]).await]
}

#[tokio::test]
async fn another_name_is_shown_at_once_where_days_are_open_and_at_night_where_it_is_held() {
    let mut f = published(catalogue(Some(("acme", "Two")))).await;
    assert_eq!(two(&f, "model").await, ["22 Two 0", "23 Two 0", "25 Two -"]);
    let before = all_files(&f).await;
    let second = catalogue(Some(("acme", "Second")));
    let report = slow(&f, second.clone()).await.publish(at(SOON)).await.unwrap();
    assert_eq!(report.number, Some(1));
    let row = newest(&f).await;
    assert_eq!(
        (row.terms.clone(), row.renamed.to_string()),
        (second.fingerprint(), "model acme/two".to_owned())
    );
    assert!(row.what.starts_with("another catalogue than publication 0; closed dates"), "{}", row.what);
    assert_eq!(two(&f, "model").await, ["22 Two 0", "23 Two 0", "25 Second -"]);
    let names = "SELECT display_name FROM models ORDER BY key";
    assert_eq!(answer(&f, named(&f, &models::METRIC).await, names).await, ["One", "Second"]);
    let after = all_files(&f).await;
    assert_eq!(others(&before[0], &after[0]), ["2026-11-25"]);
    assert_eq!(others(&before[1], &after[1]), Vec::<String>::new());
    // Each process is a new one. The day goes on, and then it closes.
    assert_eq!(slow(&f, second.clone()).await.publish(at(SOON)).await.unwrap().number, None);
    add(&mut f, &[of_user("g", 0, 2)], SOON).await;
    for now in ["2026-11-25T20:00:00Z", "2026-11-26T02:30:00Z"] {
        slow(&f, second.clone()).await.publish(at(now)).await.unwrap();
        assert_eq!(two(&f, "model").await[..2], ["22 Two 0", "23 Two 0"], "{now}");
        assert_eq!(newest(&f).await.renamed.to_string(), "model acme/two", "{now}");
        let now = all_files(&f).await;
        assert!(others(&after[0], &now[0]).iter().all(|date| date == "2026-11-25"));
        // Of the newest end date no more, long windows are listed no more.
        assert!(others(&after[1], &now[1]).iter().all(|date| date == "2026-11-24"));
    }
    let after = all_files(&f).await;
    slow(&f, second.clone()).await.publish(at(NIGHT)).await.unwrap();
    assert_eq!(two(&f, "model").await, ["22 Second 1", "23 Second 1", "25 Second 0"]);
    let night = all_files(&f).await;
    // Windows of seven days have it from the 22nd on. That of the 25th, which closed before, was made of days that still had
    // the former name.
    let expected =
        [vec!["2026-11-22", "2026-11-23"], vec!["2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"]];
    for (((after, night), expected), metric) in after.iter().zip(&night).zip(expected).zip(DATED) {
        assert_eq!(others(after, night), expected, "{}", metric.table.name);
        for date in expected {
            assert_eq!(log(&f, metric.table.name, date).await, [(1, Reason::Catalogue)], "{date}");
        }
        for date in ["2026-11-20", "2026-11-21"] {
            assert_eq!(log(&f, metric.table.name, date).await, [], "{} {date}", metric.table.name);
        }
    }
    assert!(newest(&f).await.renamed.is_empty());
    assert_eq!(slow(&f, second).await.publish(at(NIGHT)).await.unwrap().number, None);
}

#[tokio::test]
async fn by_hand_nothing_waits_and_whoever_had_the_former_catalogue_is_told() {
    let f = published(catalogue(Some(("acme", "Two")))).await;
    let mut former = slow(&f, catalogue(Some(("acme", "Two")))).await;
    let before = all_files(&f).await;
    assert_eq!(two(&f, "author").await, ["22 acme 0", "23 acme 0"]);
    // Another author.
    let other = catalogue(Some(("bolt", "Two")));
    let mut by_hand = Publisher::open_some(&f.warehouse, other, TABLES).await.unwrap();
    by_hand.publish(at(SOON)).await.unwrap();
    assert_eq!(two(&f, "author").await, ["22 bolt 1", "23 bolt 1"]);
    let after = all_files(&f).await;
    assert_eq!(others(&before[0], &after[0]), ["2026-11-22", "2026-11-23", "2026-11-25"]);
    assert_eq!(others(&before[1], &after[1]), ["2026-11-22", "2026-11-23", "2026-11-24"]);
    assert_eq!(log(&f, "usage_by_day", "2026-11-23").await, [(1, Reason::Catalogue)]);
    assert_eq!(log(&f, "usage_by_day", "2026-11-24").await, []);
    assert!(newest(&f).await.renamed.is_empty());
    let error = former.publish(at(SOON)).await.unwrap_err();
    assert!(matches!(error, Error::OtherTerms { number: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_name_that_is_new_in_the_catalogue_is_shown_at_night_where_it_was_unmapped() {
    let f = published(catalogue(None)).await;
    assert_eq!(two(&f, "model").await, Vec::<String>::new());
    let unmapped = "SELECT unmapped_model_attempts FROM quality_by_day WHERE dimension = 'total' AND date = '2026-11-22'";
    assert_eq!(answer(&f, named(&f, &quality_by_day::METRIC).await, unmapped).await, ["1"]);
    let before = all_files(&f).await;
    let known = catalogue(Some(("acme", "Two")));
    slow(&f, known.clone()).await.publish(at(SOON)).await.unwrap();
    assert_eq!(two(&f, "model").await, ["25 Two -"]);
    assert_eq!(newest(&f).await.renamed.to_string(), "model acme/two");
    slow(&f, known).await.publish(at(NIGHT)).await.unwrap();
    assert_eq!(two(&f, "model").await, ["22 Two 1", "23 Two 1", "25 Two 0"]);
    assert_eq!(answer(&f, named(&f, &quality_by_day::METRIC).await, unmapped).await, ["0"]);
    let after = all_files(&f).await;
    assert_eq!(others(&before[0], &after[0]), ["2026-11-22", "2026-11-23", "2026-11-25"]);
    assert_eq!(log(&f, "usage_by_day", "2026-11-22").await, [(1, Reason::Catalogue)]);
    assert_eq!(log(&f, "usage_by_day", "2026-11-24").await, []);
}

#[tokio::test]
async fn a_name_that_the_catalogue_knows_no_more_is_gone_at_once() {
    let f = published(catalogue(Some(("acme", "Two")))).await;
    slow(&f, catalogue(None)).await.publish(at(SOON)).await.unwrap();
    assert_eq!(two(&f, "model").await, Vec::<String>::new());
    let row = newest(&f).await;
    assert!(row.what.starts_with("other terms than publication 0"), "{}", row.what);
    assert!(row.renamed.is_empty());
    assert_eq!(log(&f, "usage_by_day", "2026-11-22").await, [(1, Reason::Catalogue)]);
    for metric in [rankings::METRIC, users_by_window::METRIC] {
        let sql = format!("SELECT count(*) FROM {} WHERE key = 'acme/two'", metric.table.name);
        assert_eq!(answer(&f, named(&f, &metric).await, &sql).await, ["0"], "{}", metric.table.name);
    }
}

/// Every row of what is published, but how often it was replaced; `events` says under what it was published when.
async fn contents(f: &Fixture) -> BTreeMap<&'static str, Vec<String>> {
    let mut contents = BTreeMap::new();
    for metric in METRICS.iter().filter(|metric| metric.id() != events::METRIC.id()) {
        let columns = if metric.is_revised() { "* EXCEPT (revision)" } else { "*" };
        let sql = format!("SELECT {columns} FROM {}", metric.table.name);
        let mut rows = answer(f, named(f, metric).await, &sql).await;
        rows.sort();
        contents.insert(metric.table.name, rows);
    }
    contents
}

#[tokio::test]
async fn after_the_night_of_both_lanes_all_is_as_if_there_had_been_no_other_catalogue() {
    let first = catalogue(Some(("acme", "Two")));
    let mut second = catalogue(Some(("bolt", "Second")));
    let three = Model { id: "acme/three".into(), author: "acme".into(), name: "Three".into() };
    second.catalogue.models.push(three);
    second.catalogue.providers = [("north", "Nord"), ("south", "South")]
        .map(|(id, name)| Named { id: id.into(), name: name.into() })
        .into();
    let ids: Vec<String> = (0..40).map(|n| format!("e{n}")).collect();
    let rows: Vec<AttemptRow<'_>> = (0..)
        .zip(&ids)
        .map(|(n, id)| AttemptRow {
            model_id: Some(["acme/one", "acme/two", "acme/three"][n as usize / 5 % 3]),
            author: None,
            provider_id: Some(["north", "south"][n as usize / 12 % 2]),
            endpoint_id: None,
            app_id: (n % 4 == 0).then_some("chat"),
            ..of_user(id, n * 7 % 12, n % 5)
        })
        .collect();
    let started = async |rows: &[AttemptRow<'_>], now: &str| {
        let mut f = Fixture::new().await;
        add(&mut f, rows, now).await;
        f.jobs.recompute().await.unwrap();
        f
    };
    let mut f = started(&rows, NOW).await;
    let lanes = async |f: &Fixture, terms: &Terms| {
        let fast = Publisher::fast(&f.warehouse, terms.clone()).await.unwrap();
        (fast, Publisher::slow(&f.warehouse, terms.clone()).await.unwrap())
    };
    let (mut former, mut slow) = lanes(&f, &first).await;
    slow.publish(at(NOW)).await.unwrap();
    former.publish(at(NOW)).await.unwrap();
    let (mut fast, mut slow) = lanes(&f, &second).await;
    assert_eq!(fast.publish(at(SOON)).await.unwrap().number, None, "the slow lane takes over");
    let late = [of_user("late", 0, 1), of_user("later", 2, 1)];
    add(&mut f, &late, SOON).await;
    f.jobs.recompute().await.unwrap();
    former.publish(at(SOON)).await.unwrap();
    slow.publish(at(SOON)).await.unwrap();
    assert_eq!(former.publish(at(SOON)).await.unwrap().number, None);
    let today = "SELECT DISTINCT display_name FROM usage_by_day WHERE dimension = 'provider' AND date = '2026-11-25' ORDER BY 1";
    for metric in [health_now::METRIC, health_by_5min::METRIC] {
        let name = metric.table.name;
        let sql = format!("SELECT DISTINCT display_name FROM {name} WHERE dimension = 'provider' ORDER BY 1");
        assert_eq!(answer(&f, named(&f, &metric).await, &sql).await, ["Nord", "South"], "{name}");
    }
    assert_eq!(answer(&f, named(&f, &usage_by_day::METRIC).await, today).await, ["Nord", "South"]);
    // Of a restart in the night, what is of now comes first.
    let (mut fast, mut slow) = lanes(&f, &second).await;
    for now in ["2026-11-25T18:00:00Z", "2026-11-26T02:30:00Z", NIGHT] {
        fast.publish(at(now)).await.unwrap();
        slow.publish(at(now)).await.unwrap();
    }
    assert!(newest(&f).await.renamed.is_empty());
    fast.publish(at(NIGHT)).await.unwrap();

    let all: Vec<_> = rows.iter().chain(&late).cloned().collect();
    let other = started(&all, NIGHT).await;
    Publisher::open(&other.warehouse, second).await.unwrap().publish(at(NIGHT)).await.unwrap();
    let (found, expected) = (contents(&f).await, contents(&other).await);
    assert_same(&found, &expected);
    assert!(expected["rankings"].len() > 100 && expected["routing_by_day"].len() > 10);
}
