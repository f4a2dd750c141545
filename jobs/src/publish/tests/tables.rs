//! Tables of quality and of names, from attempts to what readers get.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Date32Type;
use bellwether_metrics::publications;
use bellwether_metrics::{Metric, Model, Named, Terms};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::tables::rejects::{Builder, RejectRow};
use bellwether_warehouse::testing::attempt;
use bellwether_warehouse::{Change, TableId, snapshot};

use super::{NOW, newest, of_user, terms};
use crate::publish::Publisher;
use crate::testing::{Fixture, at, lines, us};

/// Those tables, and what they are made of.
const NAMES: &[Metric] = &[
    bellwether_metrics::gate::METRIC,
    bellwether_metrics::usage_by_day::METRIC,
    bellwether_metrics::health_now::METRIC,
    bellwether_metrics::quality_by_day::METRIC,
    bellwether_metrics::models::METRIC,
    bellwether_metrics::providers::METRIC,
    bellwether_metrics::endpoints::METRIC,
    bellwether_metrics::app_gate::METRIC,
    bellwether_metrics::apps::METRIC,
    bellwether_metrics::prices::METRIC,
    bellwether_metrics::events::METRIC,
];

fn with_catalogue(users: u32) -> Terms {
    let mut terms = terms(users);
    let model = |id: &str| Model { id: id.into(), author: "acme".into(), name: format!("Name of {id}") };
    terms.catalogue.models = vec![model("acme/one"), model("acme/two")];
    terms.catalogue.providers = vec![Named { id: "north".into(), name: "North".into() }];
    terms
}

async fn publisher(f: &Fixture, terms: Terms) -> Publisher {
    Publisher::open_some(&f.warehouse, terms, NAMES).await.unwrap()
}

/// Answer over all of them, as the newest publication names them.
async fn published(f: &Fixture, sql: &str) -> Vec<String> {
    let newest = newest(f).await;
    let ctx = f.warehouse.session(2);
    for metric in NAMES {
        let table = f.warehouse.table(metric.id()).await.unwrap();
        let table = table.at(newest.versions[metric.table.name]).await.unwrap();
        snapshot::register(&ctx, &[table]).unwrap();
    }
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    batches.iter().flat_map(lines).collect()
}

async fn version(f: &Fixture, table: &str) -> i64 {
    let metric = NAMES.iter().find(|metric| metric.table.name == table).unwrap();
    f.snapshot(metric.id()).await.version()
}

async fn reject(f: &Fixture, received_at: &str, reason: &str) {
    let mut table = f.warehouse.table(TableId::Rejects).await.unwrap();
    let row = RejectRow {
        received_at: us(received_at),
        reason,
        source: "native",
        src_topic: "events",
        ..RejectRow::default()
    };
    let mut builder = Builder::default();
    builder.push(&row);
    let add = table.write(&[builder.finish()]).await.unwrap();
    table.commit(Change { add, ..Change::default() }).await.unwrap();
}

/// Rows, rejects and duplicates. A fold would take the date from the clock.
async fn arrive(f: &Fixture, date: &str, counts: [i64; 3]) {
    let mut table = f.warehouse.table(TableId::IntakeDaily).await.unwrap();
    let date = Date32Type::from_naive_date(date.parse().unwrap());
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(Date32Array::from(vec![date])), Arc::new(StringArray::from(vec!["native"]))];
    columns.extend(counts.map(|n| Arc::new(Int64Array::from(vec![n])) as ArrayRef));
    let batch = RecordBatch::try_new(TableId::IntakeDaily.schema(), columns).unwrap();
    let add = table.write(&[batch]).await.unwrap();
    table.commit(Change { add, ..Change::default() }).await.unwrap();
}

#[tokio::test]
async fn an_empty_warehouse_gets_them_empty_but_for_the_catalogue() {
    let f = Fixture::new().await;
    let mut publisher = publisher(&f, with_catalogue(2)).await;
    assert_eq!(publisher.publish(at(NOW)).await.unwrap().number, Some(0));
    for table in ["quality_by_day", "endpoints", "app_gate", "apps", "prices", "events"] {
        assert_eq!(published(&f, &format!("SELECT count(*) FROM {table}")).await, ["0"], "{table}");
    }
    let models =
        published(&f, "SELECT key, author, first_date, endpoints, is_active FROM models ORDER BY key").await;
    assert_eq!(models, ["acme/one acme - 0 false", "acme/two acme - 0 false"]);
    assert_eq!(published(&f, "SELECT key, is_catalogued, models FROM providers").await, ["north true 0"]);
    // Another day, and still nothing.
    for now in [NOW, "2026-11-26T13:00:00Z"] {
        let report = publisher.publish(at(now)).await.unwrap();
        assert_eq!((report.number, report.tables.len()), (None, 0), "{now}");
    }
}

