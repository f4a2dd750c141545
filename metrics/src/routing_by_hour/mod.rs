//! What fallback routing added, by hour.

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};

use crate::health::{self, GATE, PARTIAL};
use crate::routing::{FIGURES, KEYS};
use crate::{History, Lane, Metric};

const PERIOD: &[Column] = &[
    Column::date("date", "Day of `hour`, UTC."),
    Column::new("hour", Type::Instant, Unit::None, "Start of the hour in which the first attempt began."),
];

const PARTS: &[&[Column]] = &[PERIOD, PARTIAL, KEYS, FIGURES];

pub const TABLE: Declaration = Declaration {
    name: "routing_by_hour",
    grain: "hour × dimension × key",
    meaning: "What fallback added to each model: the share of requests that ended ok, the share of those same requests that would have without it; hour by hour. The newest two hours are provisional: attempts may still join their requests.",
    audience: Audience::Everyone,
    partition: Some("date"),
    stats: &["hour"],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Recent,
    lane: Lane::Slow,
    sql: concat!(include_str!("routing_by_hour.sql"), include_str!("../routing/merged.sql"),),
    inputs: &[TableId::RoutingHourly, TableId::HealthDaily, GATE],
    touched: |date| date..=date,
};
