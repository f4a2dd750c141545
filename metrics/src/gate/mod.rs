//! Which keys may be named, day by day: one decision per key and day, from the distinct users of the 28 days to that day,
//! which later days do not move.
//!
//! A day's rows are made of rollups alone: those of providers of the decisions of the days before, which come out the same
//! whenever they are made.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use chrono::{Days, NaiveDate};

use crate::{History, Lane, Metric, Step};

/// Days whose users count for a decision, its own included.
pub const DAYS: u64 = 28;

pub const TABLE: Declaration = Declaration {
    name: "gate",
    grain: "date × dimension × key",
    meaning: "Whether amounts of a key may stand under its name on a day, decided when it closes, two hours after its end. Until then it \
              follows the last closed one.",
    audience: Audience::Operators,
    partition: Some("month"),
    stats: &["date"],
    columns: &[
        Column::date("month", "First day of the month of `date`."),
        Column::date("date", "The day."),
        Column::text("dimension", "What `key` is a key of: `variant` or `provider`."),
        Column::text("key", "`author/model`, `author/model:free`, or the id of a provider."),
        Column::count(
            "users",
            Unit::Users,
            "Distinct users of the key in the 28 days to the date, estimated; on a day that has not closed those of the last that has. \
             Of a provider those of its public cells alone.",
        ),
        Column::count("requests", Unit::Requests, "Served requests, counted as the users are."),
        Column::count("requests_with_user", Unit::Requests, "Those of them that carry the id of a user."),
        Column::new("is_public", Type::Flag, Unit::None, "Whether it may be named."),
    ],
};

/// The decisions of variants, which those of providers and the rows themselves are made of.
pub(crate) const STEPS: &[Step] = &[Step { name: "decided_variants", sql: include_str!("variants.sql") }];

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: include_str!("gate.sql"),
    inputs: &[TableId::UsageDaily],
    touched,
};

/// A day moves the decisions of variants for as long as it counts, each of those as many decisions of providers, and two days
/// that have not closed may have those of the day before them.
fn touched(date: NaiveDate) -> RangeInclusive<NaiveDate> {
    date..=date.checked_add_days(Days::new(2 * DAYS)).unwrap_or(NaiveDate::MAX)
}
