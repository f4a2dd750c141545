//! Counts of places and periods as rows of a rollup, column by column after the table's own schema.

use std::sync::Arc;

use anyhow::Context;
use bellwether_simulate::{Market, Place, Speed, Tally};
use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::ddsketch::DdSketch;
use bellwether_warehouse::sketches::hll::Hll;
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

/// Rows of one table that are not written yet.
pub struct Rows {
    table: TableId,
    columns: Vec<Column>,
    /// Of each row: its place, and the minute since 1970 in which its period begins.
    places: Vec<usize>,
    minutes: Vec<i64>,
    bytes: usize,
}

enum Column {
    Date,
    Start,
    Name(fn(&Place) -> Option<&str>),
    Count(fn(&Tally) -> i64, Int64Builder),
    Money(Vec<i128>),
    Users(BinaryBuilder),
    Speed(Speed, fn(&Tally) -> i64, BinaryBuilder),
}

impl Rows {
    pub fn new(table: TableId) -> anyhow::Result<Self> {
        let columns = table
            .schema()
            .fields()
            .iter()
            .map(|field| column(table, field.name()))
            .collect::<Result<_, _>>()?;
        Ok(Self { table, columns, places: Vec::new(), minutes: Vec::new(), bytes: 0 })
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.bytes >= SLICE_BYTES
    }

    /// `period`: its first minute and how many. Where nothing happened is no row.
    pub fn push(&mut self, market: &Market, place: usize, period: (i64, i64), tally: &Tally) {
        let happened = match self.table {
            TableId::UsageHourly | TableId::UsageDaily => tally.requests,
            TableId::RoutingHourly => tally.all_requests,
            _ => tally.attempts,
        };
        if happened == 0 {
            return;
        }
        let (minute, minutes) = period;
        self.places.push(place);
        self.minutes.push(minute);
        self.bytes += 8 * self.columns.len();
        for column in &mut self.columns {
            match column {
                Column::Date | Column::Start | Column::Name(_) => {}
                Column::Count(count, built) => built.append_value(count(tally)),
                Column::Money(amounts) => amounts.push(tally.cost_usd),
                Column::Users(built) => {
                    let users: Hll = market.users(place, minute, minutes, tally.requests_with_user).collect();
                    self.bytes += append(built, (tally.requests_with_user > 0).then(|| users.to_bytes()));
                }
                Column::Speed(speed, measured, built) => {
                    let n = measured(tally);
                    let mut sketch = DdSketch::default();
                    market.measure(place, *speed, minute, n, |value, times| sketch.add_times(value, times));
                    self.bytes += append(built, (n > 0).then(|| sketch.to_bytes()));
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
                Column::Date => Arc::new(minutes.iter().map(|minute| date(*minute)).collect::<Date32Array>()),
                Column::Start => {
                    let starts = minutes.iter().map(|minute| minute * MINUTE_US);
                    Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC"))
                }
                Column::Name(name) => {
                    Arc::new(places.iter().map(|at| place(at).and_then(*name)).collect::<StringArray>())
                }
                Column::Count(_, built) => Arc::new(built.finish()),
                Column::Money(amounts) => {
                    let amounts = Decimal128Array::from_iter_values(std::mem::take(amounts));
                    Arc::new(amounts.with_precision_and_scale(38, 9)?)
                }
                Column::Users(built) | Column::Speed(_, _, built) => Arc::new(built.finish()),
            });
        }
        let rows = RecordBatch::try_new(self.table.schema(), arrays);
        rows.with_context(|| format!("build rows of `{}`", self.table.name()))
    }
}

/// What fills a column.
fn column(table: TableId, name: &str) -> anyhow::Result<Column> {
    let speed = |speed, measured| {
        let count = Tally::count(measured).with_context(|| format!("find the count of `{name}`"))?;
        anyhow::Ok(Column::Speed(speed, count, BinaryBuilder::new()))
    };
    Ok(match name {
        "date" => Column::Date,
        "hour" | "bucket_at" => Column::Start,
        "model_id" => Column::Name(|place| Some(&place.model_id)),
        "author" => Column::Name(|place| Some(&place.author)),
        "variant" => Column::Name(|place| Some(&place.variant)),
        "provider_id" => Column::Name(|place| place.provider_id.as_deref()),
        "endpoint_id" => Column::Name(|place| place.endpoint_id.as_deref()),
        "region" => Column::Name(|place| place.region),
        "cost_usd" => Column::Money(Vec::new()),
        "users" => Column::Users(BinaryBuilder::new()),
        "ttft_ms" => speed(Speed::Ttft, "measured_ttft")?,
        "duration_ms" => speed(Speed::Duration, "measured_duration")?,
        "tokens_per_s_e2e" => speed(Speed::E2e, "measured_e2e")?,
        "tokens_per_s_decode" => speed(Speed::Decode, "measured_decode")?,
        "overhead_us" => speed(Speed::Overhead, "measured_overhead")?,
        _ => {
            // Usage counts other requests than routing under this name.
            let counted =
                if table == TableId::RoutingHourly && name == "requests" { "population" } else { name };
            let count = Tally::count(counted)
                .with_context(|| format!("find what is counted for `{name}` of `{}`", table.name()))?;
            Column::Count(count, Int64Builder::new())
        }
    })
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
