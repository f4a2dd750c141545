//! A small warehouse whose every number can be worked out by hand, for the tests of this crate.

mod publish;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use bellwether_warehouse::sketches::{ddsketch::DdSketch, hll::Hll};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::{Advance, Change, Kind, Location, TableId, Warehouse, fold_app, testing};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Map, Value, json};

/// Who may be named.
pub(crate) const GATE: TableId = TableId::Declared(&bellwether_metrics::gate::TABLE);

/// Half past seven minutes after noon of a Wednesday.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-25T12:07:30Z".parse().unwrap()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) struct Fixture {
    pub warehouse: Warehouse,
    folder: tempfile::TempDir,
}

impl Fixture {
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
        let warehouse = Warehouse::open_or_create(&location).await.unwrap();
        warehouse.ensure(&bellwether_metrics::tables()).await.unwrap();
        Self { warehouse, folder }
    }

    /// Keys of variants and providers that may be named from 2020 on.
    pub async fn name(&self, variants: &[&str], providers: &[&str]) {
        let of = |kind, keys: &[&str]| -> Vec<Value> {
            keys.iter().map(|key| decision("2020-01-01", kind, key, true)).collect()
        };
        self.append(GATE, [of("variant", variants), of("provider", providers)].concat()).await;
    }

    /// A fortnight of three models, health of today, routing of yesterday, labels of last week.
    pub async fn filled() -> Self {
        let fixture = Self::empty().await;
        fixture.append(GATE, gate()).await;
        fixture.append(TableId::UsageDaily, usage()).await;
        // One key of one day in a second file: partial rows are normal.
        fixture.append(TableId::UsageDaily, vec![one_day("2026-11-24", 0.5)]).await;
        fixture.append(TableId::Health5m, buckets()).await;
        fixture.append(TableId::HealthHourly, hours(&buckets())).await;
        fixture.append(TableId::HealthDaily, health_days()).await;
        fixture.append(TableId::RoutingHourly, routing()).await;
        fixture.append(TableId::LabelCells, labels()).await;
        fixture.append(TableId::IntakeDaily, intake()).await;
        fixture.append(TableId::Rejects, rejects()).await;
        fixture.attempts(&attempts()).await;
        fixture.fold(0).await;
        fixture
    }

    pub async fn append(&self, id: TableId, rows: Vec<Value>) {
        if rows.is_empty() {
            return;
        }
        let mut table = self.warehouse.table(id).await.unwrap();
        testing::append(&mut table, &batch(id.schema(), rows)).await.unwrap();
    }

    pub async fn attempts(&self, rows: &[AttemptRow<'_>]) {
        let mut table = self.warehouse.table(TableId::Attempts).await.unwrap();
        testing::append(&mut table, &testing::batch(rows)).await.unwrap();
    }

    /// Moves the fold of one table to a version of `attempts`.
    pub async fn fold_one(&self, id: TableId, to: i64) {
        let mut table = self.warehouse.table(id).await.unwrap();
        let advance = vec![Advance { app: fold_app(), from: table.snapshot().folded(), to }];
        table.commit(Change { advance, ..Change::default() }).await.unwrap();
    }

    pub async fn fold(&self, to: i64) {
        for id in TableId::of(Kind::Folded) {
            self.fold_one(id, to).await;
        }
    }

    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// Rows as JSON, in the table's schema. Columns that a row does not name are NULL, or 0 where that is not allowed.
pub(crate) fn batch(schema: SchemaRef, rows: Vec<Value>) -> arrow::array::RecordBatch {
    let fill = |row: &mut Map<String, Value>| {
        for field in schema.fields() {
            if !field.is_nullable() && !row.contains_key(field.name()) {
                let zero = match field.data_type() {
                    DataType::Decimal128(..) => json!("0"),
                    DataType::Utf8 => json!("standard"),
                    _ => json!(0),
                };
                row.insert(field.name().clone(), zero);
            }
        }
    };
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|mut row| {
            fill(row.as_object_mut().unwrap());
            row
        })
        .collect();
    let mut decoder = arrow::json::ReaderBuilder::new(Arc::clone(&schema)).build_decoder().unwrap();
    decoder.serialize(&rows).unwrap();
    decoder.flush().unwrap().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn users(keys: std::ops::RangeInclusive<i64>) -> String {
    let mut sketch = Hll::default();
    for key in keys {
        sketch.add(key);
    }
    hex(&sketch.to_bytes())
}

pub(crate) fn sketch(values: impl IntoIterator<Item = u32>) -> String {
    let mut sketch = DdSketch::default();
    for value in values {
        sketch.add(f64::from(value));
    }
    hex(&sketch.to_bytes())
}

/// acme/one at north on one day: 1 M input, 200 k output, 200 requests, 1.5 USD, users 1 to 30; or a part of it.
fn one_day(date: &str, part: f64) -> Value {
    let of = |whole: f64| whole * part;
    json!({
        "date": date, "model_id": "acme/one", "author": "acme", "variant": "standard", "provider_id": "north",
        "requests": of(200.0), "requests_with_user": of(200.0), "users": users(1..=30),
        "input_tokens": of(1e6), "cached_input_tokens": of(4e5), "output_tokens": of(2e5),
        "cost_usd": format!("{}", of(1.5)),
    })
}

/// Per day from 18 to 24 November (this week) and 11 to 17 (the week before):
///
/// | row | tokens this week | before | requests a day | users |
/// |---|---|---|---|---|
/// | acme/one | 1.2 M | 0.6 M | 200 | 1–30 |
/// | acme/one:free | 0.1 M | – | 50 | 1–25 |
/// | beta/two | 0.6 M | 0.6 M | 100 | 21–70 |
/// | gamma/tiny, hidden | 1 k | 1 k | 10 | 1–5 |
/// | neither model nor variant, hidden too | 10 k | 10 k | 1 | none |
fn usage() -> Vec<Value> {
    let mut rows = Vec::new();
    for back in 1..=14 {
        let date = day("2026-11-25").checked_sub_days(Days::new(back)).unwrap().to_string();
        let this_week = back <= 7;
        rows.push(match (back, this_week) {
            (1, _) => one_day(&date, 0.5),
            (_, true) => one_day(&date, 1.0),
            (_, false) => {
                let mut row = one_day(&date, 0.5);
                row["requests"] = json!(200);
                row
            }
        });
        if this_week {
            rows.push(json!({
                "date": date, "model_id": "acme/one", "author": "acme", "variant": "free", "provider_id": "north",
                "requests": 50, "requests_with_user": 50, "users": users(1..=25),
                "input_tokens": 90_000, "output_tokens": 10_000, "unpriced_requests": 50, "unpriced_tokens": 100_000,
            }));
        }
        rows.push(json!({
            "date": date, "model_id": "beta/two", "author": "beta", "variant": "standard", "provider_id": "south",
            "requests": 100, "requests_with_user": 100, "users": users(21..=70),
            "input_tokens": 500_000, "output_tokens": 100_000, "cost_usd": "3",
        }));
        rows.push(json!({
            "date": date, "model_id": "gamma/tiny", "author": "gamma", "variant": "standard", "provider_id": "south",
            "requests": 10, "requests_with_user": 10, "users": users(1..=5),
            "input_tokens": 900, "output_tokens": 100, "cost_usd": "0.000000001",
        }));
        rows.push(json!({
            "date": date, "provider_id": "north", "requests": 1, "input_tokens": 9_000, "output_tokens": 1_000,
        }));
    }
    rows
}

/// One row of the table `gate`.
pub(crate) fn decision(date: &str, dimension: &str, key: &str, is_public: bool) -> Value {
    json!({
        "month": format!("{}-01", &date[..7]), "date": date, "dimension": dimension, "key": key,
        "is_public": is_public,
    })
}

/// Everything of [`usage`] on its days and the running one, gamma/tiny hidden.
fn gate() -> Vec<Value> {
    let dates = (0..=14).map(|back| day("2026-11-25").checked_sub_days(Days::new(back)).unwrap());
    let keys = [
        ("variant", "acme/one", true),
        ("variant", "acme/one:free", true),
        ("variant", "beta/two", true),
        ("variant", "gamma/tiny", false),
        ("provider", "north", true),
        ("provider", "south", true),
    ];
    let of = |date: NaiveDate| {
        keys.map(|(dimension, key, is_public)| decision(&date.to_string(), dimension, key, is_public))
    };
    dates.flat_map(of).collect()
}

/// Six complete buckets to 12:05 and the running one: north 47 of 50 ok in each, south 10 of 10.
fn buckets() -> Vec<Value> {
    let mut rows = Vec::new();
    for bucket in 0..6u32 {
        let at = format!(
            "2026-11-25T{}Z",
            ["11:35:00", "11:40:00", "11:45:00", "11:50:00", "11:55:00", "12:00:00"][bucket as usize]
        );
        rows.push(json!({
            "date": "2026-11-25", "bucket_at": at, "model_id": "acme/one", "author": "acme", "variant": "standard",
            "provider_id": "north", "endpoint_id": "north/one", "attempts": 52, "ok": 46, "cancelled": 2,
            "cancelled_delivered": 1, "fault": 3, "fault_timeout": 3, "rate_limited": 1, "output_tokens": 5_000,
            // 1 to 300 ms over the six buckets.
            "ttft_ms": sketch(bucket * 50 + 1..=bucket * 50 + 50),
        }));
        rows.push(json!({
            "date": "2026-11-25", "bucket_at": at, "model_id": "beta/two", "author": "beta", "variant": "standard",
            "provider_id": "south", "endpoint_id": "south/two", "attempts": 10, "ok": 10,
        }));
    }
    rows.push(json!({
        "date": "2026-11-25", "bucket_at": "2026-11-25T12:05:00Z", "model_id": "acme/one", "author": "acme",
        "variant": "standard", "provider_id": "north", "endpoint_id": "north/one", "attempts": 40, "fault": 40,
    }));
    rows
}

/// Rows of five minutes as those of their hours.
pub(crate) fn hours(buckets: &[Value]) -> Vec<Value> {
    let mut hours: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for bucket in buckets {
        let hour = format!("{}:00:00Z", &bucket["bucket_at"].as_str().unwrap()[..13]);
        let key = format!("{hour} {} {} {}", bucket["model_id"], bucket["variant"], bucket["provider_id"]);
        let row = hours.entry(key).or_insert_with(|| Map::from_iter([("bucket_at".to_owned(), json!(hour))]));
        for (name, value) in bucket.as_object().unwrap().iter().filter(|(name, _)| *name != "bucket_at") {
            let sum = match (row.get(name), value) {
                (Some(sum), Value::Number(more)) => json!(sum.as_u64().unwrap() + more.as_u64().unwrap()),
                (Some(sum), Value::String(more)) if name == "ttft_ms" => {
                    json!(merged(sum.as_str().unwrap(), more))
                }
                _ => value.clone(),
            };
            row.insert(name.clone(), sum);
        }
    }
    hours.into_values().map(Value::Object).collect()
}

fn merged(one: &str, other: &str) -> String {
    let sketch = |text: &str| {
        let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        DdSketch::from_bytes(&bytes).unwrap()
    };
    let mut sum = sketch(one);
    sum.merge(&sketch(other));
    hex(&sum.to_bytes())
}

/// acme/one at north: 990 of 1,000 each day; on the 20th 700.
fn health_days() -> Vec<Value> {
    (1..=10)
        .map(|back| {
            let date = day("2026-11-25").checked_sub_days(Days::new(back)).unwrap();
            let ok = if date == day("2026-11-20") { 700 } else { 990 };
            json!({
                "date": date.to_string(), "model_id": "acme/one", "author": "acme", "variant": "standard",
                "provider_id": "north", "endpoint_id": "north/one", "attempts": 1_000, "ok": ok,
                "fault": 1_000 - ok, "fault_server_error": 1_000 - ok,
                "ttft_ms": sketch(1..=1_000),
            })
        })
        .collect()
}

fn routing() -> Vec<Value> {
    vec![json!({
        "date": "2026-11-24", "hour": "2026-11-24T10:00:00Z", "model_id": "acme/one", "author": "acme",
        "all_requests": 1_100, "attempts": 1_320, "requests": 1_000, "routed_ok": 990, "first_ok": 950,
        "requests_with_rate_limits": 1_100, "routed_ok_with_rate_limits": 1_045, "first_ok_with_rate_limits": 950,
    })]
}

/// One labelled request of 100 tokens in the last complete week; every tenth user's failed.
pub(crate) fn label(nl: &str, code: &str, model: &str, user: i64) -> Value {
    json!({
        "week": "2026-11-16", "nl": nl, "nl_src": "rule:1", "code_in": "none", "code_in_src": "rule:1",
        "code_out": code, "code_out_src": "fence", "cat": "unclassified", "cat_src": "rule:1",
        "model_id": model, "user_key": user, "n": 1, "sum_w": 1.0, "sum_wt": 100.0, "sum_wt2": 10_000.0,
        "sum_w_ok": if user % 10 == 0 { 0.0 } else { 1.0 },
    })
}

/// Last complete week: 100 requests of 100 users in Japanese to Python, 60 on acme/one and 40 on beta/two; 100 of
/// 100 others in English without code on acme/one. 100 tokens each.
fn labels() -> Vec<Value> {
    let japanese =
        (1..=100).map(|user| label("ja", "python", if user <= 60 { "acme/one" } else { "beta/two" }, user));
    japanese.chain((101..=200).map(|user| label("en", "none", "acme/one", user))).collect()
}

fn intake() -> Vec<Value> {
    vec![json!({ "date": "2026-11-25", "source": "native", "rows": 95, "rejects": 2, "duplicates": 3 })]
}

fn rejects() -> Vec<Value> {
    let reject = |offset: i64, reason: &str| {
        json!({
            "date": "2026-11-25", "received_at": "2026-11-25T11:00:00Z", "reason": reason, "detail": "field `a`",
            "source": "native", "src_topic": "events", "src_partition": 0, "src_offset": offset, "size_bytes": 10,
        })
    };
    vec![reject(1, "malformed_json"), reject(2, "malformed_json"), reject(3, "time_out_of_range")]
}

/// Three attempts of the minute 12:04 and one of 12:03, one with raw names that nobody mapped; and the newest, by which everything
/// up to 12:05:30 has arrived.
fn attempts() -> Vec<AttemptRow<'static>> {
    let minute = 60_000_000;
    let at =
        |row: AttemptRow<'static>, started_at: i64| AttemptRow { started_at, ingested_at: started_at, ..row };
    let noon = testing::NOON_US;
    vec![
        at(testing::attempt("a"), noon + 4 * minute + 1_000_000),
        at(
            AttemptRow { outcome: "fault", error_class: Some("timeout"), ..testing::attempt("b") },
            noon + 4 * minute,
        ),
        at(
            AttemptRow {
                model_id: Some("mystery-9b"),
                author: None,
                raw_model: Some("mystery-9b"),
                ..testing::attempt("c")
            },
            noon + 4 * minute + 30_000_000,
        ),
        at(testing::attempt("d"), noon + 3 * minute),
        at(testing::attempt("newest"), noon + 6 * minute + 30_000_000),
    ]
}
