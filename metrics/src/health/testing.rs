//! Random attempts, the rollups that they make, and what tables of health must say of them by plain loops.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use bellwether_warehouse::sketches::ddsketch::DdSketch;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use serde_json::{Map, Value, json};

use super::GATE;
use super::check::Tally;
use crate::{Catalogue, Keyless, Metric, Model, Named, Terms};

pub(crate) const MINUTE: i64 = 60_000_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Counts of the rollups, in this order everywhere here.
pub(crate) const COUNTS: [&str; 31] = [
    "attempts",
    "ok",
    "fault",
    "rate_limited",
    "client_error",
    "cancelled",
    "cancelled_delivered",
    "gateway_error",
    "fault_auth",
    "fault_payment",
    "fault_not_found",
    "fault_timeout",
    "fault_connection",
    "fault_overloaded",
    "fault_server_error",
    "fault_stream_error",
    "fault_error_finish",
    "client_bad_request",
    "client_context_length",
    "client_content_policy",
    "client_too_large",
    "client_geo",
    "client_unsupported",
    "tool_finishes",
    "tool_error_requests",
    "prose_instead_of_call",
    "structured_requested",
    "structured_invalid",
    "refused",
    "content_filtered",
    "billed_output_tokens_cancelled",
];

pub(crate) const MEASURES: [&str; 5] =
    ["ttft_ms", "duration_ms", "tokens_per_s_e2e", "tokens_per_s_decode", "overhead_us"];

/// Where an attempt went. None: the log does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub model: Option<&'static str>,
    pub author: Option<&'static str>,
    pub variant: &'static str,
    pub provider: Option<&'static str>,
    pub endpoint: Option<&'static str>,
    pub region: Option<&'static str>,
}

const fn place(
    model: &'static str,
    author: Option<&'static str>,
    variant: &'static str,
    provider: Option<&'static str>,
    endpoint: Option<&'static str>,
    region: Option<&'static str>,
) -> Place {
    Place { model: Some(model), author, variant, provider, endpoint, region }
}

/// Two models at two providers, a variant, two regions of one endpoint, an endpoint without an id, a host, a raw name, and a
/// call that never reached a provider.
pub(crate) const PLACES: [Place; 9] = [
    place("acme/one", Some("acme"), "standard", Some("north"), Some("n1"), Some("eu")),
    place("acme/one", Some("acme"), "standard", Some("north"), Some("n1"), Some("us")),
    place("acme/one", Some("acme"), "free", Some("north"), Some("n1f"), None),
    place("acme/one", Some("acme"), "standard", Some("south"), Some("s1"), None),
    // The catalogue has learned its name since.
    place("beta/two", None, "standard", Some("south"), None, None),
    place("beta/two", Some("beta"), "standard", Some("host:10.0.0.7"), Some("h2"), None),
    place("raw-three", None, "standard", Some("south"), Some("s3"), None),
    place("acme/one", Some("acme"), "standard", None, None, None),
    Place { model: None, author: None, variant: "standard", provider: None, endpoint: None, region: None },
];

#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// µs
    pub at: i64,
    pub place: Place,
    pub counts: [i64; COUNTS.len()],
    pub speeds: [Option<f64>; MEASURES.len()],
}

impl Attempt {
    /// One of an outcome, which is a column of its own: `ok`, `fault_timeout`, `rate_limited` and so on.
    pub fn new(at: i64, place: Place, outcome: &str) -> Self {
        let mut attempt = Self { at, place, counts: [0; COUNTS.len()], speeds: [None; MEASURES.len()] };
        attempt.count("attempts", 1);
        attempt.count(outcome, 1);
        for (class, of) in [("fault_", "fault"), ("client_", "client_error"), ("cancelled_", "cancelled")] {
            if outcome.starts_with(class) && outcome != of {
                attempt.count(of, 1);
            }
        }
        attempt
    }

    pub fn count(&mut self, column: &str, n: i64) {
        self.counts[COUNTS.iter().position(|name| *name == column).unwrap()] += n;
    }
}

