//! How good the data are, day by day: what arrived and what became of it, and what is not known of what was used.
//!
//! Rows that stand are read: counts of labels are frozen, since the rows that they are counted of do not last.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use chrono::NaiveDate;

use crate::{History, Lane, Metric, health, keyed};

/// From the first day of a week of labels to the day on which they are frozen, 48 hours after its end.
const FROZEN_AFTER: u64 = 9;

const NOT_BY_SOURCE: &str = "Dimension `source`: rollups of usage and health know no source.";
const FROZEN: &str = "No labels were frozen on the date, or dimension `source`.";

pub const TABLE: Declaration = Declaration {
    name: "quality_by_day",
    grain: "date × dimension × key",
    meaning: "How good the data are. Two clocks: what arrived is counted by the day on which it arrived (UTC), by source and in \
              all; what is not known of requests and attempts by the day on which they began, in all alone.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &["date"],
    columns: &[
        keyed::MONTH,
        Column::date("date", "The day, UTC: of arrival or of the request, as each column says."),
        Column::text("dimension", "What the row is one of: `total` or `source`. Never add rows of both."),
        Column::text("key", "The source, or `total`."),
        Column::text("kind", "`key`: a source. `total`: everything."),
        Column::text("source", "The format in which records came; `unknown` where none could be told.")
            .null_when("Dimension `total`."),
        Column::new("is_partial", Type::Flag, Unit::None, "Whether the day is still running."),
        rows("rows_added", "Attempts that arrived and were added, by day of arrival."),
        rows("duplicates", "Attempts that were dropped because they had arrived before, by day of arrival."),
        rows(
            "rejects",
            "Records that were refused, by the day on which the others of their batch were added.",
        ),
        rows(
            "rejects_malformed_json",
            "Records refused because they are no JSON; this and the further reasons by the day on which the record was received, \
             which may be another one than that of `rejects`.",
        ),
        rows("rejects_wrong_type", "Records refused because a member has another type than its format says."),
        rows("rejects_missing_field", "Records refused because a member is missing."),
        rows(
            "rejects_missing_identity",
            "Records refused because what tells them from all others is missing or cannot be read.",
        ),
        rows("rejects_invalid_value", "Records refused because a value cannot be."),
        rows("rejects_time_out_of_range", "Records refused because they are too old, or of the future."),
        rows("rejects_too_large", "Records refused because of their size."),
        rows("rejects_not_utf8", "Records refused because they are no UTF-8."),
        rows("rejects_truncated", "Records refused because they end too early."),
        rows("rejects_unknown_format", "Records refused because their format could not be told."),
        rows("rejects_gap", "Runs of records that were deleted before they could be read."),
        rows("rejects_other", "Records refused for a reason of another version of this program."),
        requests("requests", "Served requests, by their own day."),
        of_requests("tokens", Unit::Tokens, "Input and output tokens of served requests."),
        requests("unpriced_requests", "Served requests whose price neither the log nor the catalogue knows."),
        of_requests("unpriced_tokens", Unit::Tokens, "Tokens of served requests without a known price."),
        requests("requests_without_user", "Served requests that carry no id of a user."),
        requests(
            "unmapped_requests",
            "Served requests of a model that the catalogue does not know, or of none.",
        ),
        attempts("attempts", "Attempts at providers, by their own day."),
        attempts(
            "unmapped_model_attempts",
            "Attempts with a name for the model that the catalogue does not know.",
        ),
        attempts(
            "unmapped_provider_attempts",
            "Attempts with a name or a host for the provider that the catalogue does not know.",
        ),
        Column::date(
            "labels_week",
            "First day of the week whose labels were frozen on the date, 48 hours after the end of the week.",
        )
        .null_when(FROZEN),
        Column::count(
            "labelled_requests",
            Unit::Requests,
            "Requests of that week that were drawn and labelled.",
        )
        .null_when(FROZEN),
        Column::ratio(
            "labels_coverage",
            "Of the labelled tokens of that week, the share whose natural language is known; in thousandths.",
        )
        .null_when("As `labels_week`, or no labelled request has tokens."),
    ],
};

/// The table itself is no input: of what stands, only the labels of the very date are taken.
pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: include_str!("quality_by_day.sql"),
    inputs: &[
        TableId::IntakeDaily,
        TableId::Rejects,
        TableId::UsageDaily,
        TableId::HealthDaily,
        TableId::LabelCells,
    ],
    touched,
};

const fn rows(name: &'static str, meaning: &'static str) -> Column {
    Column::count(name, Unit::Rows, meaning)
}

const fn of_requests(name: &'static str, unit: Unit, meaning: &'static str) -> Column {
    Column::count(name, unit, meaning).null_when(NOT_BY_SOURCE)
}

const fn requests(name: &'static str, meaning: &'static str) -> Column {
    of_requests(name, Unit::Requests, meaning)
}

const fn attempts(name: &'static str, meaning: &'static str) -> Column {
    of_requests(name, Unit::Attempts, meaning)
}

/// Rows of labels have the first day of their week, which is told on the day that they are frozen.
fn touched(date: NaiveDate) -> RangeInclusive<NaiveDate> {
    health::with_days_after(date, FROZEN_AFTER)
}
