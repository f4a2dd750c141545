mod families;

use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, HOUR_US, NOON_US, attempt, batch};
use bellwether_warehouse::{Change, TableId};
use serde_json::json;

use crate::assert_row;
use crate::testing::{Fixture, at, us};
use crate::{Error, Jobs};

const NOW: &str = "2026-11-25T13:00:00Z";

/// Sums over what a query of a table's partial rows gives.
const USAGE: &str = "(SELECT sum(requests) AS requests, sum(input_tokens) AS input_tokens,
    hll_estimate(hll_merge(users)) AS users, sum(cost_usd) AS cost_usd FROM usage_hourly)";

#[tokio::test]
async fn one_served_request_is_counted_in_every_table() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("e")]).await;
    let report = f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!((report.to, report.attempts, report.files), (1, 1, 1));
    for table in ["usage_hourly", "usage_daily"] {
        assert_row!(f, table, {
            date: "2026-11-25", model_id: "acme/one", author: "acme", variant: "standard",
            provider_id: "north", requests: 1, gateway_cache_hits: 0, streamed_requests: 1,
            requests_with_user: 1, input_tokens: 1000, cached_input_tokens: 400, cache_write_tokens: 0,
            output_tokens: 200, reasoning_tokens: 0, cost_usd: "0.001500000", unserved_cost_usd: "0.000000000", unpriced_requests: 0,
            unpriced_tokens: 0, input_images: 0, tool_calls: 0, requests_tool_call: 0,
            context_1k: 1, context_10k: 0,
        });
    }
    assert_row!(f, "usage_hourly", { hour: "2026-11-25T12:00:00Z" });
    for table in ["health_5m", "health_hourly", "health_daily"] {
        assert_row!(f, table, {
            date: "2026-11-25", model_id: "acme/one", author: "acme", variant: "standard",
            provider_id: "north", endpoint_id: "north/one", region: "eu-west", attempts: 1, ok: 1, fault: 0,
            rate_limited: 0, client_error: 0, cancelled: 0, gateway_error: 0, output_tokens: 200,
        });
        // 200 tokens in 2.3 s; 199 of them in the 2.0 s after the first.
        let sql = format!(
            "SELECT ddsketch_quantile(ttft_ms, 0.5), ddsketch_quantile(duration_ms, 0.5),
                    round(ddsketch_quantile(tokens_per_s_e2e, 0.5), 3),
                    ddsketch_quantile(tokens_per_s_decode, 0.5), ddsketch_quantile(overhead_us, 0.5)
             FROM {table}"
        );
        assert_eq!(f.query(&sql).await, ["300.0 2300.0 86.957 99.5 900.0"], "{table}");
    }
    assert_row!(f, "health_5m", { bucket_at: "2026-11-25T12:00:00Z" });
}

#[tokio::test]
async fn served_requests_are_counted_by_what_they_used() {
    let mut f = Fixture::new().await;
    let base = attempt("e");
    f.append(&[
        // Unpriced, no user, unary, an image and two tool calls in and out.
        AttemptRow {
            cost_usd: None,
            user_key: None,
            streamed: Some(false),
            input_images: Some(3),
            output_images: Some(1),
            input_audio: Some(2),
            input_video: Some(5),
            tool_calls: Some(2),
            web_searches: Some(4),
            cache_write_tokens: Some(7),
            reasoning_tokens: Some(11),
            input_tokens: Some(1_001),
            ..base.clone()
        },
        // From the gateway's cache, free of charge: served.
        AttemptRow { gateway_cache_hit: true, cost_usd: Some(0), input_tokens: Some(10_000), ..base.clone() },
        // Cancelled after delivery began, by tokens and by time to first token: served.
        AttemptRow { outcome: "cancelled", ttft_ms: None, input_tokens: Some(10_001), ..base.clone() },
        AttemptRow {
            outcome: "cancelled",
            output_tokens: None,
            input_tokens: None,
            user_key: Some(8),
            ..base.clone()
        },
        // Cancelled before: not served, and neither is anything that failed. What was charged for them was spent.
        AttemptRow { outcome: "cancelled", output_tokens: Some(0), ttft_ms: None, ..base.clone() },
        AttemptRow { outcome: "fault", error_class: Some("timeout"), ..base.clone() },
        AttemptRow { outcome: "rate_limited", ..base.clone() },
        AttemptRow { outcome: "client_error", ..base.clone() },
        AttemptRow { outcome: "gateway_error", cost_usd: None, ..base.clone() },
    ])
    .await;
    f.jobs.fold(at(NOW)).await.unwrap();
    assert_row!(f, "usage_daily", {
        requests: 4, gateway_cache_hits: 1, streamed_requests: 3, requests_with_user: 3,
        input_tokens: 21_002, cached_input_tokens: 1_600, cache_write_tokens: 7, output_tokens: 600,
        // Two of four served are priced, and four of five that were not.
        reasoning_tokens: 11, cost_usd: "0.009000000", unserved_cost_usd: "0.006000000", unpriced_requests: 1, unpriced_tokens: 1_201,
        input_images: 3, input_audio: 2, input_video: 5, output_images: 1, tool_calls: 2, web_searches: 4,
        requests_image_in: 1, requests_image_out: 1, requests_audio_in: 1, requests_tool_call: 1,
        context_1k: 0, context_10k: 2, context_100k: 1, context_1m: 0, context_10m: 0, context_over_10m: 0,
    });
    assert_eq!(f.query("SELECT hll_estimate(users) FROM usage_daily").await, ["2"]);
    assert_row!(f, "health_daily", {
        attempts: 8, ok: 1, cancelled: 3, cancelled_delivered: 2, fault: 1, rate_limited: 1, client_error: 1,
        gateway_error: 1, output_tokens: 400,
    });
}

