//! Columns of `rejects`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::tables::timestamp;

pub(crate) const STATS_COLUMNS: &[&str] =
    &["received_at", "reason", "source", "src_topic", "src_partition", "src_offset"];

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("date", DataType::Date32, false),
        Field::new("received_at", timestamp(), false),
        Field::new("reason", DataType::Utf8, false),
        Field::new("detail", DataType::Utf8, false),
        Field::new("source", DataType::Utf8, false),
        Field::new("src_topic", DataType::Utf8, false),
        Field::new("src_partition", DataType::Int32, false),
        Field::new("src_offset", DataType::Int64, false),
        Field::new("size_bytes", DataType::Int64, false),
        Field::new("skeleton", DataType::Utf8, true),
        Field::new("raw", DataType::Utf8, true),
        Field::new("src_index", DataType::Int32, true),
    ]))
}
