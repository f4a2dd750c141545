//! Published tables of a simulated year against DuckDB over `attempts` itself, which shares no statement with ours.

use serde_json::Value;

use crate::support::app::Bellwether;
use crate::support::config::Config;
use crate::support::guard::Guard;
use crate::support::year::{Year, up_to_now};
use crate::support::{python, scratch};

/// Enough for places, changes and percentiles, few enough for seconds.
const ATTEMPTS: &str = "200000";
/// Growth looks back over six whole months.
const DAYS: u64 = 250;
const WORST_RELATIVE_ERROR: f64 = 0.01;
/// Values pass through binary fractions on both sides.
const ROUNDING: f64 = 1e-9;

/// Months in a warehouse of its own, published for those who may see all of it.
fn private_months() -> Value {
    let folder = scratch();
    let _guard = Guard::over_folder(folder.path());
    let config = Config::new(folder.path()).set("publication.profile", "private");
    let file = config.write();
    up_to_now(&config, &file, "33", "0", ATTEMPTS, DAYS).run().ok();
    Bellwether::new(folder.path(), &["jobs", "run", "--config", &file]).run().ok();
    python::run("published.py", &[config.warehouse().to_str().expect("a text path")])
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// `least` rows of each table were compared, and none differs.
fn check(report: &Value, least: [(&str, f64); 4]) {
    for (table, least) in least {
        let of_table = &report[table];
        assert_eq!(of_table["differing"], Value::Array(Vec::new()), "{table}");
        assert!(number(&of_table["rows"]) > least, "{table}: only {} rows", of_table["rows"]);
    }
    for (column, of_column) in report["users"].as_object().expect("numbers of users") {
        assert!(number(&of_column["within_three"]) >= 0.99, "{column}: {of_column}");
        assert!(number(&of_column["most"]) <= 5.0, "{column}: {of_column}");
        assert!(number(&of_column["few"]) > 100.0, "{column}: {of_column}");
        assert!(number(&of_column["few_exact"]) >= 0.99, "{column}: {of_column}");
        // Many more than a sketch holds one by one.
        assert!(number(&of_column["largest"]) > 1_000.0, "{column}: {of_column}");
    }
    assert!(number(&report["users_follow"][0]) > 1_000.0, "{}", report["users_follow"]);
    assert_eq!(report["users_follow"][1], 0, "shares and places by users");
    let percentiles = &report["percentiles"];
    assert!(number(&percentiles["worst"]) <= WORST_RELATIVE_ERROR + ROUNDING, "{percentiles}");
}

#[test]
fn tables_published_for_oneself_equal_an_independent_calculation() {
    let report = private_months();
    assert_eq!(report["is_private"], true);
    check(
        &report,
        [
            ("usage_by_day", 20_000.0),
            ("rankings", 20_000.0),
            ("share_by_week", 5_000.0),
            ("growth_by_month", 1_000.0),
        ],
    );
    assert!(number(&report["percentiles"]["compared"]) > 500.0, "{}", report["percentiles"]);
}

#[test]
fn tables_published_for_everybody_equal_an_independent_calculation_over_what_may_be_named() {
    let report = python::run("published.py", &[Year::shared().warehouse.to_str().expect("a text path")]);
    assert_eq!(report["is_private"], false);
    check(
        &report,
        [
            ("usage_by_day", 10_000.0),
            ("rankings", 10_000.0),
            ("share_by_week", 2_000.0),
            ("growth_by_month", 500.0),
        ],
    );
}
