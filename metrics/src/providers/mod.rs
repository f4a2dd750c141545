//! The providers of the catalogue as published.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::{History, Lane, Metric, health_now, keyed, models, usage_by_day};

const UNKNOWN: &str = "The catalogue does not know.";

/// Its statement gives all rows, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "providers",
    grain: "provider",
    meaning: "Every provider of the catalogue, and others once they were public. One that was never public is there with its facts \
              and its health, and nothing tells of its use.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &[
        Column::text("key", "The id, as in every table of dimension `provider`."),
        Column::text("provider", "The same, to join and filter by."),
        keyed::DISPLAY_NAME,
        Column::new("is_catalogued", Type::Flag, Unit::None, "Whether the catalogue has an entry for it."),
        Column::text("country", "Where it is at home, ISO 3166-1 alpha-2.").null_when(UNKNOWN),
        Column::count("retention_days", Unit::Days, "For how long it keeps prompts; 0: not at all.")
            .null_when(UNKNOWN),
        Column::new(
            "trains_on_prompts",
            Type::Flag,
            Unit::None,
            "Whether it may train models on prompts, unless told otherwise.",
        )
        .null_when(UNKNOWN),
        keyed::FIRST_DATE,
        keyed::LAST_DATE,
        Column::count(
            "endpoints",
            Unit::Items,
            "Its endpoints with attempts in the 7 days of `health_now`, of models of `models`.",
        ),
        Column::count("models", Unit::Items, "Models of those endpoints."),
        Column::new(
            "is_active",
            Type::Flag,
            Unit::None,
            "Whether it has such an endpoint, or usage under its name in the 7 days to today.",
        ),
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: include_str!("providers.sql"),
    inputs: &[
        TableId::HealthDaily,
        TableId::Declared(&usage_by_day::TABLE),
        TableId::Declared(&health_now::TABLE),
        TableId::Declared(&models::TABLE),
    ],
    touched: |date| date..=date,
};
