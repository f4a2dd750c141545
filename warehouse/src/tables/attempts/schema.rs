//! Columns of `attempts`. NULL means unknown, never 0.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::tables::timestamp;

pub(crate) const STATS_COLUMNS: &[&str] = &[
    "event_id",
    "request_id",
    "started_at",
    "model_id",
    "provider_id",
    "src_topic",
    "src_partition",
    "src_offset",
];

pub(crate) const UNIQUE_COLUMNS: &[&str] =
    &["event_id", "request_id", "started_at", "cost_usd", "input_cost_usd", "output_cost_usd", "src_offset"];

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("event_date", DataType::Date32, false),
        Field::new("event_id", DataType::Utf8, false),
        Field::new("request_id", DataType::Utf8, true),
        Field::new("session_id", DataType::Utf8, true),
        Field::new("attempt", DataType::Int16, true),
        Field::new("is_final", DataType::Boolean, true),
        Field::new("started_at", timestamp(), false),
        Field::new("ingested_at", timestamp(), false),
        Field::new("model_id", DataType::Utf8, true),
        Field::new("variant", DataType::Utf8, true),
        Field::new("author", DataType::Utf8, true),
        Field::new("provider_id", DataType::Utf8, true),
        Field::new("endpoint_id", DataType::Utf8, true),
        Field::new("region", DataType::Utf8, true),
        Field::new("requested_model", DataType::Utf8, true),
        Field::new("raw_model", DataType::Utf8, true),
        Field::new("raw_provider", DataType::Utf8, true),
        Field::new("router", DataType::Utf8, true),
        Field::new("operation", DataType::Utf8, true),
        Field::new("streamed", DataType::Boolean, true),
        Field::new("service_tier", DataType::Utf8, true),
        Field::new("is_byok", DataType::Boolean, true),
        Field::new("user_key", DataType::Int64, true),
        Field::new("api_key_key", DataType::Int64, true),
        Field::new("org_key", DataType::Int64, true),
        Field::new("app_id", DataType::Utf8, true),
        Field::new("country", DataType::Utf8, true),
        Field::new("input_tokens", DataType::Int64, true),
        Field::new("cached_input_tokens", DataType::Int64, true),
        Field::new("cache_write_tokens", DataType::Int64, true),
        Field::new("output_tokens", DataType::Int64, true),
        Field::new("reasoning_tokens", DataType::Int64, true),
        Field::new("input_images", DataType::Int32, true),
        Field::new("input_audio", DataType::Int32, true),
        Field::new("input_video", DataType::Int32, true),
        Field::new("output_images", DataType::Int32, true),
        Field::new("tool_calls", DataType::Int32, true),
        Field::new("tool_call_errors", DataType::Int32, true),
        Field::new("tools_offered", DataType::Int32, true),
        Field::new("web_searches", DataType::Int32, true),
        Field::new("plugins", DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))), true),
        Field::new("structured_requested", DataType::Boolean, true),
        Field::new("structured_valid", DataType::Boolean, true),
        Field::new("cost_usd", DataType::Decimal128(18, 9), true),
        Field::new("input_cost_usd", DataType::Decimal128(18, 9), true),
        Field::new("output_cost_usd", DataType::Decimal128(18, 9), true),
        Field::new("upstream_cost_usd", DataType::Decimal128(18, 9), true),
        Field::new("price_source", DataType::Utf8, true),
        Field::new("overhead_us", DataType::Int32, true),
        Field::new("moderation_ms", DataType::Int32, true),
        Field::new("ttft_ms", DataType::Int32, true),
        Field::new("duration_ms", DataType::Int32, true),
        Field::new("outcome", DataType::Utf8, false),
        Field::new("error_class", DataType::Utf8, true),
        Field::new("http_status", DataType::Int16, true),
        Field::new("finish_reason", DataType::Utf8, true),
        Field::new("native_finish_reason", DataType::Utf8, true),
        Field::new("refused", DataType::Boolean, true),
        Field::new("billed_output_tokens", DataType::Int64, true),
        Field::new("gateway_cache_hit", DataType::Boolean, false),
        Field::new("source", DataType::Utf8, false),
        Field::new("src_topic", DataType::Utf8, false),
        Field::new("src_partition", DataType::Int32, false),
        Field::new("src_offset", DataType::Int64, false),
        Field::new("src_index", DataType::Int32, true),
    ]))
}