/// A stream of numbers from a seed.
#[derive(Debug)]
pub(crate) struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn attempt(&mut self, from: i64, to: i64) -> Attempt {
        let at = from + (self.below(u64::try_from(to - from).unwrap()) as i64);
        let place = PLACES[self.below(PLACES.len() as u64) as usize];
        let outcome = if place.provider.is_none() {
            "gateway_error"
        } else {
            match self.below(20) {
                0 => COUNTS[8 + self.below(9) as usize],
                1 => "rate_limited",
                2 => COUNTS[17 + self.below(6) as usize],
                3 => "cancelled",
                4 => "cancelled_delivered",
                _ => "ok",
            }
        };
        let mut attempt = Attempt::new(at, place, outcome);
        if outcome == "ok" {
            for (column, one_in) in [
                ("tool_finishes", 3),
                ("prose_instead_of_call", 7),
                ("structured_requested", 4),
                ("refused", 9),
                ("content_filtered", 11),
            ] {
                if self.below(one_in) == 0 {
                    attempt.count(column, 1);
                }
            }
            for (column, of) in
                [("tool_error_requests", "tool_finishes"), ("structured_invalid", "structured_requested")]
            {
                let of = COUNTS.iter().position(|name| *name == of).unwrap();
                if attempt.counts[of] > 0 && self.below(5) == 0 {
                    attempt.count(column, 1);
                }
            }
            for speed in &mut attempt.speeds {
                // Spread over three powers of ten, as latencies are.
                if self.below(4) > 0 {
                    *speed = Some(10.0_f64.powf(self.below(3_000) as f64 / 1_000.0));
                }
            }
        }
        if outcome.starts_with("cancelled") {
            attempt.count("billed_output_tokens_cancelled", self.below(500) as i64);
        }
        attempt
    }
}

/// What is known of a warehouse, and its terms.
#[derive(Debug)]
pub(crate) struct World {
    pub attempts: Vec<Attempt>,
    /// date, dimension, key, is_public
    pub gate: Vec<(NaiveDate, &'static str, &'static str, bool)>,
    pub terms: Terms,
    pub routing: Vec<Value>,
    /// What was published before.
    pub health_now: Vec<Value>,
}