#[tokio::test]
async fn context_buckets_have_inclusive_upper_bounds() {
    let mut f = Fixture::new().await;
    let tokens = [0, 1_000, 1_001, 10_000, 100_000, 1_000_000, 1_000_001, 10_000_000, 10_000_001];
    let rows: Vec<_> =
        tokens.iter().map(|tokens| AttemptRow { input_tokens: Some(*tokens), ..attempt("e") }).collect();
    f.append(&rows).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    assert_row!(f, "usage_daily", {
        context_1k: 2, context_10k: 2, context_100k: 1, context_1m: 1, context_10m: 2, context_over_10m: 1,
    });
}

#[tokio::test]
async fn attempts_are_counted_by_what_became_of_them() {
    let mut f = Fixture::new().await;
    let failed = |outcome, error_class| AttemptRow {
        outcome,
        error_class: Some(error_class),
        finish_reason: None,
        cost_usd: None,
        ..attempt("e")
    };
    let classes = [
        ("fault", "auth", 1),
        ("fault", "payment", 2),
        ("fault", "not_found", 3),
        ("fault", "timeout", 4),
        ("fault", "connection", 5),
        ("fault", "overloaded", 6),
        ("fault", "server_error", 7),
        ("fault", "stream_error", 8),
        ("fault", "error_finish", 9),
        ("client_error", "bad_request", 10),
        ("client_error", "context_length", 11),
        ("client_error", "content_policy", 12),
        ("client_error", "too_large", 13),
        ("client_error", "geo", 14),
        ("client_error", "unsupported", 15),
        ("gateway_error", "budget", 16),
    ];
    let mut rows = Vec::new();
    for (outcome, class, times) in classes {
        rows.extend(std::iter::repeat_n(failed(outcome, class), times));
    }
    f.append(&rows).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    for table in ["health_5m", "health_hourly", "health_daily"] {
        assert_row!(f, table, {
            attempts: 136, ok: 0, fault: 45, client_error: 75, gateway_error: 16, fault_auth: 1,
            fault_payment: 2, fault_not_found: 3, fault_timeout: 4, fault_connection: 5, fault_overloaded: 6,
            fault_server_error: 7, fault_stream_error: 8, fault_error_finish: 9, client_bad_request: 10,
            client_context_length: 11, client_content_policy: 12, client_too_large: 13, client_geo: 14,
            client_unsupported: 15, output_tokens: 0,
        });
    }
    // Nothing was served, and nothing was charged.
    assert_eq!(f.query("SELECT count(*) FROM usage_daily").await, ["0"]);
}

