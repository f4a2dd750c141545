//! `context_speed_daily`: how fast attempts were by the length of their prompts, as DDSketch bytes by model and provider.

use super::TableId;
use super::rollup::{Family, Grain, Key, Level, Made, measures};

pub static FAMILY: Family = Family {
    name: "context_speed",
    made: Made::FromAttempts,
    // `context_bucket`: the most input tokens of the bucket, a power of ten from 1,000 on.
    keys: &[
        Key::text("model_id"),
        Key::text("author"),
        Key::text("provider_id"),
        Key::number("context_bucket").never_null(),
    ],
    measures: MEASURES,
    row_when: ROW_WHEN,
    levels: &[Level {
        table: TableId::ContextSpeedDaily,
        grain: Grain::Day,
        time: None,
        // Weeks are published while they are at most 35 days old, with a week to spare. More: three sketches a model, provider,
        // bucket and day.
        keep_days: Some(42),
    }],
};

measures! {
    /// Of attempts at a provider with a known number of input tokens of which any speed is known.
    ContextSpeed, a row when attempts;
    sums
        attempts;
    ddsketch
        ttft_ms
        tokens_per_s_e2e
        tokens_per_s_decode;
}
