//! What models cost by the list, and since when.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::{History, Lane, Metric, keyed, models, providers};

/// Its statement gives all rows, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "prices",
    grain: "key × valid_from",
    meaning: "What models cost at providers by the list of the catalogue, with the days on which that held: for requests of no \
              service tier and of no length that pays another price, which the list may know, too. Attempts whose log tells no \
              price are priced by it. Empty while the catalogue has no prices: what was paid on average is told by \
              `effective_price` of `rankings`, and no list price can be made of it.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &[
        Column::text(
            "key",
            "`author/model@provider`, with `:` and the variant behind the model but for the standard one; without `@` and a provider \
             where the price holds wherever no other one says otherwise.",
        ),
        Column::text("model", "`author/model`, to join and filter by."),
        Column::text("variant", "`standard`, or another one of the model."),
        Column::text("author", "Who made the model.").null_when("The catalogue does not know."),
        Column::text("provider", "Who charges it.")
            .null_when("It holds wherever no other one says otherwise."),
        keyed::DISPLAY_NAME,
        Column::date("valid_from", "First day, UTC.").null_when("It is not known since when it holds."),
        Column::date("valid_to", "Last day, inclusive.").null_when("It holds still."),
        Column::new("is_current", Type::Flag, Unit::None, "Whether it holds today."),
        per_million("input_price", "Prompt tokens that no cache had.", "No such price is known."),
        per_million(
            "cached_input_price",
            "Prompt tokens that the provider read from its cache.",
            "No such price is known: `input_price` holds for them.",
        ),
        per_million(
            "cache_write_price",
            "Prompt tokens that the provider wrote to its cache.",
            "No such price is known: `input_price` holds for them.",
        ),
        per_million("output_price", "Completion tokens, reasoning included.", "No such price is known."),
        Column::new("request_price", Type::Money, Unit::Usd, "For a request, whatever its tokens.")
            .null_when("Requests as such cost nothing that is known."),
        Column::text("price_source", "Where it is known from: `catalogue`."),
    ],
};

/// It follows the catalogue alone: its names are those of the tables of names.
pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: include_str!("prices.sql"),
    inputs: &[TableId::Declared(&models::TABLE), TableId::Declared(&providers::TABLE)],
    touched: |date| date..=date,
};

const fn per_million(name: &'static str, meaning: &'static str, when: &'static str) -> Column {
    Column::new(name, Type::Money, Unit::UsdPerMillionTokens, meaning).null_when(when)
}
