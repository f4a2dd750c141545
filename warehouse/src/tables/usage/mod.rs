//! `usage_hourly` and `usage_daily`: tokens, served requests, spend of all attempts and users (HLL bytes) by model, variant and provider.
//! Both are folded directly; attempts older than the hours that are kept go into the days alone.

use super::TableId;
use super::rollup::{Family, Grain, Key, Level, Made, measures};

pub static FAMILY: Family = Family {
    name: "usage",
    made: Made::FromAttempts,
    keys: &[Key::text("model_id"), Key::text("author"), Key::text("variant"), Key::text("provider_id")],
    measures: MEASURES,
    row_when: ROW_WHEN,
    levels: &[
        // As long as the hours of health. More: of a long history `usage_hourly` has hardly fewer rows than `attempts`.
        Level { table: TableId::UsageHourly, grain: Grain::Hour, time: Some("hour"), keep_days: Some(100) },
        Level { table: TableId::UsageDaily, grain: Grain::Day, time: None, keep_days: None },
    ],
};

measures! {
    /// Of served requests, but `cost_usd`, which is of all attempts: `unserved_cost_usd` is the part of it that was charged for
    /// those that were not served. Rows that do not know that part were made when `cost_usd` was of served requests alone.
    Usage, a row when requests or cost_usd;
    sums
        requests
        gateway_cache_hits
        streamed_requests
        requests_with_user;
    hll users;
    sums
        input_tokens
        cached_input_tokens
        cache_write_tokens
        output_tokens
        reasoning_tokens;
    money cost_usd;
    sums
        unpriced_requests
        unpriced_tokens
        input_images
        input_audio
        input_video
        output_images
        tool_calls
        web_searches
        requests_image_in
        requests_image_out
        requests_audio_in
        requests_tool_call
        context_1k
        context_10k
        context_100k
        context_1m
        context_10m
        context_over_10m;
    added money unserved_cost_usd;
}
