//! Names of the metrics of this crate, described once.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

/// Seconds one run of a job took, by `job`.
pub const ROLLUP_DURATION_SECONDS: &str = "bellwether_rollup_duration_seconds";
/// Rows a job read (fold, rebuild: attempts) or wrote (all others), by `job`.
pub const ROLLUP_ROWS_TOTAL: &str = "bellwether_rollup_rows_total";
/// Runs that failed and will be tried again, by `job`. A run that found another worker at it is none.
pub const ROLLUP_FAILURES_TOTAL: &str = "bellwether_rollup_failures_total";

/// Tells the recorder what the names mean; call once, after it is installed.
pub fn describe() {
    describe_histogram!(ROLLUP_DURATION_SECONDS, Unit::Seconds, "Duration of one run of a job");
    describe_counter!(ROLLUP_ROWS_TOTAL, Unit::Count, "Rows that a job read or wrote");
    describe_counter!(ROLLUP_FAILURES_TOTAL, Unit::Count, "Runs of a job that failed");
}

pub(crate) fn ran(job: &'static str, took: Duration, rows: u64) {
    histogram!(ROLLUP_DURATION_SECONDS, "job" => job).record(took.as_secs_f64());
    counter!(ROLLUP_ROWS_TOTAL, "job" => job).increment(rows);
}

pub(crate) fn failed(job: &'static str) {
    counter!(ROLLUP_FAILURES_TOTAL, "job" => job).increment(1);
}
