use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};
use datafusion::common::ScalarValue;

use crate::assert_row;
use crate::dates::date_value;
use crate::statement::Statement;
use crate::testing::{Fixture, lines, us};

/// One record of a source that sends each attempt by itself.
fn loose<'a>(id: &'a str, request: &'a str, started_at: i64, outcome: &'a str) -> AttemptRow<'a> {
    AttemptRow {
        request_id: Some(request),
        attempt: None,
        is_final: None,
        started_at,
        outcome,
        ..attempt(id)
    }
}

/// One attempt of a record that told the whole request.
fn told<'a>(id: &'a str, request: &'a str, at: i16, last: bool, outcome: &'a str) -> AttemptRow<'a> {
    AttemptRow {
        request_id: Some(request),
        attempt: Some(at),
        is_final: Some(last),
        started_at: NOON_US + i64::from(at),
        outcome,
        ..attempt(id)
    }
}

#[tokio::test]
async fn requests_are_counted_by_how_their_first_and_last_attempts_ended() {
    let mut f = Fixture::new().await;
    let undelivered =
        AttemptRow { output_tokens: None, ttft_ms: None, ..told("h0", "h", 0, true, "cancelled") };
    f.append(&[
        // One attempt each: served, and cancelled after delivery.
        told("a0", "a", 0, true, "ok"),
        told("b0", "b", 0, true, "cancelled"),
        // Saved by fallback; not saved.
        told("c0", "c", 0, false, "fault"),
        told("c1", "c", 1, true, "ok"),
        told("d0", "d", 0, false, "fault"),
        told("d1", "d", 1, false, "rate_limited"),
        told("d2", "d", 2, true, "fault"),
        // First attempt rate limited: only in the second pair.
        told("e0", "e", 0, false, "rate_limited"),
        told("e1", "e", 1, true, "ok"),
        told("f0", "f", 0, true, "rate_limited"),
        // Neither a success nor a counted fault: only a request.
        told("g0", "g", 0, true, "client_error"),
        undelivered,
        // Of the router's own making: nothing at all.
        told("i0", "i", 0, true, "gateway_error"),
        AttemptRow { gateway_cache_hit: true, ..told("j0", "j", 0, true, "ok") },
    ])
    .await;
    let report = f.jobs.recompute().await.unwrap();
    assert_eq!((report.to, report.dates, report.rows), (1, 1, 1));
    assert_row!(f, "routing_hourly", {
        date: "2026-11-25", hour: "2026-11-25T12:00:00Z", model_id: "acme/one", author: "acme",
        all_requests: 8, attempts: 12, requests: 4, routed_ok: 3, first_ok: 2,
        requests_with_rate_limits: 6, routed_ok_with_rate_limits: 4, first_ok_with_rate_limits: 2,
    });
}

#[tokio::test]
async fn attempts_that_come_one_by_one_are_brought_in_order() {
    let mut f = Fixture::new().await;
    let other =
        |row: AttemptRow<'static>| AttemptRow { model_id: Some("zeta/two"), author: Some("zeta"), ..row };
    // Out of order, in commits of their own; the model of the first attempt counts.
    f.append(&[other(loose("a2", "a", NOON_US + 2, "ok"))]).await;
    f.append(&[loose("a0", "a", NOON_US, "fault"), loose("a1", "a", NOON_US + 1, "fault")]).await;
    // No request id: a request of its own.
    f.append(&[AttemptRow { request_id: None, ..loose("b", "", NOON_US, "fault") }]).await;
    f.jobs.recompute().await.unwrap();
    assert_row!(f, "routing_hourly", {
        model_id: "acme/one", author: "acme", all_requests: 2, attempts: 4, requests: 2, routed_ok: 1, first_ok: 0,
    });
}

