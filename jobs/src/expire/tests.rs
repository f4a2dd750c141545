use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::attempt;

use crate::testing::{Fixture, at, us};

const COUNTS: &str = "SELECT (SELECT count(*) FROM health_5m) AS a, (SELECT count(*) FROM health_hourly) AS b,
                             (SELECT count(*) FROM health_daily) AS c, (SELECT count(*) FROM usage_hourly) AS d";

/// An attempt at noon of each date, folded that evening.
async fn fold_dates(f: &mut Fixture, dates: &[&str]) {
    for date in dates {
        let started_at = us(&format!("{date}T12:00:00Z"));
        f.append(&[AttemptRow { started_at, ..attempt(date) }]).await;
        f.jobs.fold(at(&format!("{date}T18:00:00Z"))).await.unwrap();
    }
}

#[tokio::test]
async fn dates_are_dropped_when_a_table_no_longer_keeps_them() {
    let mut f = Fixture::new().await;
    // Eight days of five minutes, a hundred of hours.
    fold_dates(&mut f, &["2026-11-25", "2026-12-02", "2026-12-03"]).await;
    let expire = async |f: &mut Fixture, now: &str, files: usize, left: &str| {
        let report = f.jobs.expire(at(now)).await.unwrap();
        assert_eq!((report.files, report.rows, report.files_held), (files, files as i64, 0), "{now}");
        assert_eq!(f.query(COUNTS).await, [left], "{now}");
    };
    expire(&mut f, "2026-12-03T23:59:59Z", 0, "3 3 3 3").await;
    fold_dates(&mut f, &["2026-12-04"]).await;
    expire(&mut f, "2026-12-04T00:00:00Z", 1, "3 4 4 4").await;
    expire(&mut f, "2026-12-04T00:00:00Z", 0, "3 4 4 4").await;
    fold_dates(&mut f, &["2027-03-05", "2027-03-06"]).await;
    // Of the five minutes, of users and of speed by context all but the newest two, of the hours of both kinds the first.
    expire(&mut f, "2027-03-05T23:59:59Z", 3 + 4 + 4, "2 6 6 6").await;
    expire(&mut f, "2027-03-06T00:00:00Z", 2, "2 5 6 5").await;
    // F stands: nothing is folded again.
    assert_eq!(f.jobs.fold(at("2027-03-06T00:00:00Z")).await.unwrap().attempts, 0);
}

#[tokio::test]
async fn a_clock_that_is_years_ahead_drops_nothing_and_tells() {
    let mut f = Fixture::new().await;
    fold_dates(&mut f, &["2026-11-24", "2026-11-25"]).await;
    let report = f.jobs.expire(at("2031-01-01T00:00:00Z")).await.unwrap();
    assert_eq!((report.files, report.files_held), (0, 10));
    // Neither does it with an event that has the same clock.
    fold_dates(&mut f, &["2031-01-01"]).await;
    let report = f.jobs.expire(at("2031-01-01T19:00:00Z")).await.unwrap();
    assert_eq!((report.files, report.files_held), (0, 10));
    assert_eq!(f.query(COUNTS).await, ["3 3 3 3"]);
}

#[tokio::test]
async fn a_table_that_fails_keeps_no_other_from_dropping_what_is_old() {
    let mut f = Fixture::new().await;
    fold_dates(&mut f, &["2026-11-25", "2027-03-05", "2027-03-06"]).await;
    let mend = f.damage_log(TableId::Health5m).await;
    let error = f.jobs.expire(at("2027-03-06T00:00:00Z")).await.unwrap_err();
    assert!(error.to_string().contains("the log of table `health_5m`"), "{error}");
    mend();
    assert_eq!(f.query(COUNTS).await, ["3 2 3 2"]);
    f.jobs.expire(at("2027-03-06T00:00:00Z")).await.unwrap();
    assert_eq!(f.query(COUNTS).await, ["2 2 3 2"]);
}
