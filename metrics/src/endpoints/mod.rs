//! Where models are served, as published.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::{History, Lane, Metric, health_now, keyed, models, providers};

/// Its statement gives all rows, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "endpoints",
    grain: "model × variant × provider × endpoint × region",
    meaning: "Every place where a model of `models` was called at a provider of `providers`, as health knows it: an endpoint is told \
              because it was called at all, never how much.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &[
        Column::text("key", "As in tables of health, of dimension `endpoint`."),
        Column::text("endpoint", "The id that the router gives it.").null_when("The router gives none."),
        Column::text("model", "`author/model`, to join and filter by."),
        Column::text("variant", "`standard`, or another one of the model."),
        Column::text("author", "Who made the model.").null_when("The catalogue does not know the model."),
        Column::text("provider", "Who serves it."),
        Column::text("region", "Where it stands.").null_when("The router does not say."),
        keyed::DISPLAY_NAME,
        Column::date("first_seen", "Day (UTC) of its first attempt, of the whole history."),
        Column::date("last_seen", "Day of its last attempt."),
        Column::new("has_attempts_24h", Type::Flag, Unit::None, "Whether it is in the day of `health_now`."),
        Column::new(
            "has_attempts_7d",
            Type::Flag,
            Unit::None,
            "Whether it is in the 7 days of `health_now`.",
        ),
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: include_str!("endpoints.sql"),
    inputs: &[
        TableId::HealthDaily,
        TableId::Declared(&health_now::TABLE),
        TableId::Declared(&models::TABLE),
        TableId::Declared(&providers::TABLE),
    ],
    touched: |date| date..=date,
};