#[tokio::test]
async fn quality_of_answers_is_counted() {
    let mut f = Fixture::new().await;
    let tools = AttemptRow { finish_reason: Some("tool_calls"), ..attempt("e") };
    let structured = AttemptRow { structured_requested: Some(true), ..attempt("e") };
    f.append(&[
        tools.clone(),
        AttemptRow { tool_call_errors: Some(0), ..tools.clone() },
        AttemptRow { tool_call_errors: Some(3), ..tools },
        AttemptRow { tools_offered: Some(2), ..attempt("e") },
        AttemptRow { tools_offered: Some(0), ..attempt("e") },
        AttemptRow { tools_offered: Some(2), finish_reason: Some("length"), ..attempt("e") },
        structured.clone(),
        AttemptRow { structured_valid: Some(true), ..structured.clone() },
        AttemptRow { structured_valid: Some(false), ..structured },
        AttemptRow { structured_valid: Some(false), ..attempt("e") },
        AttemptRow { refused: Some(true), ..attempt("e") },
        AttemptRow { finish_reason: Some("content_filter"), ..attempt("e") },
        AttemptRow { outcome: "cancelled", billed_output_tokens: Some(70), ..attempt("e") },
        AttemptRow { billed_output_tokens: Some(1), ..attempt("e") },
    ])
    .await;
    f.jobs.fold(at(NOW)).await.unwrap();
    assert_row!(f, "health_daily", {
        attempts: 14, tool_finishes: 3, tool_error_requests: 1, prose_instead_of_call: 1,
        structured_requested: 3, structured_invalid: 1, refused: 1, content_filtered: 1,
        billed_output_tokens_cancelled: 70,
    });
}

#[tokio::test]
async fn speed_is_measured_where_it_means_something() {
    let mut f = Fixture::new().await;
    f.append(&[
        attempt("e"),
        // Unary: no time to first token, no decoding.
        AttemptRow { streamed: Some(false), ..attempt("e") },
        // Delivered and cancelled: only its time to first token says something.
        AttemptRow { outcome: "cancelled", ..attempt("e") },
        // A fault has no speed but passed through the router.
        AttemptRow { outcome: "fault", ..attempt("e") },
        // Too few tokens to tell how fast they were decoded.
        AttemptRow { output_tokens: Some(19), ..attempt("e") },
        AttemptRow { output_tokens: Some(0), ..attempt("e") },
        // A first token at the very end.
        AttemptRow { ttft_ms: Some(2_300), ..attempt("e") },
        AttemptRow { duration_ms: Some(0), ttft_ms: None, ..attempt("e") },
        // No provider was called.
        AttemptRow { gateway_cache_hit: true, ..attempt("e") },
    ])
    .await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let counts =
        "SELECT ddsketch_count(ttft_ms), ddsketch_count(duration_ms), ddsketch_count(tokens_per_s_e2e),
                         ddsketch_count(tokens_per_s_decode), ddsketch_count(overhead_us) FROM health_daily";
    assert_eq!(f.query(counts).await, ["5 6 4 1 8"]);
}

#[tokio::test]
async fn buckets_are_five_minutes_an_hour_and_a_day_long() {
    let mut f = Fixture::new().await;
    let times = [
        "2026-11-25T12:04:59.999999Z",
        "2026-11-25T12:05:00Z",
        "2026-11-25T11:59:59Z",
        "2026-11-24T23:59:59Z",
    ];
    let rows: Vec<_> = times.iter().map(|time| AttemptRow { started_at: us(time), ..attempt("e") }).collect();
    f.append(&rows).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!(
        f.query("SELECT date, bucket_at, attempts FROM health_5m ORDER BY bucket_at").await,
        [
            "2026-11-24 2026-11-24T23:55:00Z 1",
            "2026-11-25 2026-11-25T11:55:00Z 1",
            "2026-11-25 2026-11-25T12:00:00Z 1",
            "2026-11-25 2026-11-25T12:05:00Z 1"
        ]
    );
    assert_eq!(
        f.query("SELECT bucket_at, attempts FROM health_hourly ORDER BY bucket_at").await,
        ["2026-11-24T23:00:00Z 1", "2026-11-25T11:00:00Z 1", "2026-11-25T12:00:00Z 2"]
    );
    assert_eq!(
        f.query("SELECT hour, requests FROM usage_hourly ORDER BY hour").await,
        ["2026-11-24T23:00:00Z 1", "2026-11-25T11:00:00Z 1", "2026-11-25T12:00:00Z 2"]
    );
    let daily = ["2026-11-24 1", "2026-11-25 3"];
    assert_eq!(f.query("SELECT date, attempts FROM health_daily ORDER BY date").await, daily);
    assert_eq!(f.query("SELECT date, requests FROM usage_daily ORDER BY date").await, daily);
}

