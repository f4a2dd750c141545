//! What single attempts count for in the families that have names of their own.

use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};

use super::NOW;
use crate::testing::{Fixture, at};

#[tokio::test]
async fn served_requests_are_counted_by_the_app_and_the_country_they_came_from() {
    let mut f = Fixture::new().await;
    let from = |app_id, country, user_key| AttemptRow { app_id, country, user_key, ..attempt("e") };
    f.append(&[
        from(Some("kilo"), Some("DE"), Some(1)),
        from(Some("kilo"), Some("US"), Some(1)),
        from(Some("kilo"), Some("US"), Some(2)),
        from(None, Some("US"), None),
        AttemptRow { variant: Some("free"), cost_usd: None, ..from(Some("kilo"), None, Some(3)) },
        AttemptRow { started_at: NOON_US - DAY_US, ..from(Some("kilo"), Some("DE"), Some(1)) },
        // Not served: of no use to anybody, but paid.
        AttemptRow { outcome: "fault", ..from(Some("chat"), Some("FR"), Some(4)) },
    ])
    .await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let rows = |table: &str, key: &str| {
        format!(
            "SELECT date, {key}, model_id, author, variant, requests, requests_with_user, hll_estimate(users),
                    input_tokens, output_tokens, cost_usd, unpriced_requests, unpriced_tokens
             FROM {table} ORDER BY date, {key}, variant"
        )
    };
    assert_eq!(
        f.query(&rows("app_daily", "app_id")).await,
        [
            "2026-11-24 kilo acme/one acme standard 1 1 1 1000 200 0.001500000 0 0",
            "2026-11-25 chat acme/one acme standard 0 0 - 0 0 0.001500000 0 0",
            "2026-11-25 kilo acme/one acme free 1 1 1 1000 200 0.000000000 1 1200",
            "2026-11-25 kilo acme/one acme standard 3 3 2 3000 600 0.004500000 0 0",
            "2026-11-25 - acme/one acme standard 1 0 - 1000 200 0.001500000 0 0",
        ]
    );
    assert_eq!(
        f.query(&rows("country_daily", "country")).await,
        [
            "2026-11-24 DE acme/one acme standard 1 1 1 1000 200 0.001500000 0 0",
            "2026-11-25 DE acme/one acme standard 1 1 1 1000 200 0.001500000 0 0",
            "2026-11-25 FR acme/one acme standard 0 0 - 0 0 0.001500000 0 0",
            "2026-11-25 US acme/one acme standard 3 2 2 3000 600 0.004500000 0 0",
            "2026-11-25 - acme/one acme free 1 1 1 1000 200 0.000000000 1 1200",
        ]
    );
    let sums = "SELECT sum(requests), sum(input_tokens), sum(cost_usd) FROM";
    let of_usage = f.query(&format!("{sums} usage_daily")).await;
    assert_eq!(f.query(&format!("{sums} app_daily")).await, of_usage);
    assert_eq!(f.query(&format!("{sums} country_daily")).await, of_usage);
}

#[tokio::test]
async fn speed_is_measured_by_the_length_of_the_prompt() {
    let mut f = Fixture::new().await;
    let of = |input_tokens| AttemptRow { input_tokens, ..attempt("e") };
    f.append(&[
        of(Some(0)),
        of(Some(1_000)),
        of(Some(1_001)),
        of(Some(100_000_000)),
        // Not streamed: throughput end to end alone.
        AttemptRow { streamed: Some(false), ..of(Some(1_001)) },
        // Nothing of these is measured: a failure, an answer from the gateway's cache, a prompt of unknown length, and what is
        // older than the table keeps.
        AttemptRow { outcome: "fault", error_class: Some("timeout"), ..of(Some(1)) },
        AttemptRow { gateway_cache_hit: true, ..of(Some(1)) },
        of(None),
        AttemptRow { started_at: NOON_US - 43 * DAY_US, ..of(Some(1)) },
        AttemptRow { started_at: NOON_US - 42 * DAY_US, model_id: Some("acme/two"), ..of(Some(1)) },
    ])
    .await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let sql = "SELECT date, model_id, author, provider_id, context_bucket, attempts, ddsketch_count(ttft_ms),
            ddsketch_count(tokens_per_s_e2e), ddsketch_count(tokens_per_s_decode)
        FROM context_speed_daily ORDER BY date, context_bucket";
    assert_eq!(
        f.query(sql).await,
        [
            "2026-10-14 acme/two acme north 1000 1 1 1 1",
            "2026-11-25 acme/one acme north 1000 2 2 2 2",
            "2026-11-25 acme/one acme north 10000 2 1 2 1",
            "2026-11-25 acme/one acme north 100000000 1 1 1 1",
        ]
    );
    let first = "SELECT ddsketch_quantile(ttft_ms, 0.5), round(ddsketch_quantile(tokens_per_s_e2e, 0.5), 3),
            ddsketch_quantile(tokens_per_s_decode, 0.5)
        FROM context_speed_daily WHERE context_bucket = 100000000";
    assert_eq!(f.query(first).await, ["300.0 86.957 99.5"]);
}

#[tokio::test]
async fn who_used_a_model_is_known_by_day_for_a_while_and_by_month_for_ever() {
    let mut f = Fixture::new().await;
    let of = |days: i64, user_key, model| AttemptRow {
        started_at: NOON_US - days * DAY_US,
        user_key,
        model_id: Some(model),
        ..attempt("e")
    };
    f.append(&[
        of(0, Some(-7), "acme/one"),
        of(0, Some(-7), "acme/one"),
        of(0, Some(-7), "acme/two"),
        of(3, Some(-7), "acme/one"),
        of(3, Some(8), "acme/one"),
        // The last day that is kept, and the one before it: 16 October and a day of the same month.
        of(40, Some(8), "acme/one"),
        of(41, Some(8), "acme/one"),
        of(300, Some(8), "acme/one"),
        // Nobody, and nothing.
        of(0, None, "acme/one"),
        AttemptRow { outcome: "fault", error_class: Some("timeout"), ..of(0, Some(9), "acme/one") },
    ])
    .await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let rows = |table| format!("SELECT * FROM {table} ORDER BY date, user_key, model_id");
    assert_eq!(
        f.query(&rows("user_model_daily")).await,
        [
            "2026-10-16 8 acme/one acme 1",
            "2026-11-22 -7 acme/one acme 1",
            "2026-11-22 8 acme/one acme 1",
            "2026-11-25 -7 acme/one acme 2",
            "2026-11-25 -7 acme/two acme 1",
        ]
    );
    assert_eq!(
        f.query(&rows("user_model_monthly")).await,
        [
            "2026-01-01 8 acme/one acme 1",
            "2026-10-01 8 acme/one acme 2",
            "2026-11-01 -7 acme/one acme 3",
            "2026-11-01 -7 acme/two acme 1",
            "2026-11-01 8 acme/one acme 1",
        ]
    );
    // 22 November is a Sunday.
    let weeks = "SELECT date, model_id, author, variant, provider_id, hll_estimate(users)
        FROM users_by_week ORDER BY date, model_id";
    assert_eq!(
        f.query(weeks).await,
        [
            "2026-01-26 acme/one acme standard north 1",
            "2026-10-12 acme/one acme standard north 1",
            "2026-11-16 acme/one acme standard north 2",
            "2026-11-23 acme/one acme standard north 1",
            "2026-11-23 acme/two acme standard north 1",
        ]
    );
}
