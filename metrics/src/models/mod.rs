//! The models of the catalogue as published.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::{History, Lane, Metric, health_now, keyed, usage_by_day};

const UNKNOWN: &str = "The catalogue does not know.";

/// Its statement gives all rows, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "models",
    grain: "model",
    meaning: "Every model of the catalogue, and those that a rule of it has given an author, once they were public. A model that was \
              never public is there with its facts and its health, and nothing tells of its use.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &[
        Column::text("key", "`author/model`, as in every table of dimension `model`."),
        Column::text("model", "The same, to join and filter by."),
        Column::text("author", "Who made the model.").null_when("The catalogue does not know the model."),
        Column::text(
            "author_name",
            "The name of the author to show, from the catalogue; `author` where it has none.",
        )
        .null_when("`author` is null."),
        keyed::DISPLAY_NAME,
        Column::new(
            "is_catalogued",
            Type::Flag,
            Unit::None,
            "Whether the catalogue has an entry for the very model.",
        ),
        Column::date("released_on", "The day on which its author released it.").null_when(UNKNOWN),
        Column::count("context_tokens", Unit::Tokens, "The longest prompt and answer together.")
            .null_when(UNKNOWN),
        Column::count("max_output_tokens", Unit::Tokens, "The longest answer.").null_when(UNKNOWN),
        Column::text("license", "Under which its weights may be used, by its SPDX name where it has one.")
            .null_when(UNKNOWN),
        flag("has_open_weights", "Whether everybody can have its weights."),
        flag("accepts_images", "Whether prompts may hold images."),
        flag("accepts_audio", "Whether prompts may hold audio."),
        flag("accepts_video", "Whether prompts may hold videos."),
        flag("makes_images", "Whether answers may hold images."),
        keyed::FIRST_DATE,
        keyed::LAST_DATE,
        Column::count(
            "endpoints",
            Unit::Items,
            "Endpoints with attempts in the 7 days of `health_now`, of providers that may be named.",
        ),
        Column::count("providers", Unit::Items, "Providers of those endpoints."),
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
    sql: include_str!("models.sql"),
    inputs: &[
        TableId::HealthDaily,
        TableId::Declared(&usage_by_day::TABLE),
        TableId::Declared(&health_now::TABLE),
    ],
    touched: |date| date..=date,
};

const fn flag(name: &'static str, meaning: &'static str) -> Column {
    Column::new(name, Type::Flag, Unit::None, meaning).null_when(UNKNOWN)
}
