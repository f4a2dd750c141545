//! Rollups of simulated traffic against DuckDB over the event file itself, and the tables against other readers.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::{Days, NaiveDate, Utc};
use serde_json::Value;

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::guard::Guard;
use crate::support::{python, scratch, store};

/// A year of this size holds some 60,000 requests in the simulated hours.
const ATTEMPTS_PER_YEAR: &str = "5000000";
/// Two days, so that hours and dates have borders inside.
const MINUTES: &str = "1920";
const LEAST_EVENTS: usize = 30_000;
const WORST_RELATIVE_ERROR: f64 = 0.01;
/// Values pass through text and binary fractions on both sides.
const ROUNDING: f64 = 1e-9;

/// Simulated events as a file, read by import, folded once. Shared, because making it takes seconds.
struct Folded {
    folder: PathBuf,
    warehouse: PathBuf,
    events: PathBuf,
    expected: Value,
    _guard: Guard,
}

fn folded() -> &'static Folded {
    static FOLDED: OnceLock<Folded> = OnceLock::new();
    FOLDED.get_or_init(|| {
        let folder = scratch().keep();
        let guard = Guard::over_folder(&folder);
        let events = folder.join("events.ndjson");
        let config = Config::new(&folder).without_catalogue();
        let file = config.write();
        simulate(&folder, &events, "5");
        Bellwether::new(&folder, &["import", "--config", &file]).arg(&events).run().ok();
        Bellwether::new(&folder, &["jobs", "run", "--config", &file]).run().ok();
        let expected = python::run("rollups.py", &[events.to_str().expect("a text path")]);
        Folded { warehouse: config.warehouse(), folder, events, expected, _guard: guard }
    })
}

/// First and last day of the simulated hours: recent enough for the finest rollup, and over.
pub fn days() -> (NaiveDate, NaiveDate) {
    let today = Utc::now().date_naive();
    (today - Days::new(4), today - Days::new(2))
}

pub fn simulate(folder: &Path, to: &Path, seed: &str) {
    Bellwether::new(folder, &["simulate", "--seed", seed, "--minutes", MINUTES, "--texts", "0"])
        .arg("--attempts-per-year")
        .arg(ATTEMPTS_PER_YEAR)
        .arg("--from")
        .arg(format!("{}T20:00:00Z", days().0))
        .arg("--to")
        .arg(format!("file:{}", to.display()))
        .run()
        .ok();
    let events = std::fs::read_to_string(to).expect("the simulated file").lines().count();
    assert!(events >= LEAST_EVENTS, "only {events} events");
}

/// Compares lists of rows and names the first that differ.
#[track_caller]
fn same_rows(what: &str, found: &[Value], expected: &Value) {
    let expected = expected.as_array().expect("expected rows");
    assert!(expected.len() > 10, "{what}: only {} rows expected", expected.len());
    let sorted = |rows: &[Value]| {
        let mut text: Vec<String> = rows.iter().map(ordered).collect();
        text.sort();
        text
    };
    let (found, expected) = (sorted(found), sorted(expected));
    let missing: Vec<_> = expected.iter().filter(|row| found.binary_search(row).is_err()).take(3).collect();
    let extra: Vec<_> = found.iter().filter(|row| expected.binary_search(row).is_err()).take(3).collect();
    assert!(missing.is_empty() && extra.is_empty(), "{what}\nexpected: {missing:#?}\nfound: {extra:#?}");
    assert_eq!(found.len(), expected.len(), "{what}: rows of one key");
}

/// A row as text with its members in alphabetical order.
fn ordered(row: &Value) -> String {
    let members: std::collections::BTreeMap<_, _> = row.as_object().expect("a row").iter().collect();
    serde_json::to_string(&members).expect("a row is JSON")
}

