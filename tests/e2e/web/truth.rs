//! The year as the rollups tell it against the year as the simulator meant it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::store;
use crate::support::year::Year;

/// Endpoints of a year that may lie further from the intended uptime than chance explains: none, at this width.
const STANDARD_ERRORS: f64 = 5.0;

fn list<'a>(truth: &'a Value, name: &str) -> &'a [Value] {
    truth[name].as_array().unwrap_or_else(|| panic!("the truth holds no {name}"))
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

fn count(row: &Value, name: &str) -> i64 {
    row[name].as_i64().unwrap_or_else(|| panic!("no number {name} in {row}"))
}

#[test]
fn tokens_and_requests_of_each_author_and_week_equal_the_truth() {
    let year = Year::shared();
    let mut expected: BTreeMap<(String, String), [i64; 3]> = BTreeMap::new();
    for row in list(&year.truth, "days_by_author") {
        let sums =
            expected.entry((text(row, "period").to_owned(), text(row, "name").to_owned())).or_default();
        for (sum, column) in sums.iter_mut().zip(["requests", "input_tokens", "output_tokens"]) {
            *sum += count(row, column);
        }
    }
    assert!(expected.len() > 365 * 5, "only {} days of authors", expected.len());
    let sql = "SELECT CAST(date AS VARCHAR) AS period, author AS name, CAST(sum(requests) AS BIGINT) AS requests, \
               CAST(sum(input_tokens) AS BIGINT) AS input_tokens, CAST(sum(output_tokens) AS BIGINT) AS output_tokens \
               FROM usage_daily WHERE requests > 0 GROUP BY 1, 2";
    let found: BTreeMap<(String, String), [i64; 3]> = store::rows(&year.warehouse, sql)
        .iter()
        .map(|row| {
            let key = (text(row, "period").to_owned(), text(row, "name").to_owned());
            (key, ["requests", "input_tokens", "output_tokens"].map(|column| count(row, column)))
        })
        .collect();
    let differing = expected.iter().find(|(key, sums)| found.get(*key) != Some(sums));
    assert!(
        differing.is_none(),
        "expected {differing:?}, found {:?}",
        differing.map(|(key, _)| found.get(key))
    );
    assert_eq!(found.len(), expected.len());
}

#[test]
fn uptime_of_each_endpoint_equals_the_truth_and_lies_near_what_was_meant() {
    let year = Year::shared();
    let sql = "SELECT endpoint_id, CAST(sum(attempts) AS BIGINT) AS attempts, \
               CAST(sum(ok + cancelled_delivered) AS BIGINT) AS success, CAST(sum(fault) AS BIGINT) AS fault, \
               CAST(sum(rate_limited) AS BIGINT) AS rate_limited, CAST(sum(client_error) AS BIGINT) AS client_error \
               FROM health_daily WHERE endpoint_id IS NOT NULL GROUP BY 1";
    let found: BTreeMap<String, Value> = store::rows(&year.warehouse, sql)
        .into_iter()
        .map(|row| (text(&row, "endpoint_id").to_owned(), row))
        .collect();
    let mut judged = 0;
    for truth in list(&year.truth, "endpoints") {
        let id = text(truth, "endpoint_id");
        if count(truth, "attempts") == 0 {
            assert!(!found.contains_key(id), "{id} has no calls");
            continue;
        }
        let row = found.get(id).unwrap_or_else(|| panic!("no health of {id}"));
        for column in ["attempts", "success", "fault", "rate_limited", "client_error"] {
            assert_eq!(count(row, column), count(truth, column), "{column} of {id}");
        }
        let counted = count(row, "success") + count(row, "fault");
        if counted >= 500 {
            #[expect(clippy::cast_precision_loss, reason = "counts of a test year are far below 2^52")]
            let (n, ok) = (counted as f64, count(row, "success") as f64);
            let meant = truth["expected_uptime"].as_f64().expect("an expected uptime");
            let width = STANDARD_ERRORS * (meant * (1.0 - meant) / n).sqrt() + 1.0 / n;
            assert!((ok / n - meant).abs() <= width, "uptime of {id}: {} of {n}, meant {meant}", ok / n);
            judged += 1;
        }
    }
    assert!(judged > 30, "only {judged} endpoints have enough calls");
}

#[test]
fn routed_and_unrouted_success_of_each_model_and_day_equal_the_truth() {
    let year = Year::shared();
    let columns =
        ["requests", "first_ok", "routed_ok", "requests_with_rate_limits", "routed_ok_with_rate_limits"];
    let sums = columns.map(|c| format!("CAST(sum({c}) AS BIGINT) AS {c}")).join(", ");
    let sql = format!(
        "SELECT CAST(date AS VARCHAR) AS date, model_id, {sums} FROM routing_hourly GROUP BY 1, 2 \
         HAVING sum(requests_with_rate_limits) > 0"
    );
    let found: BTreeMap<(String, String), Vec<i64>> = store::rows(&year.warehouse, &sql)
        .iter()
        .map(|row| {
            let key = (text(row, "date").to_owned(), text(row, "model_id").to_owned());
            (key, columns.iter().map(|c| count(row, c)).collect())
        })
        .collect();
    // The truth names a variant as its own model; the rollup of routing does not keep variants apart.
    let mut expected: BTreeMap<(String, String), Vec<i64>> = BTreeMap::new();
    for row in list(&year.truth, "routing") {
        let model = text(row, "model").split(':').next().unwrap_or("").to_owned();
        let sums =
            expected.entry((text(row, "date").to_owned(), model)).or_insert_with(|| vec![0; columns.len()]);
        for (sum, column) in sums.iter_mut().zip(columns) {
            *sum += count(row, column);
        }
    }
    assert!(expected.len() > 1000);
    let differing = expected.iter().find(|(key, sums)| found.get(*key) != Some(*sums));
    assert!(
        differing.is_none(),
        "expected {differing:?}, found {:?}",
        differing.map(|(key, _)| found.get(key))
    );
}

#[test]
fn languages_of_labelled_texts_agree_with_the_truth() {
    let year = Year::shared();
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for row in list(&year.truth, "labels") {
        *expected.entry(text(row, "language").to_owned()).or_default() += count(row, "requests");
    }
    let total: i64 = expected.values().sum();
    assert!(total > 5_000, "only {total} requests carry texts");
    let found: BTreeMap<String, i64> =
        store::rows(&year.warehouse, "SELECT nl, CAST(sum(n) AS BIGINT) AS n FROM label_cells GROUP BY 1")
            .iter()
            .map(|row| (text(row, "nl").to_owned(), count(row, "n")))
            .collect();
    for (language, requests) in &expected {
        let labelled = found.get(language).copied().unwrap_or(0);
        // Short prompts are hard: nine in ten, and no language may grow by more than 2 % of all.
        assert!(labelled * 10 >= requests * 9, "{language}: {labelled} labelled of {requests}");
        assert!(labelled - requests <= total / 50, "{language}: {labelled} labelled of {requests}");
    }
}
