//! Health of the last 24 hours by five minutes.

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use datafusion::common::ScalarValue;

use crate::health::{self, GATE, KEYS, MIX, UPTIME};
use crate::{History, Lane, Metric};

const PERIOD: &[Column] = &[
    Column::date("date", "Day of `bucket_at`, UTC."),
    Column::new("bucket_at", Type::Instant, Unit::None, "Start of the five minutes."),
];

const PARTS: &[&[Column]] = &[PERIOD, KEYS, UPTIME, MIX];

/// Its statement gives rows of the 24 hours to the newest complete bucket alone, whatever dates are asked for.
pub const TABLE: Declaration = Declaration {
    name: "health_by_5min",
    grain: "bucket_at × dimension × key",
    meaning: "How endpoints and providers did in the last 24 hours, by five minutes, complete ones only.",
    audience: Audience::Everyone,
    partition: Some("date"),
    stats: &["bucket_at"],
    columns: &health::joined::<{ health::length(PARTS) }>(PARTS),
};

pub const METRIC: Metric = Metric {
    table: &TABLE,
    history: History::Recent,
    lane: Lane::Fast,
    sql: concat!(
        include_str!("health_by_5min.sql"),
        include_str!("../health/merged.sql"),
        include_str!("../health/figures.sql"),
        include_str!("../health/counts.sql"),
        "WHERE dimension IN ('endpoint', 'provider')",
    ),
    inputs: &[TableId::Health5m, GATE],
    touched: |date| date..=date,
};

const BUCKET: TimeDelta = TimeDelta::minutes(5);

/// The instants of its buckets at a watermark.
pub(crate) fn window(watermark: DateTime<Utc>) -> Range<DateTime<Utc>> {
    let end = watermark.duration_trunc(BUCKET).unwrap_or(watermark);
    end - TimeDelta::days(1)..end
}

/// `$3` and `$4`.
pub(crate) fn values(instants: &Range<DateTime<Utc>>) -> Vec<ScalarValue> {
    let value = |at: DateTime<Utc>| {
        ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some(Arc::from("UTC")))
    };
    vec![value(instants.start), value(instants.end)]
}
