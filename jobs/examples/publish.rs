//! Publishes a folder of rollups from nothing, then what is of now a few times over, and prints a line of JSON for each table
//! that was computed, each stage, each cycle, and each table that stands at the end. `benches/publish` runs it and sums up.
//!
//! `publish <warehouse> [rounds of the fast lane]`, at 16:00 of the last day of `usage_daily`, whose names are the catalogue.

use std::collections::hash_map::DefaultHasher;
use std::error::Error;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;

use arrow::array::AsArray;
use arrow::datatypes::Date32Type;
use arrow::row::{RowConverter, SortField};
use bellwether_jobs::Publisher;
use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::{Catalogue, Facts, Keyless, Lane, METRICS, Model, Named, Terms};
use bellwether_warehouse::{Location, Moment, TableId, Warehouse, World, snapshot};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use tracing::field::{Field, Visit};
use tracing::span;

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the first stages are to bring of every table.
const FIRST: Days = Days::new(35);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("name the folder of a warehouse")?;
    let rounds: i32 = args.next().map_or(Ok(5), |text| text.parse())?;
    tracing::subscriber::set_global_default(Told)?;
    let warehouse = Warehouse::open_or_create(&Location::parse(&folder)?).await?;
    let (terms, now) = terms(&warehouse).await?;
    from_nothing(&warehouse, &terms, now).await?;
    of_now(&warehouse, terms, now, rounds).await?;
    for (table, rows, digest) in digests(&warehouse).await? {
        println!(
            "{}",
            serde_json::json!({ "stands": table, "rows": rows, "digest": format!("{digest:016x}") })
        );
    }
    Ok(())
}

/// Those of a public site whose catalogue knows every name.
async fn terms(warehouse: &Warehouse) -> Result<(Terms, DateTime<Utc>), Box<dyn Error>> {
    let ctx = warehouse.session(2);
    snapshot::register(&ctx, &[warehouse.table(TableId::UsageDaily).await?.snapshot().clone()])?;
    let named = |id: String| Named { name: id.clone(), id };
    let models =
        texts(&ctx, "SELECT DISTINCT model_id FROM usage_daily WHERE model_id IS NOT NULL ORDER BY 1")
            .await?;
    let model = |id: String| Model {
        author: id.split_once('/').map_or(id.clone(), |(author, _)| author.to_owned()),
        name: id.clone(),
        id,
    };
    let authors = "SELECT DISTINCT author FROM usage_daily WHERE author IS NOT NULL ORDER BY 1";
    let providers = "SELECT DISTINCT provider_id FROM usage_daily WHERE provider_id IS NOT NULL ORDER BY 1";
    let catalogue = Catalogue {
        models: models.into_iter().map(model).collect(),
        authors: texts(&ctx, authors).await?.into_iter().map(named).collect(),
        providers: texts(&ctx, providers).await?.into_iter().map(named).collect(),
        facts: Facts::default(),
    };
    let last = ctx.sql("SELECT max(date) FROM usage_daily").await?.collect().await?;
    let last =
        last.first().and_then(|batch| batch.column(0).as_primitive::<Date32Type>().iter().next().flatten());
    let today = last.and_then(Date32Type::to_naive_date_opt).ok_or("the warehouse has no usage")?;
    let terms = Terms {
        catalogue,
        users: 20,
        keyless: Keyless::Hide,
        has_raw_names: false,
        growth_requests: 100,
        counted_attempts: 100,
        speed_requests: 100,
        watermark: DateTime::UNIX_EPOCH,
        today: NaiveDate::default(),
    };
    Ok((terms, today.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(16)))
}

async fn texts(ctx: &SessionContext, sql: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let batches = ctx.sql(sql).await?.collect().await?;
    let texts = batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten());
    Ok(texts.map(str::to_owned).collect())
}

