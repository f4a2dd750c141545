//! Columns of `routing_hourly`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::tables::timestamp;

pub(crate) const STATS_COLUMNS: &[&str] = &["hour"];

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("date", DataType::Date32, false),
        Field::new("hour", timestamp(), false),
        Field::new("model_id", DataType::Utf8, true),
        Field::new("author", DataType::Utf8, true),
        Field::new("all_requests", DataType::Int64, false),
        Field::new("attempts", DataType::Int64, false),
        Field::new("requests", DataType::Int64, false),
        Field::new("routed_ok", DataType::Int64, false),
        Field::new("first_ok", DataType::Int64, false),
        Field::new("requests_with_rate_limits", DataType::Int64, false),
        Field::new("routed_ok_with_rate_limits", DataType::Int64, false),
        Field::new("first_ok_with_rate_limits", DataType::Int64, false),
    ]))
}
