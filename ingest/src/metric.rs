//! Names of the metrics that this crate records, with unit and meaning.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Value of a gauge whose subject is no longer this process's; the admin port does not show it.
pub const GONE: f64 = f64::NAN;

/// Counter: rows committed to `attempts`. Label `source`.
pub const ROWS: &str = "bellwether_ingest_rows_total";
/// Counter: records committed to `rejects`. Label `source`.
pub const REJECTS: &str = "bellwether_ingest_rejects_total";
/// Counter: records committed to `rejects`. Label `reason` (the closed list of `rejects.reason`).
pub const REJECT_REASONS: &str = "bellwether_ingest_rejects_by_reason_total";
/// Counter: records in `rejects` that became rows after all when they were read again by another version.
pub const RECOVERED: &str = "bellwether_ingest_recovered_total";
/// Counter: offsets without a record (transaction markers, compaction, gaps) and records without a value. Label
/// `topic`.
pub const SKIPPED: &str = "bellwether_ingest_skipped_total";
/// Counter: attempts dropped because their event_id was seen before. Label `source`.
pub const DUPLICATES: &str = "bellwether_ingest_duplicates_total";
/// Counter: members of records that this version does not know. Label `source`.
pub const UNKNOWN_FIELDS: &str = "bellwether_ingest_unknown_fields_total";
/// Counter: values of records that could not be taken as they stood. Labels `source`, `reason` (absurd: beyond any
/// real request; diagnostic: a number of how a call went that is none; word: outside of its closed list).
pub const FLAWS: &str = "bellwether_ingest_flawed_values_total";
/// Counter: rows committed to `attempts` whose record has no price, and that the catalogue's list gave one.
pub const PRICED_BY_LIST: &str = "bellwether_ingest_priced_by_list_total";
/// Counter: rows committed to `attempts` whose logged price is more than a fifth away from what the catalogue's list says.
/// Label `provider`, which is one of the catalogue.
pub const PRICE_MISMATCHES: &str = "bellwether_ingest_price_mismatch_total";
/// Counter: flushes. Label `reason` (bytes, rows, age, revoke, shutdown, end).
pub const FLUSHES: &str = "bellwether_ingest_flushes_total";
/// Counter: batches dropped because another worker had moved the table's position.
pub const FENCED: &str = "bellwether_ingest_fenced_total";
/// Counter: label cells that came when their epoch was destroyed already, and were left out.
pub const LABELS_DROPPED: &str = "bellwether_ingest_label_cells_too_late_total";
/// Counter: storage operations tried again. Label `table`.
pub const RETRIES: &str = "bellwether_ingest_retries_total";
/// Histogram, seconds: time of one flush, all three tables.
pub const FLUSH_SECONDS: &str = "bellwether_ingest_flush_seconds";
/// Gauge, bytes: batches and windows held by a worker. Label `worker`.
pub const MEMORY_BYTES: &str = "bellwether_ingest_memory_bytes";
/// Gauge, bytes: what a worker may hold, as configured. Label `worker`.
pub const MEMORY_BUDGET: &str = "bellwether_ingest_memory_budget_bytes";
/// Gauge, bytes: event ids that a worker remembers to recognise what was sent twice. Label `worker`.
pub const WINDOW_BYTES: &str = "bellwether_ingest_window_bytes";
/// Gauge: records between the table's position and the end of the log; of the spool over all of its logs. Labels
/// `topic`, `partition`; gone once another worker has the partition.
pub const LAG: &str = "bellwether_ingest_lag_records";
/// Gauge, seconds since 1970: newest record time below the table's position. Labels `topic`, `partition`.
pub const NEWEST_RECORD: &str = "bellwether_ingest_newest_record_timestamp_seconds";
/// Gauge: 1 while the partition is stopped, by its records, a broker or a table. Labels `topic`, `partition`.
pub const STOPPED: &str = "bellwether_ingest_stopped_partitions";
/// Gauge: 1 while the worker fetches nothing because its memory is used. Label `worker`.
pub const PAUSED: &str = "bellwether_ingest_paused";
/// Counter: changes of what the group gives to this worker. Label `event` (assign, revoke, lost).
pub const REBALANCES: &str = "bellwether_ingest_rebalances_total";
/// Counter: times that the operator's catalogue file was read again because it had changed. Label `outcome` (taken, refused: the
/// former one stays).
pub const CATALOGUE_READS: &str = "bellwether_catalogue_reads_total";
/// Counter: HTTP intake requests. Labels `format`, `status`.
pub const INTAKE_REQUESTS: &str = "bellwether_intake_requests_total";
/// Counter: records received by the HTTP intake. Labels `format`, `outcome` (accepted, rejected; repeated: refused
/// before in an earlier copy of the body, and not appended again).
pub const INTAKE_RECORDS: &str = "bellwether_intake_records_total";
/// Counter, bytes: decompressed bytes received by the HTTP intake. Label `format`.
pub const INTAKE_BYTES: &str = "bellwether_intake_bytes_total";
/// Gauge, bytes: bodies and stripped events held by running intake requests.
pub const INTAKE_IN_FLIGHT: &str = "bellwether_intake_in_flight_bytes";
/// Histogram, seconds: time of one group commit of the spool.
pub const SPOOL_SYNC_SECONDS: &str = "bellwether_spool_sync_seconds";
/// Gauge: next offset of the spool, all before it are on disk.
pub const SPOOL_HEAD: &str = "bellwether_spool_head_offset";
/// Gauge, bytes: records on the spool's disk, ingested or not. Its bound is `spool.max_bytes`.
pub const SPOOL_BYTES: &str = "bellwether_spool_bytes";
/// Gauge, bytes: about what the records take that the spool holds and the tables do not.
pub const SPOOL_WAITING_BYTES: &str = "bellwether_spool_waiting_bytes";
/// Counter: appends that the spool refused. Label `reason` (bound, disk_full, failed).
pub const SPOOL_REFUSED: &str = "bellwether_spool_refused_total";
/// Gauge: logs of the spool that cannot be read and stay behind. See `docs/operate.md`.
pub const SPOOL_STOPPED: &str = "bellwether_spool_stopped_logs";
/// Gauge: 1 for each log of the spool that cannot be read and stays behind. Label `log`, the name of its folder.
pub const SPOOL_LOG_STOPPED: &str = "bellwether_spool_log_stopped";
/// Gauge: 1 while the ballast is given up because the disk is full, 0 otherwise.
pub const SPOOL_BALLAST_GIVEN: &str = "bellwether_spool_ballast_given_up";

