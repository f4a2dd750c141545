//! Test rows, small commits, and a clock and dice to be set, for the tests of every crate that writes or reads tables.

mod aging;
mod world;

use arrow::array::RecordBatch;

use crate::commit::{Change, CommitError, Committed};
use crate::table::Table;
use crate::tables::attempts::{AttemptRow, Builder};

pub use aging::Aging;
pub use world::{SeededDice, SetClock};

/// Noon of 25 November 2026, UTC, in µs.
pub const NOON_US: i64 = 1_795_608_000_000_000;
pub const HOUR_US: i64 = 3_600_000_000;
pub const DAY_US: i64 = 24 * HOUR_US;

/// A served, streamed, priced chat request at `NOON_US`; change what a test is about.
pub fn attempt(event_id: &str) -> AttemptRow<'_> {
    AttemptRow {
        event_id,
        request_id: Some(event_id),
        attempt: Some(0),
        is_final: Some(true),
        started_at: NOON_US,
        ingested_at: NOON_US + 1_000_000,
        model_id: Some("acme/one"),
        variant: Some("standard"),
        author: Some("acme"),
        provider_id: Some("north"),
        endpoint_id: Some("north/one"),
        region: Some("eu-west"),
        requested_model: Some("acme/one"),
        raw_model: Some("acme/one"),
        raw_provider: Some("North"),
        router: Some("direct"),
        operation: Some("chat"),
        streamed: Some(true),
        user_key: Some(7),
        input_tokens: Some(1_000),
        cached_input_tokens: Some(400),
        output_tokens: Some(200),
        cost_usd: Some(1_500_000),
        price_source: Some("logged"),
        overhead_us: Some(900),
        ttft_ms: Some(300),
        duration_ms: Some(2_300),
        outcome: "ok",
        http_status: Some(200),
        finish_reason: Some("stop"),
        source: "native",
        src_topic: "events",
        ..AttemptRow::default()
    }
}

pub fn batch(rows: &[AttemptRow<'_>]) -> RecordBatch {
    let mut builder = Builder::default();
    for row in rows {
        builder.push(row);
    }
    builder.finish()
}

/// Writes and commits rows without any application transaction.
pub async fn append(table: &mut Table, rows: &RecordBatch) -> Result<Committed, CommitError> {
    let name = table.id().name();
    let add = table
        .write(std::slice::from_ref(rows))
        .await
        .map_err(|source| CommitError::Log { table: name, source })?;
    table.commit(Change { add, ..Change::default() }).await
}
