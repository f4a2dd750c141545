//! The strip of the last hour, counted by hand, and what is said when no event comes.

use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing;
use chrono::{DateTime, TimeDelta, Utc};

use super::numbers::dataset;
use crate::data::testing::{Fixture, now};
use crate::data::{Dataset, Options, Profile};

fn call(id: &'static str, at: &str) -> AttemptRow<'static> {
    let started_at = at.parse::<DateTime<Utc>>().unwrap().timestamp_micros();
    AttemptRow { started_at, ingested_at: started_at, ..testing::attempt(id) }
}

#[tokio::test]
async fn the_last_hour_ends_with_the_newest_minute_of_which_everything_has_arrived() {
    let fixture = Fixture::filled().await;
    let beside = [
        ("too early", "2026-11-25T11:04:59Z"),
        ("first", "2026-11-25T11:05:00Z"),
        ("too late", "2026-11-25T12:05:00Z"),
    ];
    fixture.attempts(&beside.map(|(id, at)| call(id, at))).await;
    let data = dataset(&fixture).await;
    // A minute before the newest event, which is of 12:06:30.
    assert_eq!(data.as_of.to_rfc3339(), "2026-11-25T12:05:30+00:00");
    let minutes = &data.last_hour.minutes;
    let ends = [minutes.first(), minutes.last()].map(|minute| minute.unwrap().at.to_rfc3339());
    assert_eq!(
        (minutes.len(), ends),
        (60, ["2026-11-25T11:05:00+00:00", "2026-11-25T12:04:00+00:00"].map(String::from))
    );
    assert!(minutes.windows(2).all(|pair| pair[1].at - pair[0].at == TimeDelta::minutes(1)));
    // Three calls of 12:04, of which one was a fault, one of 12:03 and the first; 1,000 and 200 tokens each.
    let busy: Vec<_> = minutes
        .iter()
        .map(|minute| {
            (
                minute.at.format("%H:%M").to_string(),
                minute.requests,
                minute.tokens,
                minute.attempts,
                minute.counted,
                minute.success,
            )
        })
        .filter(|(_, _, _, attempts, _, _)| *attempts > 0)
        .collect();
    let of_one = |at: &str| (at.to_owned(), 1, 1_200, 1, 1, 1);
    assert_eq!(busy, [of_one("11:05"), of_one("12:03"), ("12:04".to_owned(), 2, 2_400, 3, 3, 2)]);
    assert_eq!((data.last_hour.requests(), data.last_hour.tokens()), (4, 4_800));
    assert_eq!(data.last_hour.uptime(), Some((80.0, 5)));
}

#[tokio::test]
async fn a_cancelled_attempt_was_served_once_its_first_token_came() {
    let fixture = Fixture::filled().await;
    let cancelled = |id, ttft_ms, output_tokens| AttemptRow {
        outcome: "cancelled",
        ttft_ms,
        output_tokens,
        ..call(id, "2026-11-25T12:00:00Z")
    };
    let rows = [cancelled("e", Some(80), None), cancelled("f", None, Some(1)), cancelled("g", None, None)];
    fixture.attempts(&rows).await;
    let data = dataset(&fixture).await;
    let noon = data.last_hour.minutes.iter().find(|minute| minute.attempts > 0).unwrap();
    assert_eq!((noon.at.timestamp_micros(), noon.attempts), (testing::NOON_US, 3));
    assert_eq!((noon.requests, noon.success, noon.counted), (2, 2, 2));
}

async fn published_at(fixture: &Fixture, now: DateTime<Utc>) -> std::sync::Arc<Dataset> {
    let options = Options::new(Profile::Public);
    fixture.publish_at(&options, now, &[]).await;
    fixture.shown(options, now).await
}

#[tokio::test]
async fn when_traffic_stops_the_strip_goes_on() {
    let fixture = Fixture::filled().await;
    let said = async |minutes: i64| {
        let now = now() + TimeDelta::minutes(minutes);
        let data = published_at(&fixture, now).await;
        let newest = data.newest_event_at.unwrap();
        assert_eq!(newest.to_rfc3339(), "2026-11-25T12:06:30+00:00");
        (data.as_of.to_rfc3339(), data.last_hour.requests(), data.quiet_for(now).as_secs())
    };
    // From 12:09:30 on what has arrived ends two minutes before now.
    let told = |as_of: &str, requests, secs| (format!("2026-11-25T{as_of}+00:00"), requests, secs);
    assert_eq!(said(0).await, told("12:05:30", 3, 60));
    assert_eq!(said(20).await, told("12:25:30", 4, 1_260));
    // Nothing is left of it in the strip, which begins at 12:21.
    assert_eq!(said(76).await, told("13:21:30", 0, 4_620));
}

#[tokio::test]
async fn an_event_from_a_clock_that_runs_ahead_moves_nothing_behind_the_minute_before_now() {
    let fixture = Fixture::filled().await;
    fixture.attempts(&[call("ahead", "2026-11-26T12:00:00Z")]).await;
    let data = dataset(&fixture).await;
    assert_eq!((data.as_of, data.newest_event_at), (now() - TimeDelta::minutes(1), Some(now())));
    assert_eq!(data.last_hour.minutes.last().unwrap().at.to_rfc3339(), "2026-11-25T12:05:00+00:00");
}
