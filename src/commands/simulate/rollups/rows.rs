//! Counts of places and periods as rows of a rollup, column by column after the table's own schema.

use std::sync::Arc;

use anyhow::Context;
use bellwether_simulate::{Market, Place, Speed, Tally};
use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::ddsketch::DdSketch;
use bellwether_warehouse::sketches::hll::Hll;
use bellwether_warehouse::tables::rollup::{Measure, Rollup, Value};
use chrono::NaiveDate;
use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, Date32Array, Decimal128Array, Int64Array, Int64Builder, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};

/// Bytes of one slice. More: fewer files of a date, more memory.
const SLICE_BYTES: usize = 96 << 20;
const MINUTE_US: i64 = 60_000_000;
const MINUTES_PER_DAY: i64 = 1_440;
/// Of all records: those that could not be read, and those that came twice.
const REJECTS: f64 = 0.0008;
const DUPLICATES: f64 = 0.0003;

/// Whether a tally has something of a measure.
type Happens = Box<dyn Fn(&Tally) -> bool + Send>;

/// Rows of one table that are not written yet.
pub struct Rows {
    rollup: Rollup,
    /// None of them where there is no row.
    happened: Vec<Happens>,
    columns: Vec<Column>,
    /// Of each row: its place, and the minute since 1970 in which the first of its periods begins.
    places: Vec<usize>,
    minutes: Vec<i64>,
    bytes: usize,
}

/// What happened at a place in some minutes that follow each other.
pub struct Period<'a> {
    pub minute: i64,
    pub minutes: i64,
    pub tally: &'a Tally,
}

enum Column {
    Date,
    Start,
    Name(fn(&Place) -> Option<&str>),
    Count(fn(&Tally) -> i64, Int64Builder),
    Money(fn(&Tally) -> i128, Vec<i128>),
    Users(BinaryBuilder),
    Speed(Speed, fn(&Tally) -> i64, BinaryBuilder),
}

impl Rows {
    pub fn new(rollup: Rollup) -> anyhow::Result<Self> {
        let mut columns = vec![Column::Date];
        columns.extend(rollup.level.time.map(|_| Column::Start));
        for key in rollup.family.keys {
            columns.push(name(key.name).with_context(|| missing(rollup, key.name))?);
        }
        for measure in rollup.family.measures {
            columns.push(measured(rollup, measure).with_context(|| missing(rollup, measure.name))?);
        }
        let happened = rollup.family.row_when.iter().map(|sum| happens(rollup, sum));
        let happened = happened.collect::<Option<_>>().with_context(|| missing(rollup, "a row"))?;
        Ok(Self { rollup, happened, columns, places: Vec::new(), minutes: Vec::new(), bytes: 0 })
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.bytes >= SLICE_BYTES
    }

    /// One row of all the periods. Where nothing happened is no row.
    pub fn push(&mut self, market: &Market, place: usize, periods: &[Period<'_>]) {
        let mut tally = Tally::default();
        periods.iter().for_each(|period| tally.add(period.tally));
        let Some(first) = periods.first().filter(|_| self.happened.iter().any(|happens| happens(&tally)))
        else {
            return;
        };
        self.places.push(place);
        self.minutes.push(first.minute);
        self.bytes += 8 * self.columns.len();
        for column in &mut self.columns {
            match column {
                Column::Date | Column::Start | Column::Name(_) => {}
                Column::Count(count, built) => built.append_value(count(&tally)),
                Column::Money(amount, amounts) => amounts.push(amount(&tally)),
                Column::Users(built) => {
                    let of = |period: &Period<'_>| {
                        market.users(place, period.minute, period.minutes, period.tally.requests_with_user)
                    };
                    let users: Hll = periods.iter().flat_map(of).collect();
                    self.bytes += append(built, (tally.requests_with_user > 0).then(|| users.to_bytes()));
                }
                Column::Speed(speed, measured, built) => {
                    let mut sketch = DdSketch::default();
                    for Period { minute, tally, .. } in periods {
                        let add = |value, times| sketch.add_times(value, times);
                        market.measure(place, *speed, *minute, measured(tally), add);
                    }
                    self.bytes += append(built, (measured(&tally) > 0).then(|| sketch.to_bytes()));
                }
            }
        }
    }

