//! Speed by the length of prompts.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::health::{self, SPEEDS};
use crate::{History, Lane, Metric, share_by_week};

const KEYS: &[Column] = &[
    Column::date("month", "First day of the month of `week_start`."),
    Column::date("week_start", "Monday of the ISO week, UTC."),
    Column::new(
        "is_partial",
        Type::Flag,
        Unit::None,
        "Whether a day of the week is still to close: not to be joined to whole weeks in a chart.",
    ),
    Column::text("dimension", "Always `model_provider`."),
    Column::text("key", "`author/model@provider`, over all variants of the model."),
    Column::text("kind", "Always `key`: what may not be named is in no row."),
    Column::text("model", "`author/model`."),
    Column::text("author", "Who made the model.").null_when("The catalogue does not know the model."),
    Column::text("provider", "Id of the provider."),
    Column::text("display_name", "For people. Not unique."),
    Column::count(
        "context_bucket",
        Unit::Tokens,
        "Input tokens of the attempts, as the power of ten that they do not exceed and that is the next one: 1,000 (from 0 on), \
         10,000, 100,000, 1,000,000 and so on.",
    ),
    Column::new(
        "counts_are_bands",
        Type::Flag,
        Unit::None,
        "Whether counts are rounded down to 0, 100, 1,000, 10,000 and so on: wherever users are asked for, as exact ones would \
         tell usage. Percentiles are exact.",
    ),
];

/// Six of `ttft_ms`.
const TTFT: &[Column] = SPEEDS.split_at(6).0;
/// Seven of each throughput, after the six of `duration_ms`.
const THROUGHPUT: &[Column] = SPEEDS.split_at(12).1.split_at(14).0;

const PARTS: &[&[Column]] = &[KEYS, TTFT, THROUGHPUT];

pub const TABLE: Declaration = Declaration {
    name: "speed_by_context",
    grain: "week_start × key × context_bucket",
    meaning: "How fast models were at providers by the length of prompts: long ones are slower, and providers have different mixes \
              of them. Of ISO weeks that began at most 35 days ago; an older one stands as it was until the terms under which \
              tables are published change.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &["week_start"],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Recent,
    lane: Lane::Slow,
    sql: concat!(
        include_str!("speed_by_context.sql"),
        include_str!("../health/speeds.sql"),
        include_str!("ordered.sql"),
    ),
    inputs: &[TableId::ContextSpeedDaily],
    touched: share_by_week::touched,
};