#[tokio::test]
async fn a_fallback_across_midnight_counts_for_the_hour_of_the_first_attempt() {
    let mut f = Fixture::new().await;
    let (before, after) = (us("2026-11-24T23:59:58Z"), us("2026-11-25T00:00:03Z"));
    f.append(&[loose("a0", "a", before, "fault")]).await;
    f.jobs.recompute().await.unwrap();
    let sql = "SELECT hour, all_requests, attempts, routed_ok FROM routing_hourly ORDER BY hour";
    assert_eq!(f.query(sql).await, ["2026-11-24T23:00:00Z 1 1 0"]);
    // The rest arrives later: yesterday changes, and today has no request of its own.
    f.append(&[loose("a1", "a", after, "ok")]).await;
    let report = f.jobs.recompute().await.unwrap();
    assert_eq!(report.dates, 2);
    assert_eq!(f.query(sql).await, ["2026-11-24T23:00:00Z 1 2 1"]);
    // A request of today's beside it.
    f.append(&[loose("b0", "b", after, "ok")]).await;
    f.jobs.recompute().await.unwrap();
    assert_eq!(f.query(sql).await, ["2026-11-24T23:00:00Z 1 2 1", "2026-11-25T00:00:00Z 1 1 1"]);
}

#[tokio::test]
async fn a_first_attempt_before_midnight_that_arrives_last_moves_the_request_to_its_hour() {
    let mut f = Fixture::new().await;
    let (before, after) = (us("2026-11-24T23:59:40Z"), us("2026-11-25T00:00:05Z"));
    f.append(&[loose("a1", "a", after, "ok")]).await;
    f.jobs.recompute().await.unwrap();
    let sql = "SELECT hour, all_requests, attempts, first_ok FROM routing_hourly ORDER BY hour";
    assert_eq!(f.query(sql).await, ["2026-11-25T00:00:00Z 1 1 1"]);
    f.append(&[loose("a0", "a", before, "fault")]).await;
    f.jobs.recompute().await.unwrap();
    assert_eq!(f.query(sql).await, ["2026-11-24T23:00:00Z 1 2 0"]);
}

#[tokio::test]
async fn copies_that_a_rebuild_left_out_do_not_come_back_with_a_late_row() {
    let mut f = Fixture::new().await;
    f.append(&[loose("a", "a", NOON_US, "ok")]).await;
    f.append(&[loose("a", "a", NOON_US, "ok")]).await;
    f.jobs.recompute().await.unwrap();
    f.append(&[loose("b", "b", NOON_US, "ok")]).await;
    f.jobs.recompute().await.unwrap();
    assert_eq!(f.query("SELECT all_requests, attempts FROM routing_hourly").await, ["2 2"]);
}

#[tokio::test]
async fn only_touched_dates_are_computed_again() {
    let mut f = Fixture::new().await;
    let days_ago = |days: i64| AttemptRow { started_at: NOON_US - days * DAY_US, ..attempt("e") };
    f.append(&[days_ago(0), days_ago(1), days_ago(2), days_ago(40)]).await;
    assert_eq!(f.jobs.recompute().await.unwrap().dates, 4);
    let files = |snapshot: bellwether_warehouse::Snapshot| {
        snapshot.files().iter().map(|file| file.path.clone()).collect::<Vec<_>>()
    };
    let before = files(f.snapshot(TableId::RoutingHourly).await);
    f.append(&[AttemptRow { started_at: NOON_US - DAY_US, ..attempt("f") }]).await;
    let report = f.jobs.recompute().await.unwrap();
    assert_eq!((report.dates, report.rows), (1, 1));
    let after = files(f.snapshot(TableId::RoutingHourly).await);
    let kept = after.iter().filter(|path| before.contains(path)).count();
    assert_eq!((after.len(), kept), (4, 3));
    assert_eq!(
        f.query("SELECT date, all_requests FROM routing_hourly ORDER BY date").await,
        ["2026-10-16 1", "2026-11-23 1", "2026-11-24 2", "2026-11-25 1"]
    );
    // Nothing new: nothing done.
    assert_eq!(f.jobs.recompute().await.unwrap().dates, 0);
}

#[tokio::test]
async fn rows_by_model_and_hour_are_kept_apart() {
    let mut f = Fixture::new().await;
    let at = |id: &'static str, time: &str, model: Option<&'static str>| AttemptRow {
        started_at: us(time),
        model_id: model,
        author: model.and(Some("acme")),
        ..attempt(id)
    };
    f.append(&[
        at("a", "2026-11-25T00:00:00Z", Some("acme/one")),
        at("b", "2026-11-25T00:59:59.999999Z", Some("acme/two")),
        at("c", "2026-11-25T01:00:00Z", Some("acme/two")),
        at("d", "2026-11-25T01:30:00Z", None),
    ])
    .await;
    f.jobs.recompute().await.unwrap();
    assert_eq!(
        f.query("SELECT hour, model_id, all_requests FROM routing_hourly").await,
        [
            "2026-11-25T00:00:00Z acme/one 1",
            "2026-11-25T00:00:00Z acme/two 1",
            "2026-11-25T01:00:00Z acme/two 1",
            "2026-11-25T01:00:00Z - 1"
        ]
    );
}

