//! Which apps may be named, day by day, as `gate` says it of models and providers: from the distinct users of an app's public
//! cells in the 28 days to that day.
//!
//! Closed days alone: the running one follows the last of them, so that nothing is merged again whenever something comes.

#[cfg(test)]
pub(crate) mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::gate::DAYS;
use crate::{History, Lane, Metric, gate, health, keyed};

pub const TABLE: Declaration = Declaration {
    name: "app_gate",
    grain: "date × key",
    meaning: "Whether public amounts may stand under the name of an app on a day. Closed days alone, which open ones follow; \
              of a history without a closed day, those there are.",
    audience: Audience::Operators,
    partition: Some("month"),
    stats: &["date"],
    columns: &[
        keyed::MONTH,
        Column::date("date", "The day."),
        Column::text("key", "The app, as senders name it."),
        Column::count(
            "users",
            Unit::Users,
            "Distinct users of its public cells in the 28 days to the date, estimated.",
        ),
        Column::count("requests", Unit::Requests, "Served requests, counted as the users are."),
        Column::count("requests_with_user", Unit::Requests, "Those of them that carry the id of a user."),
        Column::new("is_public", Type::Flag, Unit::None, "Whether it may be named."),
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Recent,
    lane: Lane::Slow,
    sql: include_str!("app_gate.sql"),
    inputs: &[TableId::AppDaily, TableId::UsageDaily, TableId::Declared(&gate::TABLE)],
    touched: |date| health::with_days_after(date, DAYS - 1),
};
