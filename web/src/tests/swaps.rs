//! When the site moves to new numbers, and when it keeps the last good ones.

use bellwether_warehouse::{TableId, testing};
use serde_json::json;

use super::routes::App;
use crate::data::testing::{Fixture, day, now};
use crate::data::{Filter, Options, Profile, Refreshed, Refresher, Scope, UserQuery};
use crate::data::{GroupBy, Window};

fn today() -> Window {
    Window { start: day("2026-11-25"), end: day("2026-11-25") }
}

fn new_usage(requests: u64) -> serde_json::Value {
    json!({
        "date": "2026-11-25", "model_id": "acme/new", "author": "acme", "variant": "standard", "provider_id": "east",
        "requests": requests, "input_tokens": 10, "requests_with_user": requests,
        "users": crate::data::testing::users(1..=40),
    })
}

/// 300 of 400 well, yesterday.
fn new_attempts() -> serde_json::Value {
    json!({
        "date": "2026-11-24", "model_id": "acme/new", "author": "acme", "variant": "standard", "provider_id": "east",
        "attempts": 400, "ok": 300, "fault": 100, "fault_timeout": 100,
    })
}

async fn publish(fixture: &Fixture) {
    fixture.publish(&Options::new(Profile::Public)).await;
}

#[tokio::test]
async fn numbers_move_only_when_they_are_published() {
    let fixture = Fixture::filled().await;
    publish(&fixture).await;
    let mut refresher = Refresher::open(&fixture.warehouse, Options::new(Profile::Public)).await.unwrap();
    let Refreshed::New(first) = refresher.refresh(now()).await.unwrap() else { panic!("no dataset") };
    assert_eq!(first.folded, 0);
    assert!(matches!(refresher.refresh(now()).await.unwrap(), Refreshed::Unchanged));

    // What nobody has published is on no page, however far it is folded.
    fixture.append(TableId::UsageDaily, vec![new_usage(5)]).await;
    fixture.append(TableId::HealthDaily, vec![new_attempts()]).await;
    fixture.fold(1).await;
    assert!(matches!(refresher.refresh(now()).await.unwrap(), Refreshed::Unchanged));
    publish(&fixture).await;
    let Refreshed::New(second) = refresher.refresh(now()).await.unwrap() else { panic!("no dataset") };
    assert_eq!(second.folded, 1);
    assert_eq!(second.total(today(), Filter::All).requests, 5);
    let east = Scope::provider(second.dictionary.find_provider("east").unwrap());
    assert_eq!(second.bars(east, 1).first().unwrap().uptime, Ok(75.0));
    assert_eq!(first.bars(east, 1).first().unwrap().uptime.ok(), None);
    // What was read before is untouched: the first dataset still has its own numbers.
    assert_eq!(first.total(today(), Filter::All).requests, 0);
}

#[tokio::test]
async fn user_answers_follow_the_files_of_their_days() {
    let fixture = Fixture::filled().await;
    fixture.name(&["acme/new"], &["east"]).await;
    publish(&fixture).await;
    let mut refresher = Refresher::open(&fixture.warehouse, Options::new(Profile::Public)).await.unwrap();
    let Refreshed::New(first) = refresher.refresh(now()).await.unwrap() else { panic!("no dataset") };
    let query = UserQuery { window: today(), by: GroupBy::Series, filter: Filter::All };
    first.load_users(&[query]).await.unwrap();
    assert_eq!(first.users(&query).unwrap().total(), 0);

    fixture.append(TableId::UsageDaily, vec![new_usage(5)]).await;
    publish(&fixture).await;
    let Refreshed::New(second) = refresher.refresh(now()).await.unwrap() else { panic!("no dataset") };
    assert!(second.users(&query).is_none(), "the answer of other files must not be given");
    second.load_users(&[query]).await.unwrap();
    assert_eq!(second.users(&query).unwrap().total(), 40);
    assert_eq!(first.users(&query).unwrap().total(), 0);
}

