//! The `requests` view.

use super::{attempts, line, over};
use crate::tables::attempts::AttemptRow;
use crate::testing::{NOON_US, append, attempt, batch};

#[tokio::test]
async fn requests_take_the_last_attempt_by_start_and_number_as_final() {
    let (_dir, _warehouse, mut table) = attempts().await;
    let failed = AttemptRow {
        outcome: "fault",
        error_class: Some("timeout"),
        provider_id: Some("south"),
        output_tokens: None,
        cost_usd: None,
        duration_ms: Some(700),
        ..attempt("r-0")
    };
    let rows = [
        // Same start: the attempt number decides. Final first, to be sure that order of arrival does not.
        AttemptRow { request_id: Some("r"), attempt: Some(1), model_id: Some("acme/two"), ..attempt("r-1") },
        AttemptRow { request_id: Some("r"), ..failed.clone() },
        // Records of attempts that carry no number: the start decides.
        AttemptRow {
            request_id: Some("s"),
            attempt: None,
            started_at: NOON_US + 5,
            outcome: "cancelled",
            ..attempt("s-1")
        },
        AttemptRow { request_id: Some("s"), attempt: None, ..failed.clone() },
        AttemptRow {
            request_id: Some("t"),
            attempt: None,
            started_at: NOON_US + 5,
            event_id: "t-1",
            ..failed.clone()
        },
        // Cancelled before, and after, the first token.
        AttemptRow { outcome: "cancelled", output_tokens: None, ttft_ms: None, ..attempt("early") },
        AttemptRow { outcome: "cancelled", output_tokens: None, ..attempt("late") },
        AttemptRow { request_id: None, event_id: "alone", ..attempt("u") },
    ];
    append(&mut table, &batch(&rows)).await.unwrap();
    let ctx = over(&table);
    let columns = "attempts, model_id, final_model_id, first_outcome, final_outcome, served, final_provider_id, \
                   output_tokens, cost_usd, duration_ms";
    let of = async |id: &str| {
        line(&ctx, &format!("SELECT {columns} FROM requests WHERE request_id = '{id}'")).await
    };
    assert_eq!(of("r").await, "2 acme/one acme/two fault ok true north 200 0.001500000 3000");
    assert_eq!(of("s").await, "2 acme/one acme/one fault cancelled true north 200 0.001500000 3000");
    assert_eq!(of("t").await, "1 acme/one acme/one fault fault false south   700");
    assert_eq!(of("alone").await, "1 acme/one acme/one ok ok true north 200 0.001500000 2300");
    assert_eq!(line(&ctx, "SELECT count(*), sum(attempts) FROM requests").await, "6 8");
    let served = "SELECT string_agg(request_id, ',' ORDER BY request_id) FROM requests WHERE served";
    assert_eq!(line(&ctx, served).await, "alone,late,r,s");
}
