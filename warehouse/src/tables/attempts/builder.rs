//! Many attempts → one Arrow batch. The hottest loop of the product runs through here.

use arrow::array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Int16Builder, Int32Builder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMicrosecondBuilder,
};

use super::{AttemptRow, schema};
use crate::tables::rows::{day, row_builder};

row_builder! {
    /// Collects rows; `finish` gives one batch with the table's schema and leaves the builder empty.
    Builder for AttemptRow<'_> as row, schema schema;
    event_date: Date32Builder = day(row.started_at);
    event_id: StringBuilder = row.event_id;
    request_id: StringBuilder = row.request_id;
    session_id: StringBuilder = row.session_id;
    attempt: Int16Builder = row.attempt;
    is_final: BooleanBuilder = row.is_final;
    started_at: TimestampMicrosecondBuilder = row.started_at;
    ingested_at: TimestampMicrosecondBuilder = row.ingested_at;
    model_id: StringBuilder = row.model_id;
    variant: StringBuilder = row.variant;
    author: StringBuilder = row.author;
    provider_id: StringBuilder = row.provider_id;
    endpoint_id: StringBuilder = row.endpoint_id;
    region: StringBuilder = row.region;
    requested_model: StringBuilder = row.requested_model;
    raw_model: StringBuilder = row.raw_model;
    raw_provider: StringBuilder = row.raw_provider;
    router: StringBuilder = row.router;
    operation: StringBuilder = row.operation;
    streamed: BooleanBuilder = row.streamed;
    service_tier: StringBuilder = row.service_tier;
    is_byok: BooleanBuilder = row.is_byok;
    user_key: Int64Builder = row.user_key;
    api_key_key: Int64Builder = row.api_key_key;
    org_key: Int64Builder = row.org_key;
    app_id: StringBuilder = row.app_id;
    country: StringBuilder = row.country;
    input_tokens: Int64Builder = row.input_tokens;
    cached_input_tokens: Int64Builder = row.cached_input_tokens;
    cache_write_tokens: Int64Builder = row.cache_write_tokens;
    output_tokens: Int64Builder = row.output_tokens;
    reasoning_tokens: Int64Builder = row.reasoning_tokens;
    input_images: Int32Builder = row.input_images;
    input_audio: Int32Builder = row.input_audio;
    input_video: Int32Builder = row.input_video;
    output_images: Int32Builder = row.output_images;
    tool_calls: Int32Builder = row.tool_calls;
    tool_call_errors: Int32Builder = row.tool_call_errors;
    tools_offered: Int32Builder = row.tools_offered;
    web_searches: Int32Builder = row.web_searches;
    plugins: ListBuilder<StringBuilder> = row.plugins.as_slice();
    structured_requested: BooleanBuilder = row.structured_requested;
    structured_valid: BooleanBuilder = row.structured_valid;
    cost_usd: Decimal128Builder = row.cost_usd;
    input_cost_usd: Decimal128Builder = row.input_cost_usd;
    output_cost_usd: Decimal128Builder = row.output_cost_usd;
    upstream_cost_usd: Decimal128Builder = row.upstream_cost_usd;
    price_source: StringBuilder = row.price_source;
    overhead_us: Int32Builder = row.overhead_us;
    moderation_ms: Int32Builder = row.moderation_ms;
    ttft_ms: Int32Builder = row.ttft_ms;
    duration_ms: Int32Builder = row.duration_ms;
    outcome: StringBuilder = row.outcome;
    error_class: StringBuilder = row.error_class;
    http_status: Int16Builder = row.http_status;
    finish_reason: StringBuilder = row.finish_reason;
    native_finish_reason: StringBuilder = row.native_finish_reason;
    refused: BooleanBuilder = row.refused;
    billed_output_tokens: Int64Builder = row.billed_output_tokens;
    gateway_cache_hit: BooleanBuilder = row.gateway_cache_hit;
    source: StringBuilder = row.source;
    src_topic: StringBuilder = row.src_topic;
    src_partition: Int32Builder = row.src_partition;
    src_offset: Int64Builder = row.src_offset;
    src_index: Int32Builder = row.src_index;
}
