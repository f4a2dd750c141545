//! A history that is being written newest first: what is not there yet is neither nothing nor new.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use bellwether_warehouse::TableId;
use serde_json::json;
use tower::ServiceExt;

use super::addresses::open;
use crate::config::{Profile, WebConfig};
use crate::data::testing::{Fixture, day, now};
use crate::data::{
    Change, Dataset, Filter, GroupBy, LabelPeriod, Metric, Names, NotYet, Options, RankingQuery, Window,
};
use crate::{History, Site, Written};

const LINE: &str = "<b>Simulated history:</b> 1 of 3 weeks written, newest first; about 40 s left.";
const PAGES: [&str; 8] = [
    "/",
    "/rankings/models",
    "/rankings/growth",
    "/models/acme/one",
    "/status",
    "/uptime",
    "/methodology",
    "/rankings/models?period=28d",
];

fn written(from: &str, weeks: u32) -> Written {
    Written { from: day(from), weeks, of: 3, left: Some(Duration::from_secs(33)) }
}

fn this_week() -> RankingQuery {
    let window = Window { start: day("2026-11-18"), end: day("2026-11-24") };
    RankingQuery {
        by: GroupBy::Series,
        metric: Metric::Requests,
        window,
        before: Some(window.previous()),
        filter: Filter::All,
    }
}

/// A dataset of a history of which so much was told at the version that the tables are folded to.
async fn dataset(fixture: &Fixture, written: Written) -> Arc<Dataset> {
    let history = History::default();
    history.tell(0, written);
    let options = Options { history: Some(history), ..Options::new(Profile::Private) };
    fixture.dataset(options).await
}

async fn change_of_the_free_variant(data: &Dataset) -> Change {
    data.load_users(&this_week().users()).await.unwrap();
    let ranking = data.ranking(this_week());
    let row = ranking.rows.iter().find(|row| data.key(row.group) == "acme/one:free").unwrap();
    row.change
}

#[tokio::test]
async fn days_before_the_written_ones_count_for_nothing_until_they_are_whole() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, written("2026-11-18", 1)).await;
    // Rows of the week before are in the tables, as those of a week that is being written are.
    assert_eq!(data.first_date(), day("2026-11-18"));
    let fortnight = Window { start: day("2026-11-11"), end: day("2026-11-24") };
    // 200 (on the 24th half of them twice), 50, 100, 10 and 1 on each of seven days.
    assert_eq!(data.total(fortnight, Filter::All).requests, 7 * 361);
    assert_eq!(data.ranking(this_week()).total_before, None);
    assert_eq!(change_of_the_free_variant(&data).await, Change::NotYet);

    let whole = dataset(&fixture, written("2026-11-11", 3)).await;
    assert_eq!((whole.first_date(), whole.history), (day("2026-11-11"), None));
    assert_eq!(whole.total(fortnight, Filter::All).requests, 7 * 361 + 7 * 311);
    assert_eq!(change_of_the_free_variant(&whole).await, Change::New);
}

#[tokio::test]
async fn no_model_is_new_in_a_month_while_older_months_are_not_written() {
    let fixture = Fixture::filled().await;
    let october = json!({
        "date": "2026-10-30", "model_id": "beta/two", "author": "beta", "variant": "standard", "provider_id": "south",
        "requests": 1, "input_tokens": 1,
    });
    fixture.append(TableId::UsageDaily, vec![october]).await;
    let new = async |written| {
        let months = dataset(&fixture, written).await.months();
        months.iter().map(|month| month.new).collect::<Vec<_>>()
    };
    assert_eq!(new(written("2026-10-26", 2)).await, [None, None]);
    // acme/one, its free variant and gamma/tiny.
    assert_eq!(new(written("2026-10-26", 3)).await, [None, Some(3)]);
}

#[tokio::test]
async fn labels_of_a_window_that_is_not_whole_are_not_shown_as_the_window() {
    let fixture = Fixture::filled().await;
    let shown = async |from| {
        let data = dataset(&fixture, written(from, 1)).await;
        [LabelPeriod::Week, LabelPeriod::Epoch].map(|period| data.languages(Some(period)).map(|_| ()))
    };
    let not_yet = Err(NotYet::default().into());
    assert_eq!(shown("2026-11-23").await, [not_yet, not_yet]);
    // The epoch of that week begins on 26 October.
    assert_eq!(shown("2026-11-16").await, [Ok(()), not_yet]);
    assert_eq!(shown("2026-10-26").await, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn every_page_says_how_far_the_history_is_until_it_is_whole() {
    let fixture = Fixture::filled().await;
    let history = History::default();
    history.tell(0, written("2026-11-18", 1));
    let config =
        WebConfig { simulated: true, profile: Profile::Demo, history: Some(history.clone()), ..open() };
    fixture.publish(&Options::of(&config, Names::default())).await;
    let site = Site::open_at(&fixture.warehouse, config, Names::default(), now).await;
    let app = crate::app(site.clone());
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let etag = response.headers()["etag"].to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        (etag, String::from_utf8(body.to_vec()).unwrap().replace('\u{a0}', " "))
    };
    let mut etags = Vec::new();
    for path in PAGES {
        let (etag, html) = get(path).await;
        assert!(html.contains(LINE) && html.contains("<b>Simulated traffic.</b>"), "{path}: {html}");
        etags.push(etag);
    }
    assert!(get("/").await.1.contains("History written so far begins"));
    assert!(get("/rankings/models?period=28d").await.1.contains("history written so far begins on 18 Nov"));
    assert!(get("/models/acme/one").await.1.contains("or earlier: older weeks are not written yet"));

    history.tell(1, written("2026-11-11", 3));
    site.refresh().await;
    assert!(get("/status").await.1.contains(LINE), "not folded yet");
    fixture.fold(1).await;
    site.refresh().await;
    assert!(get("/status").await.1.contains(LINE), "not published yet");
    fixture.publish(&Options::of(site.config(), Names::default())).await;
    site.refresh().await;
    for (path, etag) in PAGES.iter().zip(etags) {
        let (now, html) = get(path).await;
        assert!(!html.contains("Simulated history") && html.contains("<b>Simulated traffic.</b>"), "{path}");
        assert_ne!(now, etag, "{path}");
    }
    assert!(get("/").await.1.contains("History begins"));
}

#[tokio::test]
async fn another_word_on_the_time_that_is_left_is_another_validator() {
    let fixture = Fixture::filled().await;
    fixture.publish(&Options::new(Profile::Public)).await;
    let etag = async |left: Option<u64>| {
        let history = History::default();
        history.tell(0, Written { left: left.map(Duration::from_secs), ..written("2026-11-18", 1) });
        let config = WebConfig { history: Some(history), ..open() };
        let site = Site::open_at(&fixture.warehouse, config, Names::default(), now).await;
        let request = Request::get("/status").body(Body::empty()).unwrap();
        let response = crate::app(site).oneshot(request).await.unwrap();
        response.headers()["etag"].to_str().unwrap().to_owned()
    };
    assert_eq!(etag(Some(33)).await, etag(Some(38)).await, "both are about 40 s");
    assert_ne!(etag(Some(33)).await, etag(Some(43)).await);
    assert_ne!(etag(Some(33)).await, etag(None).await);
}