#[tokio::test]
async fn days_are_made_again_when_other_names_may_be_told() {
    let fixture = Fixture::filled().await;
    fixture.append(TableId::UsageDaily, vec![new_usage(5)]).await;
    let mut refresher = Refresher::open(&fixture.warehouse, Options::new(Profile::Public)).await.unwrap();
    let query = UserQuery { window: today(), by: GroupBy::Series, filter: Filter::All };
    let mut look = async |variants: &[&str], providers: &[&str]| {
        fixture.name(variants, providers).await;
        publish(&fixture).await;
        let Refreshed::New(data) = refresher.refresh(now()).await.unwrap() else { panic!("no dataset") };
        data.load_users(&[query]).await.unwrap();
        let names = [GroupBy::Series, GroupBy::Provider].map(|by| {
            let groups = data.totals(today(), by, Filter::All);
            groups.iter().map(|(group, totals)| (data.key(*group), totals.requests)).collect::<Vec<_>>()
        });
        (names, data.users(&query).unwrap().total())
    };
    let hidden = vec![("hidden".to_owned(), 5)];
    assert_eq!(look(&[], &["north"]).await, ([hidden.clone(), hidden.clone()], 0));
    let named = vec![("acme/new".to_owned(), 5)];
    assert_eq!(look(&["acme/new"], &[]).await, ([named.clone(), hidden], 40));
    assert_eq!(look(&[], &["east"]).await, ([named, vec![("east".to_owned(), 5)]], 40));
}

/// Three days of a raw name, which the catalogue then learns.
fn lab(date: &str, author: Option<&str>) -> serde_json::Value {
    let mut row = json!({
        "date": date, "model_id": "newlab/m1", "variant": "standard", "provider_id": "north", "requests": 1_000,
        "requests_with_user": 1_000, "users": crate::data::testing::users(1..=40), "input_tokens": 5_000_000,
    });
    if let Some(author) = author {
        row["author"] = json!(author);
    }
    row
}

#[tokio::test]
async fn a_name_that_is_catalogued_counts_from_its_first_day_whoever_looks() {
    let fixture = Fixture::filled().await;
    fixture.name(&["newlab/m1"], &[]).await;
    let raw = ["2026-11-21", "2026-11-22", "2026-11-23"].map(|date| lab(date, None));
    for row in raw {
        fixture.append(TableId::UsageDaily, vec![row]).await;
    }
    let running = App::over(fixture, super::addresses::open()).await;
    assert_eq!(running.get("/models/newlab/m1.json").await.status, axum::http::StatusCode::NOT_FOUND);
    running.fixture.append(TableId::UsageDaily, vec![lab("2026-11-24", Some("newlab"))]).await;
    let mut names = crate::data::Names::default();
    names.models.insert("newlab/m1".into(), "M1".into());
    let options = Options { names: std::sync::Arc::new(names), ..Options::new(Profile::Public) };
    running.fixture.publish(&options).await;
    running.site.refresh().await;
    let addresses = [
        "/models/newlab/m1.json",
        "/rankings/models.json",
        "/rankings/models",
        "/rankings/authors.csv",
        "/rankings/share.json?by=model",
        "/authors/newlab",
    ];
    let first = running.get("/rankings/models.json").await.json()["data"][0].clone();
    // Four days of five million, under their name and with their users.
    assert_eq!((&first["id"], &first["author"]), (&json!("newlab/m1"), &json!("newlab")));
    assert_eq!((&first["tokens"], &first["users"]), (&json!("20000000"), &json!("40")));
    for _ in 0..4 {
        let restarted = App::again(&running).await;
        for address in addresses {
            let (old, new) = (running.get(address).await, restarted.get(address).await);
            assert_eq!(old.header("etag"), new.header("etag"), "{address}");
            assert!(old.body == new.body, "{address}: {} and {}", old.text(), new.text());
        }
    }
}

