//! Columns of the usage tables. Counts are of served requests; money is in USD.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::tables::timestamp;

pub(crate) const HOURLY_STATS_COLUMNS: &[&str] = &["hour"];

pub fn hourly_schema() -> SchemaRef {
    let mut fields =
        vec![Field::new("date", DataType::Date32, false), Field::new("hour", timestamp(), false)];
    fields.extend(keys_and_sums());
    Arc::new(Schema::new(fields))
}

pub fn daily_schema() -> SchemaRef {
    let mut fields = vec![Field::new("date", DataType::Date32, false)];
    fields.extend(keys_and_sums());
    Arc::new(Schema::new(fields))
}

fn keys_and_sums() -> Vec<Field> {
    vec![
        Field::new("model_id", DataType::Utf8, true),
        Field::new("author", DataType::Utf8, true),
        Field::new("variant", DataType::Utf8, true),
        Field::new("provider_id", DataType::Utf8, true),
        Field::new("requests", DataType::Int64, false),
        Field::new("gateway_cache_hits", DataType::Int64, false),
        Field::new("streamed_requests", DataType::Int64, false),
        Field::new("requests_with_user", DataType::Int64, false),
        Field::new("users", DataType::Binary, true),
        Field::new("input_tokens", DataType::Int64, false),
        Field::new("cached_input_tokens", DataType::Int64, false),
        Field::new("cache_write_tokens", DataType::Int64, false),
        Field::new("output_tokens", DataType::Int64, false),
        Field::new("reasoning_tokens", DataType::Int64, false),
        Field::new("cost_usd", DataType::Decimal128(38, 9), false),
        Field::new("unpriced_requests", DataType::Int64, false),
        Field::new("unpriced_tokens", DataType::Int64, false),
        Field::new("input_images", DataType::Int64, false),
        Field::new("input_audio", DataType::Int64, false),
        Field::new("input_video", DataType::Int64, false),
        Field::new("output_images", DataType::Int64, false),
        Field::new("tool_calls", DataType::Int64, false),
        Field::new("web_searches", DataType::Int64, false),
        Field::new("requests_image_in", DataType::Int64, false),
        Field::new("requests_image_out", DataType::Int64, false),
        Field::new("requests_audio_in", DataType::Int64, false),
        Field::new("requests_tool_call", DataType::Int64, false),
        Field::new("context_1k", DataType::Int64, false),
        Field::new("context_10k", DataType::Int64, false),
        Field::new("context_100k", DataType::Int64, false),
        Field::new("context_1m", DataType::Int64, false),
        Field::new("context_10m", DataType::Int64, false),
        Field::new("context_over_10m", DataType::Int64, false),
    ]
}
