//! Columns of the health tables. All but the keys are counts of attempts, tokens, or DDSketch bytes.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::tables::timestamp;

pub(crate) const BUCKET_STATS_COLUMNS: &[&str] = &["bucket_at"];

pub fn bucket_schema() -> SchemaRef {
    let mut fields =
        vec![Field::new("date", DataType::Date32, false), Field::new("bucket_at", timestamp(), false)];
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
        Field::new("endpoint_id", DataType::Utf8, true),
        Field::new("region", DataType::Utf8, true),
        Field::new("attempts", DataType::Int64, false),
        Field::new("ok", DataType::Int64, false),
        Field::new("fault", DataType::Int64, false),
        Field::new("rate_limited", DataType::Int64, false),
        Field::new("client_error", DataType::Int64, false),
        Field::new("cancelled", DataType::Int64, false),
        Field::new("cancelled_delivered", DataType::Int64, false),
        Field::new("gateway_error", DataType::Int64, false),
        Field::new("fault_auth", DataType::Int64, false),
        Field::new("fault_payment", DataType::Int64, false),
        Field::new("fault_not_found", DataType::Int64, false),
        Field::new("fault_timeout", DataType::Int64, false),
        Field::new("fault_connection", DataType::Int64, false),
        Field::new("fault_overloaded", DataType::Int64, false),
        Field::new("fault_server_error", DataType::Int64, false),
        Field::new("fault_stream_error", DataType::Int64, false),
        Field::new("fault_error_finish", DataType::Int64, false),
        Field::new("client_bad_request", DataType::Int64, false),
        Field::new("client_context_length", DataType::Int64, false),
        Field::new("client_content_policy", DataType::Int64, false),
        Field::new("client_too_large", DataType::Int64, false),
        Field::new("client_geo", DataType::Int64, false),
        Field::new("client_unsupported", DataType::Int64, false),
        Field::new("tool_finishes", DataType::Int64, false),
        Field::new("tool_error_requests", DataType::Int64, false),
        Field::new("prose_instead_of_call", DataType::Int64, false),
        Field::new("structured_requested", DataType::Int64, false),
        Field::new("structured_invalid", DataType::Int64, false),
        Field::new("refused", DataType::Int64, false),
        Field::new("content_filtered", DataType::Int64, false),
        Field::new("billed_output_tokens_cancelled", DataType::Int64, false),
        Field::new("output_tokens", DataType::Int64, false),
        Field::new("ttft_ms", DataType::Binary, true),
        Field::new("duration_ms", DataType::Binary, true),
        Field::new("tokens_per_s_e2e", DataType::Binary, true),
        Field::new("tokens_per_s_decode", DataType::Binary, true),
        Field::new("overhead_us", DataType::Binary, true),
    ]
}
