//! What fallback routing added lately.

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Unit};

use crate::health::{self, GATE};
use crate::routing::{BEST, FIGURES, KEYS};
use crate::{History, Lane, Metric};

/// Of its longest window.
const DAYS: u64 = 28;

const PERIOD: &[Column] = &[
    Column::date("end_date", "Last day of the window: yesterday, UTC."),
    Column::count("window_days", Unit::Days, "Length of the window: 1, 7 or 28."),
];

const PARTS: &[&[Column]] = &[PERIOD, KEYS, FIGURES, BEST];

/// Its statement gives all windows to yesterday, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "routing_now",
    grain: "window_days × dimension × key",
    meaning: "What fallback added to each model: the share of requests that ended ok, the share of those same requests that would have without it, and the uptime of its best provider; over the 1, 7 and 28 days to yesterday.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Slow,
    sql: concat!(
        include_str!("routing_now.sql"),
        include_str!("../routing/days.sql"),
        include_str!("../routing/merged.sql"),
    ),
    inputs: &[TableId::RoutingHourly, TableId::HealthDaily, GATE],
    touched: |date| health::with_days_after(date, DAYS),
};
