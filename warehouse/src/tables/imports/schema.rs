//! Columns of `imports`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::tables::timestamp;

pub(crate) const STATS_COLUMNS: &[&str] = &["content_hash", "start_offset", "end_offset", "imported_at"];

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("content_hash", DataType::Utf8, false),
        Field::new("file_name", DataType::Utf8, false),
        Field::new("format", DataType::Utf8, false),
        Field::new("size_bytes", DataType::Int64, false),
        Field::new("start_offset", DataType::Int64, false),
        Field::new("end_offset", DataType::Int64, false),
        Field::new("imported_at", timestamp(), false),
    ]))
}
