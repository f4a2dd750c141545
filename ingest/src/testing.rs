//! A warehouse in a temporary folder, native records, and questions to the tables, for this crate's tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use bellwether_warehouse::{Location, TableId, Warehouse, World};

use crate::batch::Tools;
use crate::catalogue::{Catalogue, Current};
use crate::identity::Identities;
use crate::labels::Labeller;
use crate::normalise::Lineage;
use crate::record_time::AHEAD_US;

/// 2026-11-25T12:00:00Z in µs: when test records are appended.
pub(crate) const NOON_US: i64 = 1_795_608_000_000_000;

/// Of a record that was appended at an instant of the day; one a day ahead is the latest.
pub(crate) fn lineage(appended_at_us: i64) -> Lineage<'static> {
    Lineage {
        source: "",
        topic: "events",
        partition: 0,
        offset: 0,
        first_index: 0,
        appended_at_us,
        events_until_us: appended_at_us + AHEAD_US,
    }
}

pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) warehouse: Warehouse,
    pub(crate) tools: Tools,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::in_world(World::default()).await
    }

    pub(crate) async fn in_world(world: World) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("warehouse");
        let location = Location::parse(root.to_str().unwrap()).unwrap();
        let warehouse = Warehouse::open_or_create_in(&location, world.clone()).await.unwrap();
        let tools = Tools {
            catalogue: Current::new(Catalogue::empty()),
            identities: Arc::new(Identities::open(&dir.path().join("secrets")).unwrap()),
            labeller: Arc::new(Labeller::new()),
            world,
        };
        Self { dir, warehouse, tools }
    }

    /// The folder of the warehouse.
    pub(crate) fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("warehouse")
    }

    /// Rows of a statement over the ingest tables, columns joined by `|`.
    pub(crate) async fn ask(&self, statement: &str) -> Vec<String> {
        let ctx = self.warehouse.session(1);
        for id in [TableId::Attempts, TableId::Rejects, TableId::LabelCells, TableId::Imports] {
            let table = self.warehouse.table(id).await.unwrap();
            ctx.register_table(id.name(), table.snapshot().provider()).unwrap();
        }
        let batches = ctx.sql(statement).await.unwrap().collect().await.unwrap();
        let options = FormatOptions::default().with_null("null");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns: Vec<ArrayFormatter<'_>> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join("|"));
            }
        }
        rows
    }

    /// One number.
    pub(crate) async fn count(&self, statement: &str) -> i64 {
        self.ask(statement).await[0].parse().unwrap()
    }
}

/// A native record of one request with one served attempt, an hour before noon.
pub(crate) fn native(id: &str) -> String {
    serde_json::json!({
        "request_id": id,
        "started_at": "2026-11-25T11:00:00Z",
        "requested_model": "acme/one",
        "messages": [{"role": "user", "content": format!("the canary {id} asks for something in plain English")}],
        "completion": "certainly, here is the answer that you wanted to have",
        "user_id": "somebody",
        "attempts": [{
            "model": "acme/one", "provider": "north", "http_status": 200,
            "input_tokens": 100, "output_tokens": 20, "duration_ms": 900
        }],
    })
    .to_string()
}

/// A LiteLLM failure with the call's own id, that began an hour before noon plus `micros`.
pub(crate) fn litellm_failure(micros: u32, code: u16, provider: &str) -> String {
    serde_json::json!({
        "litellm_call_id": "c", "id": "c", "status": "failure", "model": "m", "custom_llm_provider": provider,
        "startTime": format!("1795604400.{micros:06}"), "api_base": "http://upstream.example/v1",
        "error_information": {"error_code": code.to_string(), "error_class": ""},
    })
    .to_string()
}

/// The stripped event that an earlier version made of `litellm_failure(1, 500, "openai")`.
pub(crate) const FORMER_FAILURE: &str = concat!(
    r#"{"source":"litellm","request_id":"c","started_at":"2026-11-25T11:00:00.000001Z","attempts":["#,
    r#"{"event_id":"litellm:c:c","model":"m","provider":"openai","host":"upstream.example","#,
    r#""outcome":"fault","error_class":"server_error","http_status":500,"gateway_cache_hit":false}]}"#
);

/// The same failure sent again, and other attempts of its call: each with whether it is a new row.
pub(crate) fn attempts_of_one_call() -> [(String, bool); 4] {
    [
        (litellm_failure(1, 500, "openai"), false),
        (litellm_failure(2, 500, "openai"), true),
        (litellm_failure(1, 429, "openai"), true),
        (litellm_failure(1, 500, "azure"), true),
    ]
}

/// Gauges as they were emitted: `name{label=value,…}`. For `metrics::with_local_recorder`.
#[derive(Clone, Default)]
pub(crate) struct Gauges(Arc<Mutex<BTreeMap<String, f64>>>);

impl Gauges {
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.lock().unwrap().get(name).copied()
    }
}

struct Emitted(Gauges, String);

impl metrics::GaugeFn for Emitted {
    fn increment(&self, by: f64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += by;
    }

    fn decrement(&self, by: f64) {
        self.increment(-by);
    }

    fn set(&self, value: f64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), value);
    }
}

impl metrics::Recorder for Gauges {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}

    fn register_counter(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        metrics::Counter::noop()
    }

    fn register_gauge(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        metrics::Gauge::from_arc(Arc::new(Emitted(self.clone(), name)))
    }

    fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

/// What is logged on this thread at info and above, a line each. For `tracing::subscriber::set_default`.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Those with these words.
    pub(crate) fn with(&self, words: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|line| line.contains(words)).cloned().collect()
    }
}

struct Fields(String);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
}