#[tokio::test]
async fn what_arrived_is_published_once_and_what_has_not_changed_is_not_written() {
    let mut f = Fixture::new().await;
    let mut publisher = publisher(&f, with_catalogue(2)).await;
    let raw = AttemptRow {
        model_id: Some("zq-raw"),
        author: None,
        provider_id: Some("host:zq"),
        endpoint_id: Some("zq-e"),
        user_key: None,
        cost_usd: None,
        ..of_user("r", 1, 0)
    };
    let quiet = AttemptRow { model_id: Some("acme/two"), endpoint_id: None, ..of_user("q", 1, 1) };
    f.append(&[of_user("a", 1, 1), of_user("b", 1, 2), of_user("c", 0, 3), raw, quiet]).await;
    arrive(&f, "2026-11-25", [5, 1, 2]).await;
    reject(&f, "2026-11-24T23:59:59Z", "too_large").await;
    f.jobs.fold(at(NOW)).await.unwrap();
    publisher.publish(at(NOW)).await.unwrap();

    let sql = "SELECT date, key, rows_added, duplicates, rejects, rejects_too_large, requests, unpriced_requests, \
               requests_without_user, unmapped_requests, attempts, unmapped_model_attempts, unmapped_provider_attempts \
               FROM quality_by_day ORDER BY date, key";
    let quality = [
        "2026-11-24 native 0 0 0 1 - - - - - - -",
        "2026-11-24 total 0 0 0 1 4 1 1 1 4 1 1",
        "2026-11-25 native 5 2 1 0 - - - - - - -",
        "2026-11-25 total 5 2 1 0 1 0 0 0 1 0 0",
    ];
    assert_eq!(published(&f, sql).await, quality);
    let models =
        "SELECT key, first_date, last_date, endpoints, providers, is_active FROM models ORDER BY key";
    let expected = ["acme/one 2026-11-24 2026-11-25 1 1 true", "acme/two - - 1 1 true"];
    assert_eq!(published(&f, models).await, expected);
    let providers = "SELECT key, first_date, last_date, endpoints, models FROM providers";
    assert_eq!(published(&f, providers).await, ["north 2026-11-24 2026-11-25 2 2"]);
    let endpoints =
        "SELECT key, first_seen, last_seen, has_attempts_24h, has_attempts_7d FROM endpoints ORDER BY key";
    let seen = [
        "acme/two@north@eu-west 2026-11-24 2026-11-24 false true",
        "north/one@eu-west 2026-11-24 2026-11-25 true true",
    ];
    assert_eq!(published(&f, endpoints).await, seen);
    let print = with_catalogue(2).fingerprint();
    let events = "SELECT date, event, key, old_value, new_value FROM events";
    assert_eq!(published(&f, events).await, [format!("2026-11-25 method total - {print}")]);

    // Nothing new.
    let report = publisher.publish(at("2026-11-25T13:01:00Z")).await.unwrap();
    assert_eq!((report.number, report.tables.len()), (None, 0));
    // More of the same: no fact of a name changes.
    let before = (version(&f, "models").await, version(&f, "endpoints").await, version(&f, "events").await);
    f.append(&[of_user("d", 0, 1)]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let report = publisher.publish(at("2026-11-25T13:02:00Z")).await.unwrap();
    assert_eq!(report.number, Some(1));
    let after = (version(&f, "models").await, version(&f, "endpoints").await, version(&f, "events").await);
    assert_eq!(before, after);
    assert_eq!(published(&f, sql).await[3], "2026-11-25 total 5 2 1 0 2 0 0 0 2 0 0");
    // A reject alone is published too.
    reject(&f, "2026-11-25T13:03:00Z", "gap").await;
    let report = publisher.publish(at("2026-11-25T13:03:00Z")).await.unwrap();
    assert_eq!(report.number, Some(2));
    let gaps = "SELECT date, rejects_gap FROM quality_by_day WHERE dimension = 'total' ORDER BY date";
    assert_eq!(published(&f, gaps).await, ["2026-11-24 0", "2026-11-25 1"]);
}

#[tokio::test]
async fn raw_names_are_listed_where_they_may_be_told_and_nowhere_else() {
    let mut f = Fixture::new().await;
    let raw = AttemptRow {
        model_id: Some("zq-raw"),
        author: None,
        provider_id: Some("host:zq"),
        endpoint_id: Some("zq-e"),
        ..attempt("r")
    };
    f.append(&[raw]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let keys = "SELECT key FROM models UNION ALL SELECT key FROM providers UNION ALL SELECT key FROM endpoints ORDER BY 1";
    publisher(&f, with_catalogue(2)).await.publish(at(NOW)).await.unwrap();
    assert_eq!(published(&f, keys).await, ["acme/one", "acme/two", "north"]);
    let open = Terms { has_raw_names: true, ..with_catalogue(2) };
    publisher(&f, open).await.publish(at(NOW)).await.unwrap();
    let named = ["acme/one", "acme/two", "host:zq", "north", "zq-e@eu-west", "zq-raw"];
    assert_eq!(published(&f, keys).await, named);
    // Too few users to tell when it was used.
    let dates = "SELECT count(*) FROM models WHERE first_date IS NOT NULL";
    assert_eq!(published(&f, dates).await, ["0"]);
    publisher(&f, with_catalogue(2)).await.publish(at(NOW)).await.unwrap();
    assert_eq!(published(&f, keys).await, ["acme/one", "acme/two", "north"]);
}

#[tokio::test]
async fn an_app_is_named_from_the_day_on_which_it_has_the_users_and_a_day_that_closes_decides() {
    let mut f = Fixture::new().await;
    let of_app = |id, days_ago, user| AttemptRow { app_id: Some("chat"), ..of_user(id, days_ago, user) };
    let mut publisher = publisher(&f, with_catalogue(2)).await;
    f.append(&[of_app("a", 2, 1), of_app("b", 1, 2), of_app("c", 0, 3)]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    publisher.publish(at(NOW)).await.unwrap();
    // Its model is public since yesterday, and one user of public cells is not enough.
    let decided = "SELECT date, key, users, is_public FROM app_gate ORDER BY date";
    assert_eq!(published(&f, decided).await, ["2026-11-24 chat 1 false"]);
    assert!(published(&f, "SELECT key FROM apps").await.is_empty());
    let report = publisher.publish(at(NOW)).await.unwrap();
    assert_eq!((report.number, report.tables.len()), (None, 0));
    // Today closes two hours after its end.
    publisher.publish(at("2026-11-26T00:10:00Z")).await.unwrap();
    assert_eq!(published(&f, decided).await, ["2026-11-24 chat 1 false"]);
    publisher.publish(at("2026-11-26T02:10:00Z")).await.unwrap();
    assert_eq!(published(&f, decided).await, ["2026-11-24 chat 1 false", "2026-11-25 chat 2 true"]);
    let apps = "SELECT key, first_date, last_date, models, is_active FROM apps";
    assert_eq!(published(&f, apps).await, ["chat 2026-11-25 2026-11-25 1 true"]);
    // It is not told of the day before, however often it is computed, until that day has the users.
    f.append(&[of_app("d", 1, 9)]).await;
    f.jobs.fold(at("2026-11-26T02:20:00Z")).await.unwrap();
    publisher.publish(at("2026-11-26T02:20:00Z")).await.unwrap();
    assert_eq!(published(&f, decided).await, ["2026-11-24 chat 2 true", "2026-11-25 chat 3 true"]);
    assert_eq!(published(&f, apps).await, ["chat 2026-11-24 2026-11-25 1 true"]);
}

#[tokio::test]
async fn every_table_of_the_list_is_published_and_a_second_publication_has_nothing_to_write() {
    let mut f = Fixture::new().await;
    f.append(&[of_user("a", 1, 1), of_user("b", 0, 2)]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let mut publisher = Publisher::open(&f.warehouse, with_catalogue(1)).await.unwrap();
    publisher.publish(at(NOW)).await.unwrap();
    let newest = newest(&f).await;
    let names = bellwether_metrics::tables();
    for table in names.iter().filter(|table| **table != publications::id()) {
        assert!(newest.versions.contains_key(table.name()), "{}", table.name());
    }
    let report = publisher.publish(at(NOW)).await.unwrap();
    assert_eq!((report.number, report.tables.len()), (None, 0));
}
