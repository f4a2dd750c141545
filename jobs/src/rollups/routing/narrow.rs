//! How much of a day is computed again for what is new.

use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{HOUR_US, attempt};

use crate::testing::{Fixture, us};

/// One attempt of a source that tells each by itself, in the middle of every hour of two days, a file each.
async fn two_days() -> (Fixture, Vec<(String, i64)>) {
    let begin = us("2026-11-24T00:30:00Z");
    let rows: Vec<(String, i64)> =
        (0..48).map(|hour| (format!("e{hour:02}"), begin + hour * HOUR_US)).collect();
    let mut f = Fixture::new().await;
    for row in &rows {
        f.append(&[loose(row)]).await;
    }
    f.jobs.recompute().await.unwrap();
    (f, rows)
}

fn loose((id, started_at): &(String, i64)) -> AttemptRow<'_> {
    AttemptRow { attempt: None, is_final: None, started_at: *started_at, ..attempt(id) }
}

/// What is stored of each date, in the order in which it lies there.
async fn stored(f: &Fixture) -> Vec<Vec<String>> {
    let mut dates = Vec::new();
    for date in ["2026-11-24", "2026-11-25"] {
        dates.push(f.query(&format!("SELECT * FROM routing_hourly WHERE date = '{date}'")).await);
    }
    dates
}

#[tokio::test]
async fn what_is_read_for_a_new_attempt_are_the_hours_around_it_and_not_the_day() {
    for (new, read) in [
        // It can change requests that began from 10:00 to before 15:00; those take two hours more on each side.
        ("2026-11-25T12:31:00Z", 9 + 1),
        // From 22:00 of the day before to before 03:00.
        ("2026-11-25T00:31:00Z", 9 + 1),
        // From 21:00; nothing is there after midnight.
        ("2026-11-25T23:31:00Z", 5 + 1),
    ] {
        let (mut f, mut rows) = two_days().await;
        rows.push(("new".to_owned(), us(new)));
        f.append(&[loose(&rows[48])]).await;
        let report = f.jobs.recompute().await.unwrap();
        assert_eq!(report.attempts, read, "{new}");

        let mut at_once = Fixture::new().await;
        at_once.append(&rows.iter().map(loose).collect::<Vec<_>>()).await;
        assert_eq!(at_once.jobs.recompute().await.unwrap().attempts, 49);
        assert_eq!(stored(&f).await, stored(&at_once).await, "{new}");
        assert_eq!(stored(&f).await.concat().len(), 48);
    }
}

#[tokio::test]
async fn a_first_attempt_that_comes_late_takes_its_request_out_of_the_hour_it_was_counted_in() {
    let (mut f, _) = two_days().await;
    // 12:30 becomes the second attempt of a request of 10:40; the hours in between stand.
    let first = AttemptRow { request_id: Some("e36"), ..loose_at("first", "2026-11-25T10:40:00Z") };
    f.append(&[first]).await;
    f.jobs.recompute().await.unwrap();
    let sql = "SELECT hour, all_requests, attempts FROM routing_hourly
               WHERE hour BETWEEN '2026-11-25T09:00:00Z' AND '2026-11-25T13:00:00Z' ORDER BY hour";
    assert_eq!(
        f.query(sql).await,
        [
            "2026-11-25T09:00:00Z 1 1",
            "2026-11-25T10:00:00Z 2 3",
            "2026-11-25T11:00:00Z 1 1",
            "2026-11-25T13:00:00Z 1 1"
        ]
    );
}

fn loose_at<'a>(id: &'a str, at: &str) -> AttemptRow<'a> {
    AttemptRow { attempt: None, is_final: None, started_at: us(at), ..attempt(id) }
}
