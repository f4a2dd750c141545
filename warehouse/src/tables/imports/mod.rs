//! `imports`: the range of the import log that each imported file owns, by content hash.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

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
