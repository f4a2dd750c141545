//! Apps as published.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::{History, Lane, Metric, app_gate, gate};

/// Its statement gives all rows, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "apps",
    grain: "app",
    meaning: "Every app that was public on some day: that had enough users of models that may be named. No catalogue knows apps, so \
              that others are named nowhere.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &[
        Column::text("key", "The app, as in every table of dimension `app`: as its requests name it."),
        Column::text("app", "The same, to join and filter by."),
        Column::text("display_name", "The name to show: the key."),
        Column::date(
            "first_date",
            "First day with usage under its name. Where names need users, of the 35 days before the first publication at most, \
             and of all since.",
        ),
        Column::date("last_date", "Last day with usage under its name."),
        Column::count(
            "models",
            Unit::Items,
            "Models that it used under its and their name in the 7 days to today.",
        ),
        Column::new("is_active", Type::Flag, Unit::None, "Whether there is such a model."),
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: include_str!("apps.sql"),
    inputs: &[
        TableId::AppDaily,
        TableId::UsageDaily,
        TableId::Declared(&gate::TABLE),
        TableId::Declared(&app_gate::TABLE),
    ],
    touched: |date| date..=date,
};