#[tokio::test]
async fn an_event_from_a_clock_that_runs_ahead_does_not_move_the_site() {
    let fixture = Fixture::filled().await;
    publish(&fixture).await;
    let mut refresher = Refresher::open(&fixture.warehouse, Options::new(Profile::Public)).await.unwrap();
    let Refreshed::New(first) = refresher.refresh(now()).await.unwrap() else { panic!("no dataset") };
    let tomorrow = testing::NOON_US + testing::DAY_US;
    let mut ahead = testing::attempt("ahead");
    ahead.started_at = tomorrow;
    fixture.attempts(&[ahead]).await;
    fixture
        .append(
            TableId::Health5m,
            vec![json!({
                "date": "2026-11-26", "bucket_at": "2026-11-26T12:00:00Z", "model_id": "acme/one", "variant": "standard",
                "provider_id": "north", "attempts": 1, "ok": 1,
            })],
        )
        .await;
    let mut usage = new_usage(1);
    usage["date"] = json!("2026-11-26");
    fixture.append(TableId::UsageDaily, vec![usage]).await;
    publish(&fixture).await;
    let Refreshed::New(data) = refresher.refresh(now()).await.unwrap() else { panic!("no dataset") };
    // A minute before now, as if the newest event were of now.
    assert_eq!(data.as_of, now() - chrono::TimeDelta::minutes(1));
    assert_eq!(data.buckets_end, first.buckets_end);
    assert_eq!(data.newest_date(), day("2026-11-25"));
}

#[tokio::test]
async fn damage_keeps_the_last_good_numbers_and_is_told_to_the_operator() {
    let fixture = Fixture::filled().await;
    let config = crate::config::WebConfig::default();
    publish(&fixture).await;
    let site = crate::Site::open_at(&fixture.warehouse, config, crate::data::Names::default(), now).await;
    let before = site.dataset().unwrap();
    assert_eq!(site.progress().failing, None);

    fixture.append(TableId::UsageDaily, vec![new_usage(5)]).await;
    publish(&fixture).await;
    let name = bellwether_metrics::usage_by_day::TABLE.name;
    let path = |file: &bellwether_warehouse::DataFile| fixture.path().join(name).join(&file.path);
    let table = fixture.warehouse.table(bellwether_metrics::usage_by_day::METRIC.id()).await.unwrap();
    let newest = table.snapshot().files().first().unwrap();
    let whole = std::fs::read(path(newest)).unwrap();
    std::fs::write(path(newest), b"no parquet").unwrap();
    site.refresh().await;
    assert!(site.progress().failing.unwrap().contains("usage_by_day"));
    assert!(std::sync::Arc::ptr_eq(&site.dataset().unwrap(), &before));

    // Once the file can be read again, the next look takes it in.
    std::fs::write(path(newest), whole).unwrap();
    site.refresh().await;
    assert_eq!(site.progress().failing, None);
    assert_eq!(site.dataset().unwrap().total(today(), Filter::All).requests, 5);
}

#[tokio::test]
async fn pages_of_a_former_dataset_are_given_back() {
    let app = App::filled().await;
    let page = app.get("/rankings/models").await.body.len() as u64;
    let cached = app.site.cache().bytes().await;
    assert!(cached > 0 && cached < 2 * page, "{cached} bytes for a page of {page}");
    app.site.swap(app.site.dataset().unwrap());
    assert_eq!(app.site.cache().bytes().await, 0);
    app.get("/rankings/models").await;
    assert_eq!(app.site.cache().bytes().await, cached);
}

#[tokio::test]
async fn other_names_are_shown_by_the_next_look_as_after_a_restart() {
    let fixture = Fixture::filled().await;
    publish(&fixture).await;
    let config = crate::config::WebConfig::default;
    let site = crate::Site::open_at(&fixture.warehouse, config(), crate::data::Names::default(), now).await;
    let before = site.dataset().unwrap();
    let word = site.settings(&before);
    let mut names = crate::data::Names::default();
    names.models.insert("acme/one".into(), "Uno".into());
    site.rename(names.clone()).await;
    // What stands keeps its names and its validators.
    assert!(std::sync::Arc::ptr_eq(&site.dataset().unwrap(), &before));
    assert_eq!(site.settings(&before), word);
    site.refresh().await;
    let after = site.dataset().unwrap();
    assert_eq!((before.names.model("acme/one"), after.names.model("acme/one")), ("one", "Uno"));
    assert_eq!(site.settings(&before), word);
    assert_ne!(site.settings(&after), word);
    let restarted = crate::Site::open_at(&fixture.warehouse, config(), names, now).await;
    assert_eq!(restarted.settings(&restarted.dataset().unwrap()), site.settings(&after));
}
