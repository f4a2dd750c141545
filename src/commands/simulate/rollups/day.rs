//! The rows of one date, from five minutes up: what a table has of it is the sum of what a finer one has.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use bellwether_simulate::{Market, Place, Tally};
use bellwether_warehouse::{DataFile, Table, TableId};
use chrono::NaiveDate;
use datafusion::arrow::array::RecordBatch;

use super::extent::Extent;
use super::rows::Rows;

const DAY: i64 = 1_440;
const HOUR: i64 = 60;
const FIVE: i64 = 5;

/// What became of one date.
pub struct Written {
    /// Days since 1970.
    pub number: i64,
    pub attempts: i64,
    pub files: BTreeMap<TableId, Vec<DataFile>>,
}

/// Makes the rows on a thread of their own and stores each slice while the next one is made.
pub async fn write(
    tables: Arc<BTreeMap<TableId, Table>>,
    market: Arc<Market>,
    extent: Extent,
    date: NaiveDate,
) -> anyhow::Result<Written> {
    let number = i64::from(date.to_epoch_days());
    let (sender, mut slices) = tokio::sync::mpsc::channel(1);
    let maker = tokio::task::spawn_blocking(move || {
        let mut slice =
            |table, batch| sender.blocking_send((table, batch)).context("hand over rows").map(drop);
        make(&market, number, |table| extent.has(table, date), &mut slice)
    });
    let mut files: BTreeMap<TableId, Vec<DataFile>> = BTreeMap::new();
    while let Some((id, batch)) = slices.recv().await {
        let table = tables.get(&id).with_context(|| format!("find the table `{}`", id.name()))?;
        files.entry(id).or_default().extend(table.write(&[batch]).await?);
    }
    Ok(Written { number, attempts: maker.await??, files })
}

/// Shows every slice of rows to `slice`; returns the attempts of the day.
fn make(
    market: &Market,
    day: i64,
    has: impl Fn(TableId) -> bool,
    slice: &mut dyn FnMut(TableId, RecordBatch) -> anyhow::Result<()>,
) -> anyhow::Result<i64> {
    let mut tables = BTreeMap::new();
    for table in super::rollups().filter(|table| *table != TableId::IntakeDaily && has(*table)) {
        tables.insert(table, Rows::new(table)?);
    }
    let fine = tables.contains_key(&TableId::Health5m);
    let mut put = |table: TableId, minute: i64, minutes: i64, tallies: &[Tally]| -> anyhow::Result<()> {
        let Some(rows) = tables.get_mut(&table) else { return Ok(()) };
        for (place, tally) in tallies.iter().enumerate() {
            rows.push(market, place, (minute, minutes), tally);
            if rows.is_full() {
                slice(table, rows.finish(market)?)?;
            }
        }
        Ok(())
    };
    let mut of_day = nothing(market);
    for hour in 0..24 {
        let at = day * DAY + hour * HOUR;
        let mut of_hour = nothing(market);
        match fine {
            true => {
                for minute in (at..at + HOUR).step_by(FIVE as usize) {
                    let tallies = market.count(minute, FIVE);
                    put(TableId::Health5m, minute, FIVE, &tallies)?;
                    add(&mut of_hour, &tallies);
                }
            }
            false => of_hour = market.count(at, HOUR),
        }
        put(TableId::UsageHourly, at, HOUR, &of_hour)?;
        put(TableId::HealthHourly, at, HOUR, &of_hour)?;
        put(TableId::RoutingHourly, at, HOUR, &by_model(market.places(), &of_hour))?;
        add(&mut of_day, &of_hour);
    }
    put(TableId::UsageDaily, day * DAY, DAY, &of_day)?;
    put(TableId::HealthDaily, day * DAY, DAY, &of_day)?;
    for (table, mut rows) in tables {
        if !rows.is_empty() {
            slice(table, rows.finish(market)?)?;
        }
    }
    Ok(of_day.iter().map(|tally| tally.attempts + tally.gateway_cache_hits).sum())
}

fn nothing(market: &Market) -> Vec<Tally> {
    vec![Tally::default(); market.places().len()]
}

fn add(sums: &mut [Tally], tallies: &[Tally]) {
    sums.iter_mut().zip(tallies).for_each(|(sum, tally)| sum.add(tally));
}

/// All of a model at the first of its places, which lie beside each other.
fn by_model(places: &[Place], tallies: &[Tally]) -> Vec<Tally> {
    let mut sums = vec![Tally::default(); tallies.len()];
    let mut first = 0;
    for (at, tally) in tallies.iter().enumerate() {
        if places.get(at).map(|place| &place.model_id) != places.get(first).map(|place| &place.model_id) {
            first = at;
        }
        if let Some(sum) = sums.get_mut(first) {
            sum.add(tally);
        }
    }
    sums
}
