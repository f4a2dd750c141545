//! One rejected record as borrowed values, and its builder.

use arrow::array::builder::{
    Date32Builder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};

use super::schema;
use crate::tables::rows::{day, row_builder};

/// A record that became no row. `date` is derived from `received_at` (µs since the Unix epoch).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RejectRow<'a> {
    pub received_at: i64,
    /// From the closed list of reasons.
    pub reason: &'a str,
    /// Names the field and the place; never a value.
    pub detail: &'a str,
    pub source: &'a str,
    pub src_topic: &'a str,
    pub src_partition: i32,
    pub src_offset: i64,
    pub size_bytes: i64,
    /// Keys, types and lengths; no free text.
    pub skeleton: Option<&'a str>,
    /// Only of a source declared free of text.
    pub raw: Option<&'a str>,
    /// Which of its record's rows and rejects this is. None, in rejects of before there was a number: the only one.
    pub src_index: Option<i32>,
}

row_builder! {
    /// Collects rows; `finish` gives one batch with the table's schema and leaves the builder empty.
    Builder for RejectRow<'_> as row, schema schema;
    date: Date32Builder = day(row.received_at);
    received_at: TimestampMicrosecondBuilder = row.received_at;
    reason: StringBuilder = row.reason;
    detail: StringBuilder = row.detail;
    source: StringBuilder = row.source;
    src_topic: StringBuilder = row.src_topic;
    src_partition: Int32Builder = row.src_partition;
    src_offset: Int64Builder = row.src_offset;
    size_bytes: Int64Builder = row.size_bytes;
    skeleton: StringBuilder = row.skeleton;
    raw: StringBuilder = row.raw;
    src_index: Int32Builder = row.src_index;
}