#[test]
fn usage_of_every_grain_equals_an_independent_calculation() {
    let folded = folded();
    let sums = [
        "requests",
        "gateway_cache_hits",
        "streamed_requests",
        "requests_with_user",
        "input_tokens",
        "cached_input_tokens",
        "output_tokens",
        "reasoning_tokens",
        "tool_calls",
        "input_images",
    ]
    .map(|column| format!("CAST(sum({column}) AS BIGINT) AS {column}"))
    .join(", ");
    for table in ["usage_daily", "usage_hourly"] {
        let found = store::rows(
            &folded.warehouse,
            &format!(
                "SELECT CAST(date AS VARCHAR) AS date, model_id, provider_id, {sums}, \
                 CAST(CAST(sum(cost_usd) AS DECIMAL(38, 9)) AS VARCHAR) AS cost_usd, \
                 CAST(CAST(sum(unserved_cost_usd) AS DECIMAL(38, 9)) AS VARCHAR) AS unserved_cost_usd \
                 FROM {table} GROUP BY 1, 2, 3"
            ),
        );
        same_rows(table, &found, &folded.expected["usage"]);
    }
}

#[test]
fn reach_by_app_and_by_country_equals_an_independent_calculation() {
    let folded = folded();
    let sums = ["requests", "requests_with_user", "input_tokens", "output_tokens"]
        .map(|column| format!("CAST(sum({column}) AS BIGINT) AS {column}"))
        .join(", ");
    for (table, key, expected) in [("app_daily", "app_id", "apps"), ("country_daily", "country", "countries")]
    {
        let found = store::rows(
            &folded.warehouse,
            &format!(
                "SELECT CAST(date AS VARCHAR) AS date, {key}, model_id, {sums}, \
                 CAST(CAST(sum(cost_usd) AS DECIMAL(38, 9)) AS VARCHAR) AS cost_usd \
                 FROM {table} WHERE {key} IS NOT NULL GROUP BY 1, 2, 3"
            ),
        );
        same_rows(table, &found, &folded.expected[expected]);
    }
}

#[test]
fn health_of_every_grain_equals_an_independent_calculation() {
    let folded = folded();
    let first = folded.expected["health"][0].as_object().expect("a health row");
    let sums: Vec<String> = first
        .iter()
        .filter(|(_, value)| value.is_number())
        .map(|(column, _)| format!("CAST(sum({column}) AS BIGINT) AS {column}"))
        .collect();
    assert!(sums.len() > 15);
    for table in ["health_5m", "health_hourly", "health_daily"] {
        let found = store::rows(
            &folded.warehouse,
            &format!(
                "SELECT CAST(date AS VARCHAR) AS date, model_id, provider_id, endpoint_id, {} FROM {table} \
                 WHERE provider_id IS NOT NULL GROUP BY 1, 2, 3, 4",
                sums.join(", ")
            ),
        );
        same_rows(table, &found, &folded.expected["health"]);
    }
}

#[test]
fn routing_hourly_equals_an_independent_calculation() {
    let folded = folded();
    let found = store::rows(
        &folded.warehouse,
        "SELECT to_char(hour, '%Y-%m-%dT%H:%M:%SZ') AS hour, model_id, all_requests, attempts, requests, routed_ok, \
         first_ok, requests_with_rate_limits, routed_ok_with_rate_limits, first_ok_with_rate_limits \
         FROM routing_hourly WHERE all_requests > 0",
    );
    same_rows("routing_hourly", &found, &folded.expected["routing"]);
}

