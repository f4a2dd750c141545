//! `health_5m`, `health_hourly`, `health_daily`: attempts by outcome and error class, and DDSketch bytes of speed, by
//! endpoint. Each is folded directly and is complete for as long as it keeps its rows; what is older than that goes into
//! the coarser ones alone.

use super::TableId;
use super::rollup::{Family, Grain, Key, Level, Made, measures};

pub static FAMILY: Family = Family {
    name: "health",
    made: Made::FromAttempts,
    keys: &[
        Key::text("model_id"),
        Key::text("author"),
        Key::text("variant"),
        Key::text("provider_id"),
        Key::text("endpoint_id"),
        Key::text("region"),
    ],
    measures: MEASURES,
    row_when: ROW_WHEN,
    levels: &[
        Level {
            table: TableId::Health5m,
            grain: Grain::FiveMinutes,
            time: Some("bucket_at"),
            // Covers the site's seven-day windows with a day to spare. More: 288 rows an endpoint and day.
            keep_days: Some(8),
        },
        Level {
            table: TableId::HealthHourly,
            grain: Grain::Hour,
            time: Some("bucket_at"),
            // Covers the 90-day bars.
            keep_days: Some(100),
        },
        Level { table: TableId::HealthDaily, grain: Grain::Day, time: None, keep_days: None },
    ],
};

measures! {
    /// Of attempts at a provider.
    Health, a row when attempts;
    sums
        attempts
        ok
        fault
        rate_limited
        client_error
        cancelled
        cancelled_delivered
        gateway_error
        fault_auth
        fault_payment
        fault_not_found
        fault_timeout
        fault_connection
        fault_overloaded
        fault_server_error
        fault_stream_error
        fault_error_finish
        client_bad_request
        client_context_length
        client_content_policy
        client_too_large
        client_geo
        client_unsupported
        tool_finishes
        tool_error_requests
        prose_instead_of_call
        structured_requested
        structured_invalid
        refused
        content_filtered
        billed_output_tokens_cancelled
        output_tokens;
    ddsketch
        ttft_ms
        duration_ms
        tokens_per_s_e2e
        tokens_per_s_decode
        overhead_us;
}
