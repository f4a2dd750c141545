//! What the site does when a look at the tables goes wrong, and when more is asked than it can do.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Waker};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bellwether_warehouse::health::{Health, State};
use bellwether_warehouse::testing::attempt;
use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt;

use super::addresses::open;
use super::routes::App;
use crate::config::WebConfig;
use crate::data::testing::{Fixture, now};
use crate::data::{Names, Options, Profile};
use crate::{Site, admin};

/// A clock that a test sets: `MINUTES` after the fixture's instant, once it does not panic.
macro_rules! clock {
    () => {
        static MINUTES: AtomicI64 = AtomicI64::new(0);
        static BROKEN: AtomicBool = AtomicBool::new(false);
        fn clock() -> chrono::DateTime<chrono::Utc> {
            assert!(!BROKEN.swap(false, Ordering::SeqCst), "the clock is broken");
            now() + TimeDelta::minutes(MINUTES.load(Ordering::SeqCst))
        }
    };
}

fn down(state: State) -> String {
    match state {
        State::Down(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Readiness as an operator sees it.
async fn readyz(site: &Site, health: &Health) -> (StatusCode, String) {
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let router = admin::router(Some(site.clone()), health.clone(), metrics);
    let response = router.oneshot(Request::get("/readyz").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_refresh_that_panics_keeps_the_data_and_is_tried_again() {
    clock!();
    let fixture = Fixture::filled().await;
    fixture.publish(&Options::new(Profile::Public)).await;
    let site = Site::open_at(&fixture.warehouse, open(), Names::default(), clock).await;
    let before = site.dataset().unwrap();
    assert_eq!(site.state(), State::Works);

    BROKEN.store(true, Ordering::SeqCst);
    site.refresh().await;
    assert!(Arc::ptr_eq(&site.dataset().unwrap(), &before));
    assert_eq!(site.progress().failures, 1);
    let State::Impaired(why) = site.state() else { panic!("{:?}", site.state()) };
    assert!(why.contains("the last good data stay") && why.contains("the clock is broken"), "{why}");
    let (status, text) = readyz(&site, &Health::default()).await;
    assert_eq!((status, text.lines().next()), (StatusCode::OK, Some("ready")));
    assert!(text.contains("site: ready, but the last good data stay"), "{text}");

    // The next look starts from nothing, since what the panic left may be half done.
    site.refresh().await;
    assert_eq!((site.progress().failures, site.progress().failing), (0, None));
    assert_eq!(site.state(), State::Works);
}

#[tokio::test]
async fn a_refresh_that_fails_for_too_long_makes_the_site_unready() {
    clock!();
    // Nothing but refreshes can be late over an empty warehouse.
    let fixture = Fixture::empty().await;
    fixture.fold(0).await;
    fixture.publish(&Options::new(Profile::Public)).await;
    let site = Site::open_at(&fixture.warehouse, open(), Names::default(), clock).await;
    for minutes in [15, 16] {
        MINUTES.store(minutes, Ordering::SeqCst);
        BROKEN.store(true, Ordering::SeqCst);
        site.refresh().await;
        assert_eq!(matches!(site.state(), State::Impaired(_)), minutes == 15, "{:?}", site.state());
    }
    let why = down(site.state());
    assert!(why.contains("since 2026-11-25T12:07:30Z") && why.contains("panicked"), "{why}");
    site.refresh().await;
    assert_eq!(site.state(), State::Works);
}

#[tokio::test]
async fn a_site_of_which_nothing_is_published_waits_for_it() {
    clock!();
    let fixture = Fixture::filled().await;
    let site = Site::open_at(&fixture.warehouse, open(), Names::default(), clock).await;
    assert!(site.dataset().is_none());
    assert_eq!(down(site.state()), "no data loaded yet: nothing is published yet; do the jobs run?");
    let page =
        crate::app(site.clone()).oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    fixture.publish(&Options::new(Profile::Public)).await;
    site.refresh().await;
    assert_eq!(site.state(), State::Works);
}

#[tokio::test]
async fn publications_that_stand_still_and_events_that_do_not_come_are_told_on_pages_and_to_the_operator() {
    clock!();
    let fixture = Fixture::filled().await;
    fixture.publish(&Options::new(Profile::Public)).await;
    let site = Site::open_at(&fixture.warehouse, open(), Names::default(), clock).await;
    let banner = async |says: &str| {
        let page = Request::get("/status").body(Body::empty()).unwrap();
        let page = crate::app(site.clone()).oneshot(page).await.unwrap();
        let body = axum::body::to_bytes(page.into_body(), usize::MAX).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains(says), "{says}");
    };
    MINUTES.store(20, Ordering::SeqCst);
    // As new as can be, but nobody publishes it.
    let mut fresh = attempt("fresh");
    fresh.started_at = clock().timestamp_micros() - 1_000_000;
    fixture.attempts(&[fresh]).await;
    site.refresh().await;
    let why = down(site.state());
    let wanted = "since 2026-11-25T12:05:30Z: new attempts are not folded or not published; do the jobs run?";
    assert!(why.ends_with(wanted), "{why}");
    banner("has not been brought up to date").await;

    let options = Options::new(Profile::Public);
    fixture.fold(2).await;
    fixture.publish_at(&options, clock(), &[]).await;
    site.refresh().await;
    assert_eq!(site.state(), State::Works);

    // Seventeen minutes after that event, with all that has come since published: nothing.
    MINUTES.store(37, Ordering::SeqCst);
    fixture.publish_at(&options, clock(), &[]).await;
    site.refresh().await;
    assert_eq!(down(site.state()), "the newest event is from 2026-11-25T12:27:29Z");
    banner("The newest event is of").await;
}

#[tokio::test]
async fn every_part_is_listed_and_one_that_is_down_makes_the_process_unready() {
    let app = App::filled().await;
    let health = Health::default();
    let (_intake, jobs) = (health.part("intake"), health.part("jobs"));
    jobs.impaired("rebuild failed: no space left");
    let (status, text) = readyz(&app.site, &health).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(text, "ready\nsite: ready\nintake: ready\njobs: ready, but rebuild failed: no space left\n");
    jobs.down("cannot open the tables");
    let (status, text) = readyz(&app.site, &health).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text, "not ready\nsite: ready\nintake: ready\njobs: down: cannot open the tables\n");
}

#[tokio::test]
async fn pages_beyond_the_line_are_refused_at_once_and_those_in_memory_are_not() {
    let app = App::filled().await;
    assert_eq!(app.get("/status").await.status, StatusCode::OK);
    let full = app.site.gate().fill();
    let refused = app.get_with("/uptime", &[("accept", "application/json")]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
    assert_eq!(refused.header("cache-control"), "no-store");
    assert_eq!(refused.json()["type"], "/problems/busy");
    assert_eq!(app.get("/status").await.status, StatusCode::OK);
    drop(full);
    assert_eq!(app.get("/uptime").await.status, StatusCode::OK);
    assert_eq!(app.get("/problems/busy").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_request_more_than_may_be_worked_on_is_refused_at_once() {
    let app = App::over(Fixture::filled().await, WebConfig { max_concurrent: 1, ..open() }).await;
    let stopped = app.site.gate().stop();
    let mut first = pin!(app.get("/uptime"));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let refused = app.get("/status").await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
    drop(stopped);
    assert_eq!(first.await.status, StatusCode::OK);
    assert_eq!(app.get("/status").await.status, StatusCode::OK);
}
