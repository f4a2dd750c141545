//! Speed by hour, where there is enough of it.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::health::{self, GATE, KEYS, PARTIAL, SPEEDS};
use crate::{History, Lane, Metric};

const PERIOD: &[Column] = &[
    Column::date("date", "Day of `hour`, UTC."),
    Column::new("hour", Type::Instant, Unit::None, "Start of the hour."),
];

const PARTS: &[&[Column]] = &[PERIOD, PARTIAL, KEYS, SPEEDS];

pub const TABLE: Declaration = Declaration {
    name: "speed_by_hour",
    grain: "hour × dimension × key",
    meaning: "How fast endpoints, models at providers, providers and models were, hour by hour; kept for 100 days. A row exists \
              where at least one measure has enough samples for a percentile.",
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
        include_str!("speed_by_hour.sql"),
        include_str!("../health/merged.sql"),
        include_str!("../health/figures.sql"),
        include_str!("../health/speeds.sql"),
        include_str!("enough.sql"),
    ),
    inputs: &[TableId::HealthHourly, GATE],
    touched: |date| date..=date,
};