/// Registers the descriptions with the installed recorder.
pub fn describe() {
    describe_counter!(
        CATALOGUE_READS,
        Unit::Count,
        "Times that a changed catalogue file was read, by outcome"
    );
    describe_counter!(ROWS, Unit::Count, "Rows committed to attempts");
    describe_counter!(REJECTS, Unit::Count, "Records committed to rejects");
    describe_counter!(REJECT_REASONS, Unit::Count, "Records committed to rejects, by reason");
    describe_counter!(
        RECOVERED,
        Unit::Count,
        "Records in rejects that became rows when they were read again"
    );
    describe_counter!(SKIPPED, Unit::Count, "Offsets without a record and records without a value");
    describe_counter!(DUPLICATES, Unit::Count, "Attempts dropped because their event_id was seen before");
    describe_counter!(UNKNOWN_FIELDS, Unit::Count, "Members of records that this version does not know");
    describe_counter!(FLAWS, Unit::Count, "Values of records that could not be taken as they stood");
    describe_counter!(
        PRICED_BY_LIST,
        Unit::Count,
        "Rows without a logged price, priced by the catalogue's list"
    );
    describe_counter!(
        PRICE_MISMATCHES,
        Unit::Count,
        "Rows whose logged price is more than a fifth away from the catalogue's list"
    );
    describe_counter!(FLUSHES, Unit::Count, "Flushes by reason");
    describe_counter!(FENCED, Unit::Count, "Batches dropped because another worker moved the position");
    describe_counter!(LABELS_DROPPED, Unit::Count, "Label cells of destroyed epochs, left out");
    describe_counter!(RETRIES, Unit::Count, "Storage operations tried again");
    describe_histogram!(FLUSH_SECONDS, Unit::Seconds, "Time of one flush of all three tables");
    describe_gauge!(MEMORY_BYTES, Unit::Bytes, "Batches and windows held by a worker");
    describe_gauge!(MEMORY_BUDGET, Unit::Bytes, "What a worker may hold");
    describe_gauge!(WINDOW_BYTES, Unit::Bytes, "Event ids remembered to recognise what was sent twice");
    describe_gauge!(LAG, Unit::Count, "Records between the committed position and the end of the log");
    describe_gauge!(NEWEST_RECORD, Unit::Seconds, "Newest record time below the committed position");
    describe_gauge!(STOPPED, Unit::Count, "1 while the partition is stopped");
    describe_gauge!(PAUSED, Unit::Count, "1 while the worker fetches nothing because its memory is used");
    describe_counter!(REBALANCES, Unit::Count, "Changes of what the group gives to this worker");
    describe_counter!(INTAKE_REQUESTS, Unit::Count, "HTTP intake requests");
    describe_counter!(INTAKE_RECORDS, Unit::Count, "Records received by the HTTP intake");
    describe_counter!(INTAKE_BYTES, Unit::Bytes, "Decompressed bytes received by the HTTP intake");
    describe_gauge!(INTAKE_IN_FLIGHT, Unit::Bytes, "Bytes held by running intake requests");
    describe_histogram!(SPOOL_SYNC_SECONDS, Unit::Seconds, "Time of one group commit of the spool");
    describe_gauge!(SPOOL_HEAD, Unit::Count, "Next offset of the spool");
    describe_gauge!(SPOOL_BYTES, Unit::Bytes, "Records on the spool's disk, ingested or not");
    describe_gauge!(SPOOL_WAITING_BYTES, Unit::Bytes, "Records of the spool that the tables do not hold");
    describe_counter!(SPOOL_REFUSED, Unit::Count, "Appends that the spool refused");
    describe_gauge!(SPOOL_STOPPED, Unit::Count, "Logs of the spool that cannot be read and stay behind");
    describe_gauge!(SPOOL_LOG_STOPPED, Unit::Count, "1 for a log of the spool that cannot be read");
    describe_gauge!(
        SPOOL_BALLAST_GIVEN,
        Unit::Count,
        "1 while the ballast is given up because the disk is full"
    );
}

/// Counts a changed catalogue file that was taken, or refused.
pub fn read_catalogue(outcome: &'static str) {
    metrics::counter!(CATALOGUE_READS, "outcome" => outcome).increment(1);
}
