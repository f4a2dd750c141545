use bellwether_warehouse::testing::attempt;

use crate::testing::{Fixture, at};

#[tokio::test]
async fn every_table_tells_how_far_it_got() {
    let mut f = Fixture::new().await;
    let fresh = f.jobs.status().await.unwrap();
    assert_eq!((fresh.attempts.version, fresh.attempts.rows, fresh.attempts.newest_date), (0, 0, None));
    assert!(fresh.rollups.iter().all(|table| table.computed_at.is_none() && table.lag == 1));

    f.append(&[attempt("a"), attempt("b")]).await;
    f.jobs.fold(at("2026-11-25T13:00:00Z")).await.unwrap();
    f.append(&[attempt("c")]).await;
    let status = f.jobs.status().await.unwrap();
    assert_eq!((status.attempts.version, status.attempts.rows, status.attempts.files), (2, 3, 2));
    let tables: Vec<_> = status.rollups.iter().map(|t| (t.table, t.computed_at, t.lag, t.rows)).collect();
    assert_eq!(
        tables,
        [
            ("usage_hourly", Some(1), 1, 1),
            ("usage_daily", Some(1), 1, 1),
            ("health_5m", Some(1), 1, 1),
            ("health_hourly", Some(1), 1, 1),
            ("health_daily", Some(1), 1, 1),
            ("app_daily", Some(1), 1, 1),
            ("country_daily", Some(1), 1, 1),
            ("context_speed_daily", Some(1), 1, 1),
            ("users_by_week", Some(1), 1, 1),
            ("user_model_daily", Some(1), 1, 1),
            ("user_model_monthly", Some(1), 1, 1),
            ("intake_daily", Some(1), 1, 0),
            ("routing_hourly", None, 3, 0),
        ]
    );
    assert_eq!(status.rollups[0].newest_date, Some("2026-11-25".parse().unwrap()));
    assert!(status.rollups[0].bytes > 0);
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["rollups"][0]["newest_date"], "2026-11-25");
    let text = status.to_string();
    assert_eq!(text.lines().count(), 15);
    assert!(text.lines().all(|line| line.len() < 100), "{text}");
}
