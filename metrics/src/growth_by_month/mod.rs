//! Growth by calendar month: how much, of whom, how concentrated, and what is new.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use chrono::{Datelike, Months, NaiveDate};

use crate::measures::reason;
use crate::revisions::REVISION;
use crate::{History, Lane, Metric, gate, keyed, measures, usage_by_day};

const NOT_TOTAL: &str = "Dimensions other than `total`.";
const WHY: &str = "In dimension `total`, why it is null. `no_history`: the history does not hold all of the month that it is compared \
                   with. `not_enough`: the month is still running, or there was nothing to compare with.";

pub const TABLE: Declaration = Declaration {
    name: "growth_by_month",
    grain: "month × dimension × key",
    meaning: "Usage of calendar months (UTC) and shares of it: sums of the days in `usage_by_day`, so days on which a name was hidden \
              are in the row `hidden`. The row of dimension `total` also tells of all models together.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &[],
    columns: &[
        Column::date("month", "First day of the month."),
        Column::new(
            "is_partial",
            Type::Flag,
            Unit::None,
            "Whether a day of the month is still to close or was before the history: not to be joined to whole months in a chart.",
        ),
        keyed::DIMENSION,
        keyed::KEY,
        keyed::KIND,
        keyed::MODEL,
        keyed::VARIANT,
        keyed::AUTHOR,
        keyed::PROVIDER,
        keyed::DISPLAY_NAME,
        measures::TOKENS,
        measures::REQUESTS,
        measures::SPEND_USD,
        measures::SPEND_REASON,
        measures::USERS,
        measures::USERS_REASON,
        measures::TOKENS_SHARE,
        measures::REQUESTS_SHARE,
        measures::SPEND_SHARE,
        measures::USERS_SHARE,
        measures::TOKENS_RANK,
        Column::count("active_models", Unit::Items, "Named models with at least one request in the month.")
            .null_when(NOT_TOTAL),
        Column::count("active_models_100", Unit::Items, "Named models with at least 100 requests in the month.")
            .null_when(NOT_TOTAL),
        Column::count(
            "new_models",
            Unit::Items,
            "Models named in the month whose first request of all, hidden ones included, lies in it.",
        )
        .null_when("Dimensions other than `total`, and the first month of the history, in which all are new."),
        Column::new(
            "author_hhi",
            Type::Real,
            Unit::None,
            "Herfindahl–Hirschman index of authors: the sum of their squared `tokens_share` times 10,000; 10,000 is one author alone. \
             Hidden tokens are part of the whole, but add nothing.",
        )
        .null_when("Dimensions other than `total`, and months without tokens."),
        Column::new("provider_hhi", Type::Real, Unit::None, "The same of providers.")
            .null_when("Dimensions other than `total`, and months without tokens."),
        growth("tokens_growth", "`tokens` over those of the month before, minus 1; months differ in length."),
        reason("tokens_growth_reason", WHY),
        growth("requests_growth", "`requests` over those of the month before, minus 1."),
        reason("requests_growth_reason", WHY),
        growth("tokens_growth_6m", "Geometric mean of the growth of `tokens` in the six months that end with this one."),
        reason("tokens_growth_6m_reason", WHY),
        growth("requests_growth_6m", "Geometric mean of the growth of `requests` in the six months that end with this one."),
        reason("requests_growth_6m_reason", WHY),
        REVISION,
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: concat!(
        include_str!("growth_by_month.sql"),
        include_str!("../shares.sql"),
        include_str!("growth.sql")
    ),
    inputs: &[TableId::UsageDaily, TableId::Declared(&gate::TABLE), TableId::Declared(&usage_by_day::TABLE)],
    touched,
};

/// Not bounded by 1.
const fn growth(name: &'static str, meaning: &'static str) -> Column {
    Column::ratio(name, meaning)
        .null_when("Dimensions other than `total`, and what the reason beside it says.")
}

/// Months that are compared with one: growth ends after six, but a model is new in one month alone, however much later the
/// next is. More than any history has.
const MONTHS_AFTER: u32 = 120;

/// Rows are dated by the first of their month.
fn touched(date: NaiveDate) -> RangeInclusive<NaiveDate> {
    let first = date.with_day(1).unwrap_or(date);
    first..=first.checked_add_months(Months::new(MONTHS_AFTER)).unwrap_or(NaiveDate::MAX)
}