#[tokio::test]
async fn rows_older_than_a_table_keeps_go_into_the_coarser_ones_alone() {
    let mut f = Fixture::new().await;
    let days = [0, 8, 9, 100, 101];
    let rows: Vec<_> =
        days.iter().map(|days| AttemptRow { started_at: NOON_US - days * DAY_US, ..attempt("e") }).collect();
    f.append(&rows).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    for (table, oldest, rows) in [
        ("health_5m", "2026-11-17", 2),
        ("health_hourly", "2026-08-17", 4),
        ("health_daily", "2026-08-16", 5),
        ("usage_hourly", "2026-08-17", 4),
        ("usage_daily", "2026-08-16", 5),
    ] {
        let sql = format!("SELECT min(date), count(*) FROM {table}");
        assert_eq!(f.query(&sql).await, [format!("{oldest} {rows}")], "{table}");
    }
}

#[tokio::test]
async fn a_fold_reads_only_what_is_new_and_moves_every_table_to_the_same_version() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a"), attempt("b")]).await;
    assert_eq!(f.jobs.fold(at(NOW)).await.unwrap().attempts, 2);
    let again = f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!((again.attempts, again.tables.len()), (0, 0));
    // A late row beside a new one.
    f.append(&[AttemptRow { started_at: NOON_US - 30 * HOUR_US, user_key: Some(9), ..attempt("c") }]).await;
    f.append(&[AttemptRow { user_key: Some(10), ..attempt("d") }]).await;
    let report = f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!((report.attempts, report.to), (2, 3));
    assert!(report.tables.iter().all(|table| table.from == Some(1)));
    assert_row!(f, USAGE, { requests: 4, input_tokens: 4000, users: 3, cost_usd: "0.006000000" });
    for table in f.jobs.status().await.unwrap().rollups {
        let expected = if table.table == "routing_hourly" { None } else { Some(3) };
        assert_eq!(table.computed_at, expected, "{}", table.table);
    }
}

#[tokio::test]
async fn files_that_only_rewrite_rows_are_not_folded_and_rewritten_ones_are_folded_once() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a")]).await;
    f.append(&[attempt("b")]).await;
    let seen: Vec<String> = f.attempts.snapshot().files().iter().map(|file| file.path.clone()).collect();
    let add = f.attempts.write(&[batch(&[attempt("a"), attempt("b")])]).await.unwrap();
    f.attempts.commit(Change { add, remove: seen, data_change: false, ..Change::default() }).await.unwrap();
    let report = f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!((report.attempts, report.to), (2, 3));
    assert_row!(f, USAGE, { requests: 2 });
}

#[tokio::test]
async fn rows_that_a_job_of_ours_put_in_the_place_of_others_are_not_folded() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a")]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let remove = vec![f.attempts.snapshot().files()[0].path.clone()];
    let add = f.attempts.write(&[batch(&[attempt("a")])]).await.unwrap();
    let info = json!({"bellwether": "remap"}).as_object().unwrap().clone();
    f.attempts.commit(Change { add, remove, info, ..Change::default() }).await.unwrap();
    let report = f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!((report.attempts, report.to), (0, 2));
    assert_row!(f, USAGE, { requests: 1 });
}

#[tokio::test]
async fn a_crash_between_the_commits_of_two_tables_neither_loses_nor_doubles() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a")]).await;
    // Only the first two tables are reached, then again only the first three.
    for (reached, id) in [(2, "b"), (3, "c")] {
        let mut jobs = Jobs::open(&f.warehouse).await.unwrap();
        jobs.folded.truncate(reached);
        jobs.fold(at(NOW)).await.unwrap();
        f.append(&[AttemptRow { started_at: NOON_US + HOUR_US, ..attempt(id) }]).await;
    }
    let report = f.jobs.fold(at(NOW)).await.unwrap();
    let from: Vec<_> = report.tables.iter().map(|table| (table.table, table.from)).collect();
    assert_eq!(
        from,
        [
            ("usage_hourly", Some(2)),
            ("usage_daily", Some(2)),
            ("health_5m", Some(2)),
            ("health_hourly", None),
            ("health_daily", None),
            ("app_daily", None),
            ("country_daily", None),
            ("context_speed_daily", None),
            ("users_by_week", None),
            ("user_model_daily", None),
            ("user_model_monthly", None),
            ("intake_daily", None),
        ]
    );
    for (table, count) in [
        ("usage_hourly", "requests"),
        ("usage_daily", "requests"),
        ("health_5m", "attempts"),
        ("health_hourly", "attempts"),
        ("health_daily", "attempts"),
        ("context_speed_daily", "attempts"),
        ("user_model_daily", "requests"),
        ("user_model_monthly", "requests"),
    ] {
        assert_eq!(f.query(&format!("SELECT sum({count}) FROM {table}")).await, ["3"], "{table}");
    }
}