#[test]
fn long_runs_of_dates_are_computed_in_pieces() {
    let day = |n: u64| chrono::NaiveDate::default().checked_add_days(chrono::Days::new(n)).unwrap();
    let split = |rows: i64| super::hours::split((0..40).chain(50..52).chain([60]).map(|n| (day(n), rows)));
    assert_eq!(split(10), [(day(0), day(30)), (day(31), day(39)), (day(50), day(51)), (day(60), day(60))]);
    assert_eq!(split(900_000)[..2], [(day(0), day(1)), (day(2), day(3))]);
    assert_eq!(split(9_000_000)[..2], [(day(0), day(0)), (day(1), day(1))]);
}

/// A number of its own for each (row, purpose).
fn draw(row: i64, purpose: u64) -> u64 {
    let mut z =
        (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93);
    z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    z ^ (z >> 32)
}

#[tokio::test]
async fn requests_equal_what_the_sql_makes_of_the_same_attempts() {
    const ORACLE: Statement = Statement { name: "routing/oracle.sql", sql: include_str!("oracle.sql") };
    let mut f = Fixture::new().await;
    let names: Vec<(String, String)> = (0..6_000)
        .map(|n| (format!("event-{}", draw(n, 1)), format!("request-{}", draw(n, 2) % 2_500)))
        .collect();
    let rows: Vec<_> = names
        .iter()
        .zip(0..)
        .map(|((event, request), n)| {
            let pick = |purpose: u64, upto: u64| (draw(n, purpose) % upto) as usize;
            let alone = pick(3, 4) == 0;
            // All attempts of a request lie within a minute, around midnight, many at the same instant.
            let request_number: i64 = request.trim_start_matches("request-").parse().unwrap();
            let begin = us("2026-11-24T00:00:00Z")
                + (request_number % 4 - 1) * DAY_US
                + request_number % 7 * 5_000_000
                - 15_000_000;
            AttemptRow {
                event_id: event,
                request_id: if alone {
                    Some(event)
                } else {
                    Some(request.as_str()).filter(|_| pick(4, 9) > 0)
                },
                attempt: [None, Some(0), Some(1), Some(2)][if alone { 1 } else { pick(5, 4) }],
                is_final: [None, Some(false), Some(true)][if alone { 2 } else { pick(6, 2) }],
                started_at: begin + pick(7, 3) as i64 * 20_000_000,
                model_id: [Some("acme/one"), Some("zeta/two"), None][pick(8, 3)],
                author: [Some("acme"), None][pick(9, 2)],
                outcome: ["ok", "ok", "fault", "rate_limited", "cancelled", "client_error", "gateway_error"]
                    [pick(10, 7)],
                output_tokens: [None, Some(0), Some(5)][pick(11, 3)],
                ttft_ms: [None, Some(9)][pick(12, 2)],
                gateway_cache_hit: pick(13, 10) == 0,
                ..attempt("")
            }
        })
        .collect();
    f.append(&rows).await;
    f.jobs.recompute().await.unwrap();
    let dates = f.query("SELECT DISTINCT event_date FROM attempts ORDER BY 1").await;
    assert!(dates.len() >= 4);
    // Date by date, so that requests cross the borders of what is computed at once.
    let mut expected = Vec::new();
    for date in &dates {
        let ctx = f.warehouse.session(2);
        ctx.register_table("attempts", f.attempts.snapshot().provider()).unwrap();
        let date: chrono::NaiveDate = date.parse().unwrap();
        let instant = |date: chrono::NaiveDate, hours: i64| {
            let at = date.and_time(chrono::NaiveTime::MIN).and_utc() + chrono::TimeDelta::hours(hours);
            ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into()))
        };
        let values = vec![date_value(date), date_value(date), instant(date, -2), instant(date, 26)];
        let rows = ORACLE.run(&ctx, values).await.unwrap();
        expected.extend(rows.batches.iter().flat_map(lines));
    }
    let found = f.query("SELECT * FROM routing_hourly ORDER BY hour, model_id, author").await;
    assert!(found.len() > 20);
    assert_eq!(found, expected);
}
