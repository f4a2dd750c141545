//! One imported file as borrowed values, and its builder.

use arrow::array::builder::{Int64Builder, StringBuilder, TimestampMicrosecondBuilder};

use super::schema;
use crate::tables::rows::row_builder;

/// The range `[start_offset, end_offset)` of the import log that one file owns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportRow<'a> {
    pub content_hash: &'a str,
    pub file_name: &'a str,
    pub format: &'a str,
    pub size_bytes: i64,
    pub start_offset: i64,
    pub end_offset: i64,
    /// µs since the Unix epoch.
    pub imported_at: i64,
}

row_builder! {
    /// Collects rows; `finish` gives one batch with the table's schema and leaves the builder empty.
    Builder for ImportRow<'_> as row, schema schema;
    content_hash: StringBuilder = row.content_hash;
    file_name: StringBuilder = row.file_name;
    format: StringBuilder = row.format;
    size_bytes: Int64Builder = row.size_bytes;
    start_offset: Int64Builder = row.start_offset;
    end_offset: Int64Builder = row.end_offset;
    imported_at: TimestampMicrosecondBuilder = row.imported_at;
}
