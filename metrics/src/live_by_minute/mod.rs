//! All traffic of the last hour, minute by minute, from attempts themselves: newer than any rollup is fine.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::{History, Lane, Metric};

/// Its statement gives the minutes up to the watermark, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "live_by_minute",
    grain: "minute_at",
    meaning: "All traffic of the last 65 complete minutes, minutes without any included. No name is told, so nothing is hidden.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &[
        Column::new("minute_at", Type::Instant, Unit::None, "Start of the minute."),
        Column::count("requests", Unit::Requests, "Served requests, gateway cache hits included."),
        Column::count(
            "input_tokens",
            Unit::Tokens,
            "Prompt tokens of served requests, cached ones included.",
        ),
        Column::count(
            "output_tokens",
            Unit::Tokens,
            "Completion tokens of served requests, reasoning included.",
        ),
        Column::new(
            "spend_usd",
            Type::Money,
            Unit::Usd,
            "What was paid, over all attempts with a price: the logged one, else that of the catalogue's list for the day.",
        ),
        Column::count(
            "unpriced_requests",
            Unit::Requests,
            "Served requests whose price neither the log nor the catalogue knows; their cost is in no sum.",
        ),
        Column::count(
            "attempts",
            Unit::Attempts,
            "Calls to providers; a hit in the cache of the gateway is none.",
        ),
        Column::count(
            "counted",
            Unit::Attempts,
            "Those of them that say something about a provider: successes and faults. Uptime is `success` by this.",
        ),
        Column::count(
            "success",
            Unit::Attempts,
            "Those of them that ended well, or that the caller cancelled after delivery had begun.",
        ),
        Column::count(
            "rate_limited",
            Unit::Attempts,
            "Those of them that a provider refused for their rate (429).",
        ),
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Fast,
    sql: include_str!("live_by_minute.sql"),
    inputs: &[TableId::Attempts],
    touched: |date| date..=date,
};
