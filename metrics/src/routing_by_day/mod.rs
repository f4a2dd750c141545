//! What fallback routing added, by day.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration};

use crate::health::{self, GATE, PARTIAL};
use crate::revisions::REVISION;
use crate::routing::{BEST, FIGURES, KEYS};
use crate::{Lane, Metric, SHOWN};

const PERIOD: &[Column] = &[
    Column::date("month", "First day of the month of `date`."),
    Column::date("date", "The day, UTC, in which the first attempt began."),
];

const PARTS: &[&[Column]] = &[PERIOD, PARTIAL, KEYS, FIGURES, BEST, &[REVISION]];

pub const TABLE: Declaration = Declaration {
    name: "routing_by_day",
    grain: "date × dimension × key",
    meaning: "What fallback added to each model: the share of requests that ended ok, the share of those same requests that would have without it, and the uptime of its best provider; day by day.",
    audience: Audience::Everyone,
    partition: Some("month"),
    stats: &["date"],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: SHOWN,
    lane: Lane::Slow,
    sql: concat!(
        include_str!("routing_by_day.sql"),
        include_str!("../routing/days.sql"),
        include_str!("../routing/merged.sql"),
    ),
    inputs: &[TableId::RoutingHourly, TableId::HealthDaily, GATE],
    touched: |date| date..=date,
};
