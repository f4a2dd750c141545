//! Health of now.

#[cfg(test)]
mod tests;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use datafusion::common::cast::as_int64_array;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::health::{self, BEFORE, FIGURES, GATE, KEYS, MIX, SPEEDS, UPTIME};
use crate::{History, Lane, Metric};

/// The longest window, minutes.
pub(crate) const LONGEST: i64 = 10_080;

const MOVED: &str = include_str!("moved.sql");

/// The longest window whose rows in the session's `health_now` are not of now.
pub(crate) async fn longest_moved(ctx: &SessionContext) -> Result<i64, DataFusionError> {
    let batches = ctx.sql(MOVED).await?.collect().await?;
    let longest =
        batches.iter().find(|batch| batch.num_rows() > 0).map(|batch| as_int64_array(batch.column(0)));
    Ok(longest.transpose()?.map_or(LONGEST, |longest| longest.value(0)))
}

/// How far back its windows and those before them reach.
const DAYS: u64 = 15;

const PERIOD: &[Column] = &[
    Column::count(
        "window_minutes",
        Unit::None,
        "Length of the window in minutes: 5 or 30, as soon as can be; 360 (6 hours) or 1440 (a day), every five minutes; or \
         10080 (7 days), hourly.",
    ),
    Column::new("starts_at", Type::Instant, Unit::None, "Start of the window."),
    Column::new(
        "ends_at",
        Type::Instant,
        Unit::None,
        "End of the window, exclusive: the end of the newest complete five minutes, for 7 days of the newest complete hour. What \
         is complete is judged so that time-outs of an outage are in.",
    ),
];

const STATE: &[Column] = &[
    Column::text(
        "state",
        "Of the key, by its last 30 minutes, the same beside every window: `operational` from an uptime of 0.95, `degraded` \
         from 0.8, else `down`; `no_data` without an uptime.",
    ),
    Column::ratio("state_uptime", "Uptime of the last 30 minutes, which makes the state.")
        .null_when("The state is `no_data`."),
    Column::count("state_counted", Unit::Attempts, "Counted attempts of the last 30 minutes."),
    Column::text("state_reason", "Why there is no state: `not_enough`.")
        .null_when("The state is not `no_data`."),
];

const PARTS: &[&[Column]] = &[PERIOD, KEYS, STATE, UPTIME, BEFORE, MIX, FIGURES, SPEEDS];

/// Its statement gives all windows at the watermark, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "health_now",
    grain: "window_minutes × dimension × key",
    meaning: "How endpoints, models at providers, providers and models do now: state, uptime against the equal window before, \
              errors, usable answers, speed. What a router needs to choose.",
    audience: Audience::Everyone,
    partition: None,
    stats: &[],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Whole,
    lane: Lane::Fast,
    sql: concat!(
        include_str!("health_now.sql"),
        include_str!("../health/merged.sql"),
        include_str!("../health/figures.sql"),
        include_str!("../health/speeds.sql"),
        include_str!("state.sql"),
    ),
    inputs: &[TableId::Health5m, TableId::HealthHourly, TableId::HealthDaily, GATE],
    touched: |date| health::with_days_after(date, DAYS),
};