#[test]
fn quantiles_lie_within_one_percent_of_the_exact_value_at_their_rank() {
    let folded = folded();
    let mut compared = 0;
    for (column, by_endpoint) in folded.expected["speeds"].as_object().expect("speeds") {
        for q in ["0.1", "0.5", "0.75", "0.9", "0.99"] {
            let rows = store::rows(
                &folded.warehouse,
                &format!(
                    "SELECT model_id, provider_id, CAST(ddsketch_count(ddsketch_merge({column})) AS BIGINT) AS n, \
                     ddsketch_quantile(ddsketch_merge({column}), {q}) AS v FROM health_daily \
                     WHERE {column} IS NOT NULL AND provider_id IS NOT NULL GROUP BY 1, 2"
                ),
            );
            let found: std::collections::HashMap<String, &Value> = rows
                .iter()
                .map(|r| {
                    (
                        format!(
                            "{}\t{}",
                            r["model_id"].as_str().unwrap_or(""),
                            r["provider_id"].as_str().unwrap_or("")
                        ),
                        r,
                    )
                })
                .collect();
            for (endpoint, exact) in by_endpoint.as_object().expect("endpoints") {
                let row = found.get(endpoint).unwrap_or_else(|| panic!("{column} has no {endpoint}"));
                assert_eq!(row["n"], exact["n"], "{column} of {endpoint}: number of values");
                let (value, exact) =
                    (row["v"].as_f64().expect("a quantile"), exact[q].as_f64().expect("an exact value"));
                let error = (value - exact).abs() / exact.abs().max(f64::MIN_POSITIVE);
                assert!(
                    (exact == 0.0 && value == 0.0) || error <= WORST_RELATIVE_ERROR + ROUNDING,
                    "{column} q {q} of {endpoint}: {value}, exactly {exact}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "only {compared} quantiles were compared");
}

#[test]
fn distinct_users_lie_within_the_stated_error() {
    let folded = folded();
    let expected: std::collections::HashSet<String> = std::fs::read_to_string(&folded.events)
        .expect("read the events")
        .lines()
        .filter_map(|line| {
            let event: Value = serde_json::from_str(line).expect("an event");
            let served =
                event["attempts"].as_array()?.iter().any(|a| a["outcome"] == "ok" || a["http_status"] == 200);
            served.then(|| event["user_id"].as_str().map(str::to_owned))?
        })
        .collect();
    let sql = "SELECT hll_estimate(hll_merge(users)) AS n FROM usage_daily WHERE users IS NOT NULL";
    let found = store::rows(&folded.warehouse, sql)[0]["n"].as_f64().expect("an estimate");
    let exact = f64::from(u32::try_from(expected.len()).expect("few users"));
    // Four standard errors of 1.6 %.
    assert!((found - exact).abs() <= 0.064 * exact, "{found} users, exactly {exact}");
}

#[test]
fn tables_are_read_alike_by_deltalake_polars_and_duckdb() {
    let folded = folded();
    let warehouse = &folded.warehouse;
    let found = python::run("delta.py", &[warehouse.to_str().expect("a text path")]);
    let tables = found["tables"].as_object().expect("tables");
    let known = bellwether_warehouse::TableId::ALL.len() + bellwether_metrics::tables().len();
    assert_eq!(tables.len(), known, "{tables:?}");
    for (table, read) in tables {
        let ours = store::number(warehouse, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(read["polars"].as_i64(), Some(ours), "{table} by Polars");
        assert_eq!(read["deltalake"].as_i64(), Some(ours), "{table} by deltalake");
        assert_eq!(read["duckdb"].as_i64(), Some(ours), "{table} by DuckDB");
        assert_eq!((read["reader"].as_i64(), read["writer"].as_i64()), (Some(1), Some(2)), "{table}");
    }
    let ours = store::rows(
        warehouse,
        "SELECT sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, \
         CAST(sum(cost_usd) AS VARCHAR) AS cost_usd, count(DISTINCT event_id) AS event_ids, \
         CAST(min(started_at) AS BIGINT) AS first, CAST(max(started_at) AS BIGINT) AS last, \
         count(*) FILTER (WHERE outcome = 'ok') AS ok FROM attempts",
    );
    assert_eq!(found["sums"], ours[0]);
    let day = found["day"][0].as_str().expect("a date");
    let of_day =
        store::number(warehouse, &format!("SELECT count(*) FROM attempts WHERE event_date = DATE '{day}'"));
    assert_eq!(found["day"][1].as_i64(), Some(of_day), "rows of {day}");
    assert!(folded.folder.exists());
}