    /// What was pushed, in its order; the next row begins another slice.
    pub fn finish(&mut self, market: &Market) -> anyhow::Result<RecordBatch> {
        let (places, minutes) = (std::mem::take(&mut self.places), std::mem::take(&mut self.minutes));
        self.bytes = 0;
        let place = |at: &usize| market.places().get(*at);
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for column in &mut self.columns {
            arrays.push(match column {
                Column::Date => {
                    let grain = self.rollup.level.grain;
                    let under = |day: i32| {
                        NaiveDate::from_epoch_days(day).map_or(day, |date| grain.date(date).to_epoch_days())
                    };
                    let dates = minutes.iter().map(|minute| date(*minute).map(under));
                    Arc::new(dates.collect::<Date32Array>())
                }
                Column::Start => {
                    let starts = minutes.iter().map(|minute| minute * MINUTE_US);
                    Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC"))
                }
                Column::Name(name) => {
                    Arc::new(places.iter().map(|at| place(at).and_then(*name)).collect::<StringArray>())
                }
                Column::Count(_, built) => Arc::new(built.finish()),
                Column::Money(_, amounts) => {
                    let amounts = Decimal128Array::from_iter_values(std::mem::take(amounts));
                    Arc::new(amounts.with_precision_and_scale(38, 9)?)
                }
                Column::Users(built) | Column::Speed(_, _, built) => Arc::new(built.finish()),
            });
        }
        let rows = RecordBatch::try_new(self.rollup.schema(), arrays);
        rows.with_context(|| format!("build rows of `{}`", self.rollup.level.table.name()))
    }
}

fn missing(rollup: Rollup, what: &str) -> String {
    format!("find what makes `{what}` of `{}`", rollup.level.table.name())
}

fn name(key: &str) -> Option<Column> {
    Some(match key {
        "model_id" => Column::Name(|place| Some(&place.model_id)),
        "author" => Column::Name(|place| Some(&place.author)),
        "variant" => Column::Name(|place| Some(&place.variant)),
        "provider_id" => Column::Name(|place| place.provider_id.as_deref()),
        "endpoint_id" => Column::Name(|place| place.endpoint_id.as_deref()),
        "region" => Column::Name(|place| place.region),
        _ => return None,
    })
}

fn measured(rollup: Rollup, measure: &Measure) -> Option<Column> {
    Some(match measure.of {
        Value::Sum => Column::Count(count(rollup, measure.name)?, Int64Builder::new()),
        Value::Money => Column::Money(Tally::money(measure.name)?, Vec::new()),
        Value::Hll => Column::Users(BinaryBuilder::new()),
        Value::DdSketch => {
            let (speed, measured) = match measure.name {
                "ttft_ms" => (Speed::Ttft, "measured_ttft"),
                "duration_ms" => (Speed::Duration, "measured_duration"),
                "tokens_per_s_e2e" => (Speed::E2e, "measured_e2e"),
                "tokens_per_s_decode" => (Speed::Decode, "measured_decode"),
                "overhead_us" => (Speed::Overhead, "measured_overhead"),
                _ => return None,
            };
            Column::Speed(speed, Tally::count(measured)?, BinaryBuilder::new())
        }
    })
}

fn count(rollup: Rollup, name: &str) -> Option<fn(&Tally) -> i64> {
    // Usage counts other requests than routing under this name.
    match (rollup.level.table, name) {
        (TableId::RoutingHourly, "requests") => Tally::count("population"),
        _ => Tally::count(name),
    }
}

fn happens(rollup: Rollup, sum: &str) -> Option<Happens> {
    match rollup.family.measure(sum)?.of {
        Value::Hll => Some(Box::new(|tally| tally.requests_with_user > 0)),
        Value::Money => {
            let money = Tally::money(sum)?;
            Some(Box::new(move |tally| money(tally) > 0))
        }
        _ => {
            let count = count(rollup, sum)?;
            Some(Box::new(move |tally| count(tally) > 0))
        }
    }
}

/// Returns the bytes held for it.
fn append(built: &mut BinaryBuilder, sketch: Option<Vec<u8>>) -> usize {
    let bytes = sketch.as_ref().map_or(0, Vec::len);
    built.append_option(sketch);
    bytes
}

fn date(minute: i64) -> Option<i32> {
    i32::try_from(minute.div_euclid(MINUTES_PER_DAY)).ok()
}

/// Rows of `intake_daily`: (days since 1970, attempts of the day).
pub fn intake(days: &[(i64, i64)]) -> anyhow::Result<RecordBatch> {
    let part = |share: f64| -> ArrayRef {
        Arc::new(days.iter().map(|day| Some((day.1 as f64 * share) as i64)).collect::<Int64Array>())
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(days.iter().map(|day| date(day.0 * MINUTES_PER_DAY)).collect::<Date32Array>()),
        Arc::new(days.iter().map(|_| Some("native")).collect::<StringArray>()),
        part(1.0),
        part(REJECTS),
        part(DUPLICATES),
    ];
    RecordBatch::try_new(TableId::IntakeDaily.schema(), columns).context("build rows of `intake_daily`")
}
