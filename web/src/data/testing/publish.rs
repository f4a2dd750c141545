//! Publishes what a fixture holds, as the job does: the statements of the tables over its rollups, and a row that names the
//! versions.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::{
    Metric, Named, Terms, gate, health_by_5min, health_by_day, health_by_hour, health_by_window, health_now,
    live_by_minute, quality_by_day, rankings, routing_now, usage_by_day, users_by_window,
};
use bellwether_warehouse::{Change, TableId, snapshot};
use chrono::{DateTime, Days, NaiveDate, Utc};
use datafusion::prelude::SessionContext;

use super::{Fixture, GATE, day, now};
use crate::data::{Dataset, Options, Refreshed, Refresher};

/// A decision holds until the next one, of which the tests write those that differ.
const DECISIONS: &str = "
WITH days AS (SELECT DISTINCT date FROM usage_daily UNION SELECT date FROM gate),
last AS (
    SELECT days.date, gate.dimension, gate.key, max(gate.date) AS decided
    FROM days JOIN gate ON gate.date <= days.date
    GROUP BY days.date, gate.dimension, gate.key
)
SELECT
    CAST(date_trunc('month', last.date) AS date) AS month,
    last.date, last.dimension, last.key,
    max(gate.users) AS users, max(gate.requests) AS requests, max(gate.requests_with_user) AS requests_with_user,
    bool_and(gate.is_public) AS is_public
FROM last
JOIN gate ON gate.date = last.decided AND gate.dimension = last.dimension AND gate.key = last.key
GROUP BY last.date, last.dimension, last.key";

/// Tables that are published beside the gate, in the order in which they are made.
const TABLES: [Metric; 11] = [
    quality_by_day::METRIC,
    usage_by_day::METRIC,
    users_by_window::METRIC,
    rankings::METRIC,
    routing_now::METRIC,
    live_by_minute::METRIC,
    health_by_day::METRIC,
    health_by_window::METRIC,
    health_by_hour::METRIC,
    health_by_5min::METRIC,
    health_now::METRIC,
];
/// Providers that the catalogue knows where a test names none: no other is named where health is told.
const PROVIDERS: [&str; 5] = ["north", "south", "east", "rare", "slow"];
/// Days of health that pages have.
const HEALTH_DAYS: u64 = 92;

impl Fixture {
    /// Rankings stand for the newest closed day alone: of other days they are computed when somebody asks.
    pub async fn publish(&self, options: &Options) {
        self.publish_at(options, now(), &[]).await;
    }

    /// What a site then shows that was opened just now.
    pub async fn dataset(&self, options: Options) -> Arc<Dataset> {
        self.publish(&options).await;
        self.shown(options, now()).await
    }

    /// What a site shows of what was published, opened at an instant.
    pub async fn shown(&self, options: Options, now: DateTime<Utc>) -> Arc<Dataset> {
        let mut refresher = Refresher::open(&self.warehouse, options).await.unwrap();
        match refresher.refresh(now).await.unwrap() {
            Refreshed::New(dataset) => dataset,
            other => panic!("{other:?}"),
        }
    }

    /// As [`Fixture::publish`] at another instant, or without some tables, as a site that has not come to them yet.
    pub async fn publish_at(&self, options: &Options, now: DateTime<Utc>, missing: &[Metric]) {
        let newest_event_at = self.newest_event(now).await;
        let watermark = publications::watermark(newest_event_at, now);
        let mut terms = Terms { watermark, ..options.terms(now) };
        if terms.catalogue.providers.is_empty() {
            terms.catalogue.providers =
                PROVIDERS.map(|id| Named { id: id.to_owned(), name: id.to_owned() }).into();
        }
        let ctx = self.session().await;
        let decisions = ctx.sql(DECISIONS).await.unwrap().collect().await.unwrap();
        self.replace(GATE, &decisions).await;
        let ctx = self.session().await;
        bellwether_metrics::register(&ctx, &terms).await.unwrap();
        let all = (day("2020-01-01"), terms.today);
        let closed = (terms.today - Days::new(1), terms.today);
        let is_missing = |metric: &Metric| missing.iter().any(|other| other.id() == metric.id());
        let tables: Vec<Metric> = TABLES.into_iter().filter(|metric| !is_missing(metric)).collect();
        for metric in &tables {
            let (from, to) = match metric.id() {
                id if id == health_by_day::METRIC.id() => (terms.today - Days::new(HEALTH_DAYS), terms.today),
                id if id == health_by_hour::METRIC.id() => (terms.today - Days::new(1), terms.today),
                _ if metric.is_of_windows() => closed,
                _ => all,
            };
            let rows = self.rows(&ctx, metric, from, to).await;
            self.replace(metric.id(), &rows).await;
            let table = self.warehouse.table(metric.id()).await.unwrap();
            ctx.deregister_table(metric.table.name).unwrap();
            ctx.register_table(metric.table.name, table.snapshot().provider()).unwrap();
        }
        let publication = Publication {
            attempts_version: self.warehouse.table(TableId::UsageDaily).await.unwrap().snapshot().folded(),
            watermark,
            newest_event_at,
            published_at: now,
            ..Publication::default()
        };
        self.announce(publication, &tables).await;
    }

