//! Health by day.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration};

use crate::health::{self, BEFORE, FIGURES, GATE, KEYS, MIX, PARTIAL, SPEEDS, UPTIME};
use crate::revisions::REVISION;
use crate::{Lane, Metric, SHOWN};

const PERIOD: &[Column] =
    &[Column::date("month", "First day of the month of `date`."), Column::date("date", "The day, UTC.")];

const PARTS: &[&[Column]] = &[PERIOD, PARTIAL, KEYS, UPTIME, BEFORE, MIX, FIGURES, SPEEDS, &[REVISION]];

pub const TABLE: Declaration = Declaration {
    name: "health_by_day",
    grain: "date × dimension × key",
    meaning: "How endpoints, models at providers, providers and models did, day by day: uptime against the day before, errors by \
              class, rate limits, usable answers, speed. A row exists where there was an attempt.",
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
        include_str!("health_by_day.sql"),
        include_str!("../health/days.sql"),
        include_str!("../health/merged.sql"),
        include_str!("../health/figures.sql"),
        include_str!("../health/speeds.sql"),
        "SELECT * FROM speeds",
    ),
    inputs: &[TableId::HealthDaily, GATE],
    // The day after is compared with it.
    touched: |date| health::with_days_after(date, 1),
};