#[tokio::test]
async fn two_workers_at_once_count_nothing_twice() {
    let mut f = Fixture::new().await;
    let mut other = Jobs::open(&f.warehouse).await.unwrap();
    for round in 0..5 {
        f.append(&[attempt("a"), attempt("b")]).await;
        for result in <[_; 2]>::from(tokio::join!(f.jobs.fold(at(NOW)), other.fold(at(NOW)))) {
            assert!(result.is_ok() || result.is_err_and(|error| error.is_fenced()));
        }
        f.jobs.fold(at(NOW)).await.unwrap();
        assert_row!(f, USAGE, { requests: 2 * (round + 1) });
    }
}

#[tokio::test]
async fn a_table_that_is_ahead_of_attempts_is_an_error_that_names_both() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a")]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    // As if `attempts` had been moved away and begun again.
    std::fs::remove_dir_all(f.root().join("attempts")).unwrap();
    std::fs::remove_file(f.root().join("_bellwether.json")).unwrap();
    let warehouse = bellwether_warehouse::Warehouse::open_or_create(f.warehouse.location()).await.unwrap();
    let mut jobs = Jobs::open(&warehouse).await.unwrap();
    let error = jobs.fold(at(NOW)).await.unwrap_err();
    assert!(matches!(error, Error::Ahead { table: "usage_hourly", folded: 1, version: 0 }), "{error}");
}

#[tokio::test]
async fn a_log_whose_beginning_is_gone_is_folded_from_its_active_files() {
    let mut f = Fixture::new().await;
    f.append(&[attempt("a"), attempt("b")]).await;
    f.append(&[attempt("c")]).await;
    f.attempts.checkpoint().await.unwrap();
    let log = f.root().join("attempts/_delta_log");
    for version in 0..2 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let mut jobs = Jobs::open(&f.warehouse).await.unwrap();
    let report = jobs.fold(at(NOW)).await.unwrap();
    assert_eq!((report.attempts, report.to), (3, 2));
    // From then on as ever.
    f.append(&[attempt("d")]).await;
    assert_eq!(jobs.fold(at(NOW)).await.unwrap().attempts, 1);
    assert_row!(f, USAGE, { requests: 4 });
}

#[tokio::test]
async fn a_long_history_is_folded_in_pieces_and_one_commit() {
    let file = |path: &str, day: &str, rows| bellwether_warehouse::DataFile {
        path: path.to_owned(),
        size_bytes: 1,
        rows,
        partition: vec![("event_date".to_owned(), Some(day.to_owned()))],
        stats: None,
        streams: None,
    };
    let pieces = super::chunks(vec![
        file("d", "2026-11-03", 900_000),
        file("a", "2026-11-02", 200_000),
        file("c", "2026-11-01", 200_000),
        file("b", "2026-11-02", 200_000),
        file("e", "2026-11-04", 10),
    ]);
    let paths: Vec<Vec<&str>> =
        pieces.iter().map(|piece| piece.iter().map(|file| file.path.as_str()).collect()).collect();
    assert_eq!(paths, [vec!["c", "a"], vec!["b"], vec!["d"], vec!["e"]]);
}

#[tokio::test]
async fn what_arrived_is_summed_by_date_and_source() {
    let mut f = Fixture::new().await;
    let litellm = json!({"source": "litellm", "rows": 10, "rejects": 2, "duplicates": 1});
    f.commit_info(
        json!({"intake": [litellm, {"source": "native", "rows": 5, "rejects": 0, "duplicates": 0}]}),
    )
    .await;
    f.commit_info(json!({"intake": [litellm]})).await;
    // Nothing about intake, and something else in its place.
    f.append(&[attempt("a")]).await;
    f.commit_info(json!({"intake": "none"})).await;
    f.commit_info(json!({"intake": [{"rows": 5}, 7]})).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    let today = bellwether_warehouse::World::default().wall().date_naive();
    let sql = "SELECT source, rows, rejects, duplicates FROM intake_daily ORDER BY source";
    assert_eq!(f.query(sql).await, ["litellm 20 4 2", "native 5 0 0"]);
    // The commit tells its time itself.
    let dates = f.query("SELECT DISTINCT date FROM intake_daily").await;
    assert!(dates == [today.to_string()] || dates == [today.pred_opt().unwrap().to_string()], "{dates:?}");
    assert_eq!(f.snapshot(TableId::IntakeDaily).await.files().len(), 1);
}
