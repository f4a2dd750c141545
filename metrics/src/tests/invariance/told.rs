//! Which columns may tell that something is hidden, and how much.

use super::SECRET;
use super::tried::RULED_AT;
use crate::testing::{Row, Value};

/// In what the two worlds of a pair differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    Names,
    Amounts,
}

/// Rows of everything and of what is hidden have other amounts where these are other ones. What stays: who the row is, when,
/// and all that is counted of names and their users alone.
const STAYS: [&str; 24] = [
    "month",
    "date",
    "end_date",
    "week_start",
    "hour",
    "window_days",
    "is_partial",
    "dimension",
    "key",
    "kind",
    "model",
    "variant",
    "author",
    "provider",
    "source",
    "display_name",
    "users",
    "users_reason",
    "users_share",
    "users_before",
    "active_models",
    "active_models_100",
    "new_models",
    "revision",
];

/// Of everything, hidden amounts included.
const SHARES: [&str; 6] = [
    "tokens_share",
    "requests_share",
    "spend_share",
    "tokens_share_before",
    "requests_share_before",
    "spend_share_before",
];

/// Whether a name was hidden on a day before, in a window that now shows it: a change against what may not be told is none.
const BEFORE: [&str; 16] = [
    "tokens_before",
    "requests_before",
    "spend_usd_before",
    "tokens_share_before",
    "requests_share_before",
    "spend_share_before",
    "tokens_change",
    "tokens_change_reason",
    "requests_change",
    "requests_change_reason",
    "spend_change",
    "spend_change_reason",
    "users_change",
    "users_change_reason",
    "tokens_excess",
    "tokens_excess_reason",
];

/// What is counted of all requests and attempts of a day.
const QUALITY: [&str; 9] = [
    "requests",
    "tokens",
    "unpriced_requests",
    "unpriced_tokens",
    "requests_without_user",
    "unmapped_requests",
    "attempts",
    "unmapped_model_attempts",
    "unmapped_provider_attempts",
];

fn may_differ(table: &str, row: &Row, difference: Difference, column: &str) -> bool {
    let is_of_kind = |kind: &str| row.get("kind").is_some_and(|value| *value == Value::Text(kind.to_owned()));
    match (difference, table) {
        (Difference::Names, "rankings") => is_of_kind("key") && BEFORE.contains(&column),
        // Who was used before under hidden rows is no new one.
        (Difference::Names, "growth_by_month") => is_of_kind("total") && column == "new_models",
        (Difference::Names, _) => false,
        (Difference::Amounts, "usage_by_day") => {
            (is_of_kind("hidden") || is_of_kind("total")) && !STAYS.contains(&column)
        }
        (Difference::Amounts, "rankings" | "share_by_week" | "growth_by_month") => {
            if is_of_kind("hidden") || is_of_kind("total") {
                !STAYS.contains(&column)
            } else {
                SHARES.contains(&column)
            }
        }
        (Difference::Amounts, "routing_by_day" | "routing_by_hour" | "routing_now") => {
            is_of_kind("total") && !STAYS.contains(&column)
        }
        (Difference::Amounts, "quality_by_day") => is_of_kind("total") && QUALITY.contains(&column),
        (Difference::Amounts, "live_by_minute") => column != "minute_at",
        (Difference::Amounts, _) => false,
    }
}

/// Whether a row is compared. See [`RULED_AT`].
pub(super) fn is_compared(table: &str, row: &Row) -> bool {
    let is_of_attempts = ["health_", "speed_", "routing_"].iter().any(|kind| table.starts_with(kind));
    let is_ruled = |column: &str, is_ruled: fn(&str) -> bool| match row.get(column) {
        Some(Value::Text(name)) => is_ruled(name),
        _ => false,
    };
    let of_rule = is_ruled("model", |name| name.contains('/') && name.contains(SECRET));
    !is_of_attempts || !(of_rule || is_ruled("provider", |name| name == RULED_AT))
}

/// Whether anything of a table may differ.
pub(super) fn is_cut(table: &str, difference: Difference) -> bool {
    let is_of_windows = ["rankings", "growth_by_month"].contains(&table);
    let is_of_amounts =
        ["usage_by_day", "share_by_week", "quality_by_day", "live_by_minute"].contains(&table);
    is_of_windows || difference == Difference::Amounts && (is_of_amounts || table.starts_with("routing_"))
}

/// A row without what may differ.
pub(super) fn line(table: &str, row: &Row, difference: Difference) -> String {
    row.text_without(|column| may_differ(table, row, difference, column))
}
