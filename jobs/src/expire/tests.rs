use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{NOON_US, attempt};

use crate::testing::{Fixture, at};

#[tokio::test]
async fn dates_are_dropped_when_a_table_no_longer_keeps_them() {
    let mut f = Fixture::new().await;
    f.append(&[AttemptRow { started_at: NOON_US, ..attempt("a") }]).await;
    f.jobs.fold(at("2026-11-25T13:00:00Z")).await.unwrap();
    let counts = "SELECT (SELECT count(*) FROM health_5m) AS a, (SELECT count(*) FROM health_hourly) AS b,
                         (SELECT count(*) FROM health_daily) AS c, (SELECT count(*) FROM usage_hourly) AS d";
    for (now, files, left) in [
        ("2026-12-03T23:59:59Z", 0, "1 1 1 1"),
        ("2026-12-04T00:00:00Z", 1, "0 1 1 1"),
        ("2026-12-04T00:00:00Z", 0, "0 1 1 1"),
        ("2027-03-05T23:59:59Z", 0, "0 1 1 1"),
        ("2027-03-06T00:00:00Z", 1, "0 0 1 1"),
    ] {
        let report = f.jobs.expire(at(now)).await.unwrap();
        assert_eq!((report.files, report.rows), (files, files as i64), "{now}");
        assert_eq!(f.query(counts).await, [left], "{now}");
    }
    // F stands: nothing is folded again.
    assert_eq!(f.jobs.fold(at("2027-03-06T00:00:00Z")).await.unwrap().attempts, 0);
}