    /// Publishes the same once more, of which these tables lack what is older than a date.
    pub async fn lack(&self, tables: &[(Metric, &str)]) {
        let mut table = self.warehouse.table(publications::id()).await.unwrap();
        let mut publication = Publication::newest(table.snapshot()).await.unwrap().unwrap();
        publication.number += 1;
        let from = |(metric, from): &(Metric, &str)| (metric.table.name.to_owned(), day(from));
        publication.complete_from = tables.iter().map(from).collect();
        let add = table.write(&[publication.row().unwrap()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();
    }

    async fn session(&self) -> SessionContext {
        let mut snapshots = Vec::new();
        let health = [TableId::Health5m, TableId::HealthHourly, TableId::HealthDaily];
        let rollups = health.into_iter().chain([TableId::UsageDaily, TableId::IntakeDaily]);
        let of_now = [TableId::RoutingHourly, TableId::Attempts, TableId::Rejects, TableId::LabelCells];
        let published = [GATE, quality_by_day::METRIC.id(), health_now::METRIC.id()];
        for id in rollups.chain(of_now).chain(published) {
            snapshots.push(self.warehouse.table(id).await.unwrap().snapshot().clone());
        }
        let ctx = snapshots[0].session(2);
        snapshot::register(&ctx, &snapshots).unwrap();
        ctx
    }

    async fn rows(
        &self,
        ctx: &SessionContext,
        metric: &Metric,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Vec<RecordBatch> {
        metric.rows(ctx, from, to).await.unwrap_or_else(|error| panic!("{error}: {error:?}"))
    }

    async fn replace(&self, id: TableId, batches: &[RecordBatch]) {
        let mut table = self.warehouse.table(id).await.unwrap();
        let remove = table.snapshot().files().iter().map(|file| file.path.clone()).collect();
        let schema = id.schema();
        let columns = |batch: &RecordBatch| {
            let column = |name: &String| batch.column_by_name(name).unwrap().clone();
            let cast = schema
                .fields()
                .iter()
                .map(|field| arrow::compute::cast(&column(field.name()), field.data_type()).unwrap());
            RecordBatch::try_new(schema.clone(), cast.collect()).unwrap()
        };
        let rows = concat_batches(&schema, &batches.iter().map(columns).collect::<Vec<_>>()).unwrap();
        let add = match rows.num_rows() {
            0 => Vec::new(),
            _ => table.write(&[rows]).await.unwrap(),
        };
        table.commit(Change { add, remove, ..Change::default() }).await.unwrap();
    }

    async fn newest_event(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let attempts = self.warehouse.table(TableId::Attempts).await.unwrap();
        let files = attempts.snapshot().files().iter();
        files.filter_map(|file| file.bounds().instant("started_at").most).max().map(|at| at.min(now))
    }

    async fn announce(&self, publication: Publication, tables: &[Metric]) {
        let version = async |id: TableId| self.warehouse.table(id).await.unwrap().snapshot().version();
        let mut table = self.warehouse.table(publications::id()).await.unwrap();
        let last = Publication::newest(table.snapshot()).await.unwrap();
        let mut publication = Publication { number: last.map_or(0, |last| last.number + 1), ..publication };
        for metric in [gate::METRIC].iter().chain(tables) {
            let name = metric.table.name.to_owned();
            publication.as_of.insert(name.clone(), publication.watermark);
            publication.versions.insert(name, version(metric.id()).await);
        }
        let usage = TableId::UsageDaily;
        publication.seen.insert(usage.name().to_owned(), version(usage).await);
        let add = table.write(&[publication.row().unwrap()]).await.unwrap();
        table.commit(Change { add, ..Change::default() }).await.unwrap();
    }
}