/// Wednesday 25 November 2026, seven and a half minutes past noon.
pub(crate) fn terms() -> Terms {
    let model = |id: &str, author: &str, name: &str| Model {
        id: id.into(),
        author: author.into(),
        name: name.into(),
    };
    let provider = |id: &str, name: &str| Named { id: id.into(), name: name.into() };
    Terms {
        catalogue: Catalogue {
            models: vec![model("acme/one", "acme", "One"), model("beta/two", "beta", "Two")],
            authors: vec![],
            providers: vec![provider("north", "North"), provider("south", "South Cloud")],
            ..Catalogue::default()
        },
        users: 0,
        keyless: Keyless::Hide,
        has_raw_names: false,
        growth_requests: 1_000,
        counted_attempts: 20,
        speed_requests: 20,
        watermark: "2026-11-25T12:07:30Z".parse().unwrap(),
        today: day("2026-11-25"),
    }
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn us(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>().unwrap().timestamp_micros()
}

pub(crate) fn date_of(at: i64) -> NaiveDate {
    DateTime::from_timestamp_micros(at).unwrap().date_naive()
}

impl World {
    pub fn of(attempts: Vec<Attempt>) -> Self {
        Self { attempts, gate: Vec::new(), terms: terms(), routing: Vec::new(), health_now: Vec::new() }
    }

    pub fn random(seed: u64, attempts: usize, from: &str, to: &str) -> Self {
        let mut dice = Dice(seed);
        let (from, to) = (us(from), us(to));
        Self::of((0..attempts).map(|_| dice.attempt(from, to)).collect())
    }

    /// The same attempts under the terms of every test.
    pub fn of_same(other: &Self) -> Self {
        Self::of(other.attempts.clone())
    }

    pub async fn session(&self) -> SessionContext {
        let ctx = without_files(2);
        for (table, length) in
            [(TableId::Health5m, 5 * MINUTE), (TableId::HealthHourly, HOUR), (TableId::HealthDaily, DAY)]
        {
            put(&ctx, table, self.rollup(length, table != TableId::HealthDaily));
        }
        let gate = self.gate.iter().map(|(date, dimension, key, is_public)| {
            json!({"month": "2026-11-01", "date": date, "dimension": dimension, "key": key, "is_public": is_public})
        });
        put(&ctx, GATE, gate.collect());
        put(&ctx, TableId::RoutingHourly, self.routing.clone());
        put(&ctx, crate::health_now::METRIC.id(), self.health_now.clone());
        crate::register(&ctx, &self.terms).await.unwrap();
        ctx
    }

    pub async fn rows(&self, metric: Metric, from: &str, to: &str) -> Vec<Map<String, Value>> {
        let ctx = self.session().await;
        plain(&metric.rows(&ctx, day(from), day(to)).await.map_err(|error| chain(&error)).unwrap())
    }

    /// The same by what was published before.
    pub async fn moved_rows(&self, metric: Metric) -> Vec<Map<String, Value>> {
        let ctx = self.session().await;
        let rows = metric.moved_rows(&ctx, self.terms.today, self.terms.today).await;
        plain(&rows.map_err(|error| chain(&error)).unwrap())
    }

    /// Rows of a rollup, in two parts as a fold leaves them.
    fn rollup(&self, length: i64, has_bucket: bool) -> Vec<Value> {
        let mut parts: BTreeMap<(i64, Place, usize), Tally> = BTreeMap::new();
        for (at, attempt) in self.attempts.iter().enumerate() {
            let bucket = attempt.at.div_euclid(length) * length;
            parts.entry((bucket, attempt.place, at % 2)).or_default().add(attempt);
        }
        let row = |((bucket, place, _), tally): (&(i64, Place, usize), &Tally)| {
            let mut row = Map::new();
            row.insert("date".into(), json!(date_of(*bucket)));
            if has_bucket {
                row.insert("bucket_at".into(), json!(DateTime::from_timestamp_micros(*bucket).unwrap()));
            }
            row.insert("model_id".into(), json!(place.model));
            row.insert("author".into(), json!(place.author));
            row.insert("variant".into(), json!(place.variant));
            row.insert("provider_id".into(), json!(place.provider));
            row.insert("endpoint_id".into(), json!(place.endpoint));
            row.insert("region".into(), json!(place.region));
            for (name, n) in COUNTS.iter().zip(tally.counts) {
                row.insert((*name).into(), json!(n));
            }
            for (name, values) in MEASURES.iter().zip(&tally.speeds) {
                let mut sketch = DdSketch::default();
                values.iter().for_each(|value| sketch.add(*value));
                let hex: String = sketch.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                row.insert((*name).into(), if values.is_empty() { Value::Null } else { json!(hex) });
            }
            Value::Object(row)
        };
        parts.iter().map(row).collect()
    }
}

fn plain(batches: &[RecordBatch]) -> Vec<Map<String, Value>> {
    let mut writer = arrow::json::ArrayWriter::new(Vec::new());
    writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    let text = writer.into_inner();
    if text.is_empty() { Vec::new() } else { serde_json::from_slice(&text).unwrap() }
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(chain);
    [Some(error.to_string()), source].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

pub(crate) fn put(ctx: &SessionContext, table: TableId, rows: Vec<Value>) {
    let batch = batch(table.schema(), rows);
    // In two pieces, so that a plan has something to do at once.
    let half = batch.num_rows() / 2;
    let pieces = vec![vec![batch.slice(0, half)], vec![batch.slice(half, batch.num_rows() - half)]];
    ctx.deregister_table(table.name()).unwrap();
    ctx.register_table(table.name(), Arc::new(MemTable::try_new(batch.schema(), pieces).unwrap())).unwrap();
}

/// Columns that a row does not name are NULL, or 0 where that is not allowed.
fn batch(schema: SchemaRef, mut rows: Vec<Value>) -> RecordBatch {
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        for field in schema.fields() {
            if !field.is_nullable() && !row.contains_key(field.name()) {
                assert!(matches!(field.data_type(), DataType::Int64), "{} is missing", field.name());
                row.insert(field.name().clone(), json!(0));
            }
        }
    }
    let mut decoder = arrow::json::ReaderBuilder::new(Arc::clone(&schema)).build_decoder().unwrap();
    decoder.serialize(&rows).unwrap();
    decoder.flush().unwrap().unwrap_or_else(|| RecordBatch::new_empty(schema))
}

pub(crate) fn text<'a>(row: &'a Map<String, Value>, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// Rows by dimension and key. Two of one key are an error.
pub(crate) fn by_key(
    rows: impl IntoIterator<Item = Map<String, Value>>,
) -> BTreeMap<(String, String), Map<String, Value>> {
    let mut found = BTreeMap::new();
    for row in rows {
        let key = (text(&row, "dimension").to_owned(), text(&row, "key").to_owned());
        if let Some(other) = found.insert(key, row) {
            panic!("a key has two rows, one is {other:?}");
        }
    }
    found
}
