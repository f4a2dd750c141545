//! Health by hour.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::health::{self, BEFORE, FIGURES, GATE, KEYS, MIX, PARTIAL, UPTIME};
use crate::{History, Lane, Metric};

const PERIOD: &[Column] = &[
    Column::date("date", "Day of `hour`, UTC."),
    Column::new("hour", Type::Instant, Unit::None, "Start of the hour."),
];

const PARTS: &[&[Column]] = &[PERIOD, PARTIAL, KEYS, UPTIME, BEFORE, MIX, FIGURES];

pub const TABLE: Declaration = Declaration {
    name: "health_by_hour",
    grain: "hour × dimension × key",
    meaning: "How endpoints, models at providers, providers and models did, hour by hour, against the hour before; kept for 100 \
              days. How fast they were is in `speed_by_hour`.",
    audience: Audience::Everyone,
    partition: Some("date"),
    stats: &["hour"],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Recent,
    lane: Lane::Slow,
    sql: concat!(
        include_str!("health_by_hour.sql"),
        include_str!("../health/merged.sql"),
        include_str!("../health/figures.sql"),
        include_str!("../health/counts.sql"),
    ),
    inputs: &[TableId::HealthHourly, GATE],
    // The first hour of the day after is compared with its last.
    touched: |date| health::with_days_after(date, 1),
};
