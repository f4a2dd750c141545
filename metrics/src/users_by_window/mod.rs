//! Distinct users of windows, apart from `rankings`: sketches take more memory than all else there.

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Unit};

use crate::windows::{self, Windows};
use crate::{History, Lane, Metric, gate, keyed};

/// Every name holds up to 4 KiB for each day of the windows that end daily and of those before them.
pub(crate) const WINDOWS: Windows = Windows { days_at_once: 31, back: 2, is_apart: true };

pub const TABLE: Declaration = Declaration {
    name: "users_by_window",
    grain: "end_date × window_days × dimension × key",
    meaning: "Distinct users of the windows of `rankings`, which repeats them. Hidden rows and `model_provider` are not counted.",
    audience: Audience::Operators,
    partition: Some("month"),
    stats: &["end_date"],
    columns: &[
        keyed::MONTH,
        Column::date("end_date", "Last day of the window, UTC."),
        Column::count("window_days", Unit::Days, "Days of the window."),
        keyed::DIMENSION,
        keyed::KEY,
        keyed::KIND,
        Column::count("users", Unit::Users, "Distinct users of the public cells of the row, by HyperLogLog.")
            .null_when("No request of the window carries the id of a user."),
        Column::count("users_before", Unit::Users, "The same of the equal window just before.")
            .null_when("No request of that window carries the id of a user."),
    ],
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Recent,
    lane: Lane::Slow,
    sql: include_str!("users_by_window.sql"),
    inputs: &[TableId::UsageDaily, TableId::Declared(&gate::TABLE)],
    // Half as far as rankings look back would do, but both are then of the same dates.
    touched: windows::touched,
};
