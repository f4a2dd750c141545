//! What a reader of curves has to know: when a model came, when a price changed, when numbers began to be made otherwise.
//!
//! Rows that stand are read: under which terms former days were published is known nowhere else that a statement can ask.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration};

use crate::{History, Lane, Metric, keyed, models, prices};

/// Its statement gives all rows, whatever dates are asked for: a late row may move a launch.
pub const TABLE: Declaration = Declaration {
    name: "events",
    grain: "date × event × key",
    meaning: "What happened: launches, changes of prices, breaks in method.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &[
        Column::date("date", "The day, UTC, on which it happened."),
        Column::text(
            "event",
            "`launch`: first day of a model with usage under its name; in the first 31 days of the history nobody can tell what is \
             new. `price`: first day of another price than the one before in `prices`. `method`: what is published is made under other \
             terms from that day's publications on: thresholds, profile, catalogue or statements; at first, that it is published at \
             all.",
        ),
        Column::text("dimension", "`model`, `variant` or `model_provider`; of breaks in method `total`."),
        Column::text("key", "Whom it concerns, spelled as everywhere; of breaks in method `total`."),
        Column::text("model", "`author/model`, to join and filter by.").null_when("Breaks in method."),
        Column::text("author", "Who made the model.")
            .null_when("Breaks in method, and models that the catalogue does not know."),
        Column::text("provider", "Who charges the price.")
            .null_when("Launches, breaks in method, and prices that hold at all providers."),
        keyed::DISPLAY_NAME,
        Column::text(
            "old_value",
            "Of prices, the former one in words. Of breaks in method, the fingerprint of the former terms, as in `publications`.",
        )
        .null_when("Launches, and the first publication."),
        Column::text(
            "new_value",
            "Of prices, the new one in words. Of breaks in method, the fingerprint of the new terms.",
        )
        .null_when("Launches."),
    ],
};

/// The table itself is no input: of what stands, only terms of former days are taken.
pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: include_str!("events.sql"),
    inputs: &[TableId::UsageDaily, TableId::Declared(&models::TABLE), TableId::Declared(&prices::TABLE)],
    touched: |date| date..=date,
};
