//! Names of the metrics of this crate, described once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::publish::PublishReport;

/// Seconds one run of a job took, by `job`; `publish` is one of them.
pub const ROLLUP_DURATION_SECONDS: &str = "bellwether_rollup_duration_seconds";
/// Rows a job read (fold, rebuild: attempts) or wrote (all others), by `job`.
pub const ROLLUP_ROWS_TOTAL: &str = "bellwether_rollup_rows_total";
/// Runs that failed and will be tried again, by `job`. A run that found another worker at it is none.
pub const ROLLUP_FAILURES_TOTAL: &str = "bellwether_rollup_failures_total";

/// Seconds since 1970 at which what is published was last known to be up to date.
pub const PUBLISH_LAST_SUCCESS: &str = "bellwether_publish_last_success_timestamp_seconds";
/// Number of the newest publication of this process.
pub const PUBLISH_NUMBER: &str = "bellwether_publish_number";

/// Files of a table, by `table`.
pub const TABLE_FILES: &str = "bellwether_table_files";
/// Entries of a table's log that are in no checkpoint, by `table`.
pub const TABLE_COMMITS_SINCE_CHECKPOINT: &str = "bellwether_table_commits_since_checkpoint";
/// Files in a table's folder that no entry names and that are old enough to go, by `table`.
pub const TABLE_ORPHANS: &str = "bellwether_table_orphan_files";
/// Files of label rows that are older than they may get: their epoch was not destroyed in time.
pub const LABELS_OVERDUE: &str = "bellwether_label_overdue_files";
/// Bytes that maintenance has deleted, by `table`.
pub const MAINTAIN_FREED_BYTES_TOTAL: &str = "bellwether_maintain_freed_bytes_total";
/// Seconds since 1970 of the end of the last round that looked through all folders and failed nowhere.
pub const MAINTAIN_LAST_SUCCESS: &str = "bellwether_maintain_last_success_timestamp_seconds";
/// Rounds in which a table could not be maintained, by `table`.
pub const MAINTAIN_FAILURES_TOTAL: &str = "bellwether_maintain_failures_total";

/// Tells the recorder what the names mean; call once, after it is installed.
pub fn describe() {
    describe_histogram!(ROLLUP_DURATION_SECONDS, Unit::Seconds, "Duration of one run of a job");
    describe_counter!(ROLLUP_ROWS_TOTAL, Unit::Count, "Rows that a job read or wrote");
    describe_counter!(ROLLUP_FAILURES_TOTAL, Unit::Count, "Runs of a job that failed");
    describe_gauge!(
        PUBLISH_LAST_SUCCESS,
        Unit::Seconds,
        "When what is published was last known to be up to date"
    );
    describe_gauge!(PUBLISH_NUMBER, Unit::Count, "Number of the newest publication of this process");
    describe_gauge!(TABLE_FILES, Unit::Count, "Files of a table");
    describe_gauge!(TABLE_COMMITS_SINCE_CHECKPOINT, Unit::Count, "Log entries that are in no checkpoint");
    describe_gauge!(TABLE_ORPHANS, Unit::Count, "Files that no log entry names");
    describe_gauge!(LABELS_OVERDUE, Unit::Count, "Files of label rows that are older than they may get");
    describe_gauge!(
        MAINTAIN_LAST_SUCCESS,
        Unit::Seconds,
        "Last whole round of maintenance that failed nowhere"
    );
    describe_counter!(MAINTAIN_FREED_BYTES_TOTAL, Unit::Bytes, "Bytes that maintenance has deleted");
    describe_counter!(
        MAINTAIN_FAILURES_TOTAL,
        Unit::Count,
        "Rounds in which a table could not be maintained"
    );
}

pub(crate) fn ran(job: &'static str, took: Duration, rows: u64) {
    histogram!(ROLLUP_DURATION_SECONDS, "job" => job).record(took.as_secs_f64());
    counter!(ROLLUP_ROWS_TOTAL, "job" => job).increment(rows);
}

pub(crate) fn failed(job: &'static str) {
    counter!(ROLLUP_FAILURES_TOTAL, "job" => job).increment(1);
}

/// By either lane.
pub(crate) fn numbered(report: &PublishReport) {
    if let Some(number) = report.number {
        gauge!(PUBLISH_NUMBER).set(number as f64);
    }
}

/// Nothing is left to publish at `at`.
pub(crate) fn published(report: &PublishReport, at: DateTime<Utc>) {
    if report.waits_for.is_empty() {
        gauge!(PUBLISH_LAST_SUCCESS).set(at.timestamp() as f64);
    }
}

pub(crate) fn maintained_all(at: DateTime<Utc>) {
    gauge!(MAINTAIN_LAST_SUCCESS).set(at.timestamp() as f64);
}