/// The slow lane, which puts everything once where nothing stands.
async fn from_nothing(
    warehouse: &Warehouse,
    terms: &Terms,
    now: DateTime<Utc>,
) -> Result<(), Box<dyn Error>> {
    let mut publisher = Publisher::slow(warehouse, terms.clone()).await?;
    let first = now.date_naive().checked_sub_days(FIRST).unwrap_or_default();
    let (mut stage, mut spent) = (0, Spent::now());
    loop {
        let report = publisher.publish_stage(now).await?;
        let table = warehouse.table(publications::id()).await?;
        let newest = Publication::newest(table.snapshot()).await?.unwrap_or_default();
        // What is of now comes with the fast lane.
        let is_slow =
            |name: &str| METRICS.iter().any(|metric| metric.table.name == name && metric.lane != Lane::Fast);
        let has_newest = newest.complete_from.iter().all(|(name, from)| *from <= first || !is_slow(name));
        let (seconds, cpu) = spent.since();
        println!(
            "{}",
            serde_json::json!({
                "stage": stage, "number": report.number, "has_newest": has_newest, "rows": report.rows(),
                "seconds": seconds, "cpu": cpu,
            })
        );
        stage += 1;
        if report.number.is_none() || !report.is_partial() {
            break;
        }
    }
    println!("{}", serde_json::json!({ "peak_mib": kib("VmHWM") / 1024 }));
    Ok(())
}

/// The fast lane: within the same five minutes, with the next five minutes, and with the next hour.
async fn of_now(
    warehouse: &Warehouse,
    terms: Terms,
    now: DateTime<Utc>,
    rounds: i32,
) -> Result<(), Box<dyn Error>> {
    let mut publisher = Publisher::fast(warehouse, terms).await?;
    let mut at = now;
    // What the process has in memory from the second one on.
    publisher.publish(at).await?;
    let steps = [
        ("same 5 minutes", TimeDelta::seconds(3)),
        ("next 5 minutes", TimeDelta::minutes(5)),
        ("next hour", TimeDelta::hours(1)),
    ];
    for (what, step) in steps {
        for _ in 0..rounds {
            at += step;
            let mut spent = Spent::now();
            let report = publisher.publish(at).await?;
            let (seconds, cpu) = spent.since();
            println!(
                "{}",
                serde_json::json!({ "cycle": what, "rows": report.rows(), "seconds": seconds, "cpu": cpu })
            );
        }
    }
    println!("{}", serde_json::json!({ "peak_mib": kib("VmHWM") / 1024 }));
    Ok(())
}

/// Rows of each published table as the newest publication names it, and a sum of what they hold that knows no order. Columns
/// that say when something was published are left out.
async fn digests(warehouse: &Warehouse) -> Result<Vec<(String, usize, u64)>, Box<dyn Error>> {
    let mut digests = Vec::new();
    for snapshot in publications::pin(warehouse).await? {
        let name = snapshot.table().name().to_owned();
        if name == publications::id().name() {
            continue;
        }
        let ctx = warehouse.session(2);
        let (mut rows, mut sum) = (0, 0_u64);
        for batch in ctx.read_table(snapshot.provider())?.collect().await? {
            let kept: Vec<_> = batch
                .schema_ref()
                .fields()
                .iter()
                .enumerate()
                .filter(|(_, field)| field.name() != "published_at")
                .collect();
            let fields = kept.iter().map(|(_, field)| SortField::new(field.data_type().clone()));
            let columns: Vec<_> = kept.iter().map(|(at, _)| batch.column(*at).clone()).collect();
            let converted = RowConverter::new(fields.collect())?.convert_columns(&columns)?;
            rows += converted.num_rows();
            for row in &converted {
                let mut hasher = DefaultHasher::new();
                row.as_ref().hash(&mut hasher);
                sum = sum.wrapping_add(hasher.finish());
            }
        }
        digests.push((name, rows, sum));
    }
    Ok(digests)
}

/// By the clock, and of processors.
struct Spent {
    world: World,
    moment: Moment,
    cpu: f64,
}

impl Spent {
    fn now() -> Self {
        let world = World::default();
        Self { moment: world.now(), world, cpu: cpu() }
    }

    /// Seconds of both since the last time.
    fn since(&mut self) -> (f64, f64) {
        let taken = (self.world.since(self.moment).as_secs_f64(), cpu() - self.cpu);
        *self = Self::now();
        taken
    }
}

/// Of this process, in seconds; Linux counts hundredths.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        / 100.0
}

fn kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// Prints what the program tells of the tables that it computes, with the processor time since it last did.
struct Told;

static TOLD: Mutex<f64> = Mutex::new(0.0);

impl tracing::Subscriber for Told {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("bellwether_jobs::publish")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let spent = cpu();
        let before = TOLD.lock().map(|mut told| std::mem::replace(&mut *told, spent)).unwrap_or_default();
        fields.0.insert("cpu".to_owned(), (spent - before).into());
        println!("{}", serde_json::Value::Object(fields.0));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields(serde_json::Map<String, serde_json::Value>);

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}
