//! Shares by ISO week: the history of who leads.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use chrono::{Datelike, Days, NaiveDate};

use crate::revisions::REVISION;
use crate::{History, Lane, Metric, gate, keyed, measures, usage_by_day};

pub const TABLE: Declaration = Declaration {
    name: "share_by_week",
    grain: "week_start × dimension × key",
    meaning: "Usage of ISO weeks (Monday to Sunday, UTC) and shares of it: sums of the days in `usage_by_day`, so days on which a \
              name was hidden are in the row `hidden`.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &["week_start"],
    columns: &[
        keyed::MONTH,
        Column::date("week_start", "Monday of the week."),
        Column::new(
            "is_partial",
            Type::Flag,
            Unit::None,
            "Whether a day of the week is still to close or was before the history: not to be joined to whole weeks in a chart.",
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
        REVISION,
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: concat!(include_str!("share_by_week.sql"), include_str!("../shares.sql"), include_str!("dated.sql")),
    inputs: &[TableId::UsageDaily, TableId::Declared(&gate::TABLE), TableId::Declared(&usage_by_day::TABLE)],
    touched,
};

/// Rows are dated by their Monday.
pub(crate) fn touched(date: NaiveDate) -> RangeInclusive<NaiveDate> {
    let into = u64::from(date.weekday().num_days_from_monday());
    let monday = date.checked_sub_days(Days::new(into)).unwrap_or(date);
    monday..=monday
}
