//! Health over windows of whole days.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Unit};

use crate::health::{self, BEFORE, FIGURES, GATE, KEYS, MIX, SPEEDS, UPTIME};
use crate::revisions::REVISION;
use crate::{History, Lane, Metric};

/// Days of the longest window and of the one before it.
const DAYS: u64 = 180;

const PERIOD: &[Column] = &[
    Column::date("month", "First day of the month of `end_date`."),
    Column::date("end_date", "Last day of the window, UTC."),
    Column::count("window_days", Unit::Days, "Length of the window: 7, 28, 30 or 90."),
    Column::count(
        "history_days",
        Unit::Days,
        "Days of the window that the history of the warehouse has. Fewer than `window_days`: the figures are those of so many \
         days. A day belongs to the history when it or one of the six days before it has an attempt of anyone.",
    ),
];

const PARTS: &[&[Column]] = &[PERIOD, KEYS, UPTIME, BEFORE, MIX, FIGURES, SPEEDS, &[REVISION]];

pub const TABLE: Declaration = Declaration {
    name: "health_by_window",
    grain: "end_date × window_days × dimension × key",
    meaning: "How endpoints, models at providers, providers and models did over the 7, 28, 30 and 90 days to each Sunday and to \
              the newest closed day, against the equal window before. Speed is that of windows up to 30 days.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &["end_date", "window_days"],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Weekly,
    lane: Lane::Slow,
    sql: concat!(
        include_str!("health_by_window.sql"),
        include_str!("../health/days.sql"),
        include_str!("../health/merged.sql"),
        include_str!("../health/figures.sql"),
        include_str!("../health/speeds.sql"),
        include_str!("shown.sql"),
    ),
    inputs: &[TableId::HealthDaily, GATE],
    touched: |date| health::with_days_after(date, DAYS - 1),
};
