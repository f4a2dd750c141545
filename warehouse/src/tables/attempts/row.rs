//! One attempt as borrowed values, and the builder that turns many into an Arrow batch.

use arrow::array::RecordBatch;

/// Instants are µs since the Unix epoch, money is in 10⁻⁹ USD. `event_date` is derived from `started_at`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttemptRow<'a> {
    pub event_id: &'a str,
    pub request_id: Option<&'a str>,
    pub session_id: Option<&'a str>,
    pub attempt: Option<i16>,
    pub is_final: Option<bool>,
    pub started_at: i64,
    pub ingested_at: i64,
    pub model_id: Option<&'a str>,
    pub variant: &'a str,
    pub author: Option<&'a str>,
    pub provider_id: Option<&'a str>,
    pub endpoint_id: Option<&'a str>,
    pub region: Option<&'a str>,
    pub requested_model: Option<&'a str>,
    pub raw_model: Option<&'a str>,
    pub raw_provider: Option<&'a str>,
    pub router: Option<&'a str>,
    pub operation: Option<&'a str>,
    pub streamed: Option<bool>,
    pub service_tier: Option<&'a str>,
    pub is_byok: Option<bool>,
    pub user_key: Option<i64>,
    pub api_key_key: Option<i64>,
    pub org_key: Option<i64>,
    pub app_id: Option<&'a str>,
    pub country: Option<&'a str>,
    pub input_tokens: Option<i64>,
    pub cached_input_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub input_images: Option<i32>,
    pub input_audio: Option<i32>,
    pub input_video: Option<i32>,
    pub output_images: Option<i32>,
    pub tool_calls: Option<i32>,
    pub tool_call_errors: Option<i32>,
    pub tools_offered: Option<i32>,
    pub web_searches: Option<i32>,
    /// Empty means none known.
    pub plugins: Vec<&'a str>,
    pub structured_requested: Option<bool>,
    pub structured_valid: Option<bool>,
    pub cost_usd: Option<i128>,
    pub input_cost_usd: Option<i128>,
    pub output_cost_usd: Option<i128>,
    pub upstream_cost_usd: Option<i128>,
    pub price_source: Option<&'a str>,
    pub overhead_us: Option<i32>,
    pub moderation_ms: Option<i32>,
    pub ttft_ms: Option<i32>,
    pub duration_ms: Option<i32>,
    pub outcome: &'a str,
    pub error_class: Option<&'a str>,
    pub http_status: Option<i16>,
    pub finish_reason: Option<&'a str>,
    pub native_finish_reason: Option<&'a str>,
    pub refused: Option<bool>,
    pub billed_output_tokens: Option<i64>,
    pub gateway_cache_hit: bool,
    pub source: &'a str,
    pub src_topic: &'a str,
    pub src_partition: i32,
    pub src_offset: i64,
}

/// Collects rows; `finish` gives one batch with the table's schema and leaves the builder empty.
#[derive(Debug, Default)]
pub struct Builder {}

impl Builder {
    pub fn push(&mut self, row: &AttemptRow<'_>) {
        let _ = row;
        unimplemented!()
    }

    pub fn len(&self) -> usize {
        unimplemented!()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held by the builder, for the memory budget.
    pub fn size_bytes(&self) -> usize {
        unimplemented!()
    }

    pub fn finish(&mut self) -> RecordBatch {
        unimplemented!()
    }
}
