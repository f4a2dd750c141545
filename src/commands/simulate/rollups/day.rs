//! The rows of one date, from five minutes up: what a table has of it is the sum of what a finer one has.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use bellwether_simulate::{Market, Place, Tally};
use bellwether_warehouse::tables::rollup::{Grain, Made, Rollup};
use bellwether_warehouse::{DataFile, Table, TableId};
use chrono::NaiveDate;
use datafusion::arrow::array::RecordBatch;

use super::extent::Extent;
use super::rows::{Period, Rows};

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
        make(&market, date, extent, &mut slice)
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
    date: NaiveDate,
    extent: Extent,
    slice: &mut dyn FnMut(TableId, RecordBatch) -> anyhow::Result<()>,
) -> anyhow::Result<i64> {
    let mut tables = Vec::new();
    let made = |rollup: &Rollup| rollup.family.made != Made::FromCommits && super::is_made(rollup);
    for rollup in super::rollups().filter(made) {
        if extent.has(rollup.level.table, date) {
            tables.push((rollup, Rows::new(rollup)?));
        }
    }
    let mut put = |minutes: i64, minute: i64, tallies: &[Tally]| -> anyhow::Result<()> {
        for (rollup, rows) in tables.iter_mut().filter(|table| table.0.level.grain.minutes() == Some(minutes))
        {
            let by_model =
                (rollup.family.made == Made::Recomputed).then(|| by_model(market.places(), tallies));
            for (place, tally) in by_model.as_deref().unwrap_or(tallies).iter().enumerate() {
                rows.push(market, place, &[Period { minute, minutes, tally }]);
                if rows.is_full() {
                    slice(rollup.level.table, rows.finish(market)?)?;
                }
            }
        }
        Ok(())
    };
    let of_day = count(market, date, extent, &mut put)?;
    for (rollup, rows) in tables.iter_mut().filter(|(rollup, _)| is_last(*rollup, date, extent)) {
        let first = rollup.level.grain.date(date).max(extent.first());
        let mut days = Vec::new();
        for day in first.iter_days().take_while(|day| *day < date) {
            days.push((minute(day), count(market, day, extent, &mut |_, _, _| Ok(()))?));
        }
        days.push((minute(date), of_day.clone()));
        for place in 0..market.places().len() {
            let periods = days.iter().filter_map(|(minute, tallies)| {
                Some(Period { minute: *minute, minutes: DAY, tally: tallies.get(place)? })
            });
            rows.push(market, place, &periods.collect::<Vec<_>>());
            if rows.is_full() {
                slice(rollup.level.table, rows.finish(market)?)?;
            }
        }
    }
    for (rollup, mut rows) in tables {
        if !rows.is_empty() {
            slice(rollup.level.table, rows.finish(market)?)?;
        }
    }
    Ok(of_day.iter().map(|tally| tally.attempts + tally.gateway_cache_hits).sum())
}

/// Is shown tallies of every place: the length of their period in minutes, its first minute, and they.
type Put<'a> = &'a mut dyn FnMut(i64, i64, &[Tally]) -> anyhow::Result<()>;

/// The tallies of a day, from the finest that there are, all of which `put` is shown.
fn count(market: &Market, date: NaiveDate, extent: Extent, put: Put<'_>) -> anyhow::Result<Vec<Tally>> {
    let is_fine = super::rollups()
        .any(|rollup| rollup.level.grain == Grain::FiveMinutes && extent.has(rollup.level.table, date));
    let mut of_day = nothing(market);
    for hour in 0..24 {
        let at = minute(date) + hour * HOUR;
        let mut of_hour = nothing(market);
        match is_fine {
            true => {
                for minute in (at..at + HOUR).step_by(FIVE as usize) {
                    let tallies = market.count(minute, FIVE);
                    put(FIVE, minute, &tallies)?;
                    add(&mut of_hour, &tallies);
                }
            }
            false => of_hour = market.count(at, HOUR),
        }
        put(HOUR, at, &of_hour)?;
        add(&mut of_day, &of_hour);
    }
    put(DAY, minute(date), &of_day)?;
    Ok(of_day)
}

/// The first of a day since 1970.
fn minute(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * DAY
}

/// Whether a bucket of several days ends with the date, or is cut off there.
fn is_last(rollup: Rollup, date: NaiveDate, extent: Extent) -> bool {
    let under = |date| rollup.level.grain.date(date);
    let next = date.succ_opt().filter(|next| *next <= extent.end);
    !rollup.level.grain.is_of_one_day() && next.is_none_or(|next| under(next) != under(date))
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
