//! Publication: computes what changed since the last one, and says in one row of `publications` which versions of the
//! tables belong together.
//!
//! Tables whose content changed are committed first, `publications` last, each by compare-and-set with the transaction
//! `publish/<table>` at the number of the publication, or further where what somebody left was of that number. What a
//! process that was killed in between has left is in no publication; its days count as changed in the next round, which makes
//! it whole. Of two that publish the same at a time one is fenced and looks again; two lanes (`lanes`) go on beside each other.
//! Rollups that stand at different versions of `attempts` are waited for.
//!
//! What it does not do: say what a number is (`metrics`).

mod attempts;
mod changes;
mod due;
mod hours;
mod lanes;
mod late;
mod moved;
mod newest;
mod place;
mod put;
mod renamed;
mod report;
mod revise;
mod rows;
mod scope;
mod stage;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellwether_metrics::publications::Log;
use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::revisions::Revised;
use bellwether_metrics::{Lane, METRICS, Metric, Renamed, Terms};
use bellwether_warehouse::{
    Advance, Followed, Kind, Snapshot, Standing, Table, TableId, Warehouse, snapshot,
};
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::jobs::refresh;
pub use report::{PublishReport, PublishedTable};
use scope::Scope;
use stage::Froms;
pub(crate) use standing::{newest_date, published};

/// Publishes one warehouse. May be stopped anywhere and run again.
#[derive(Debug)]
pub struct Publisher {
    warehouse: Warehouse,
    terms: Terms,
    fingerprint: String,
    scope: Scope,
    sources: Followed,
    /// In the order in which they are computed.
    tables: Vec<Published>,
    publications: Table,
    /// The newest publication when this process began: whatever it was made under, it may be taken over.
    begun: Option<Begun>,
    has_announced: bool,
    /// Of tables that are put hour by hour, what their rows were made of.
    made: BTreeMap<&'static str, hours::Made>,
    /// On which it may run statements.
    threads: usize,
}

#[derive(Debug)]
struct Begun {
    number: i64,
    terms: String,
}

#[derive(Debug)]
struct Published {
    metric: &'static Metric,
    table: Table,
}

/// What one publication goes by.
struct Round {
    last: Option<Publication>,
    number: i64,
    /// Version of `attempts` that every rollup has.
    attempts_version: Option<i64>,
    /// Everything is computed afresh.
    is_afresh: bool,
    /// The first one under another catalogue of which closed dates may stand until the night.
    takes_over: bool,
    /// Names, and days whose logged names were read again, whose closed dates wait for the night.
    renamed: Arc<Renamed>,
    /// What waits for the night is put.
    is_night: bool,
    /// Nothing stands yet, and there is much: pages are not to wait for all of it.
    is_opening: bool,
    terms: Terms,
    now: DateTime<Utc>,
    /// On which statements are run.
    threads: usize,
    /// Tables of another lane, as the last publication names them.
    others: Vec<Snapshot>,
    /// What publications tell of replaced dates, read where it is asked for.
    log: OnceCell<Arc<Log>>,
}

/// What one publication put.
#[derive(Debug, Default)]
struct Stage {
    tables: Vec<PublishedTable>,
    froms: Froms,
    lates: Froms,
    /// Closed dates whose rows were replaced.
    revised: Vec<Revised>,
    /// Tables that another lane has to put first.
    left: BTreeSet<&'static str>,
    /// A table has content that no publication names.
    is_unnamed: bool,
}

impl Publisher {
    /// Creates the published tables that are missing. The watermark and the running day of `terms` are of no matter.
    ///
    /// # Errors
    /// When a table can be neither read nor made.
    pub async fn open(warehouse: &Warehouse, terms: Terms) -> Result<Self, Error> {
        Self::open_some(warehouse, terms, METRICS).await
    }

    /// Publishes what is of now, and nothing before another has published everything under these terms.
    ///
    /// # Errors
    /// As there.
    pub async fn fast(warehouse: &Warehouse, terms: Terms) -> Result<Self, Error> {
        Self::open_scope(warehouse, terms, Scope::Fast, Scope::Fast.metrics()).await
    }

    /// Publishes all else.
    ///
    /// # Errors
    /// As there.
    pub async fn slow(warehouse: &Warehouse, terms: Terms) -> Result<Self, Error> {
        Self::open_scope(warehouse, terms, Scope::Slow, Scope::Slow.metrics()).await
    }

    /// Publishes some tables alone.
    async fn open_some(
        warehouse: &Warehouse,
        terms: Terms,
        metrics: &'static [Metric],
    ) -> Result<Self, Error> {
        Self::open_scope(warehouse, terms, Scope::Everything, metrics).await
    }

    async fn open_scope(
        warehouse: &Warehouse,
        terms: Terms,
        scope: Scope,
        metrics: impl IntoIterator<Item = &'static Metric>,
    ) -> Result<Self, Error> {
        let open = async |id: TableId| {
            warehouse.table(id).await.map_err(|source| Error::Open { table: id.name(), source })
        };
        let ensured = warehouse.ensure(&bellwether_metrics::tables()).await;
        ensured.map_err(|source| Error::Open { table: publications::NAME, source })?;
        let mut ids = vec![TableId::Attempts];
        ids.extend(TableId::of(Kind::Folded).chain(TableId::of(Kind::Recomputed)));
        ids.extend(publications::sources());
        let sources = Followed::open(warehouse, &ids).await.map_err(|source| Error::Look { source })?;
        let mut tables = Vec::new();
        for metric in metrics {
            tables.push(Published { metric, table: open(metric.id()).await? });
        }
        let publications = open(publications::id()).await?;
        let newest = Publication::newest(publications.snapshot()).await.map_err(Error::metric)?;
        let begun = newest.map(|newest| Begun { number: newest.number, terms: newest.terms });
        Ok(Self {
            warehouse: warehouse.clone(),
            fingerprint: terms.fingerprint(),
            terms,
            sources,
            tables,
            publications,
            begun,
            has_announced: false,
            made: BTreeMap::new(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            scope,
        })
    }

    /// Publishes what there is to publish at `now`: much of it in several publications, the newest days first.
    ///
    /// # Errors
    /// What was announced stands, and the next round begins with what is missing.
    pub async fn publish(&mut self, now: DateTime<Utc>) -> Result<PublishReport, Error> {
        self.publish_while(now, || true).await
    }

    /// The same, and after each publication it is asked whether to go on.
    pub(crate) async fn publish_while(
        &mut self,
        now: DateTime<Utc>,
        goes_on: impl Fn() -> bool + Send,
    ) -> Result<PublishReport, Error> {
        let mut report = PublishReport::default();
        loop {
            let stage = self.publish_stage(now).await?;
            report.waits_for = stage.waits_for;
            report.number = stage.number.or(report.number);
            for table in stage.tables {
                report.add(table);
            }
            if !stage.is_partial || stage.number.is_none() || !goes_on() {
                return Ok(report);
            }
        }
    }

    /// One publication at most: where nothing is published yet, what pages cannot do without.
    ///
    /// # Errors
    /// Nothing is published then.
    pub async fn publish_stage(&mut self, now: DateTime<Utc>) -> Result<PublishReport, Error> {
        if let Standing::Uneven { behind } = self.look().await? {
            return Ok(PublishReport::waiting(&behind));
        }
        let round = self.begin(now).await?;
        if self.scope == Scope::Fast && round.is_anew() {
            return Ok(PublishReport::default());
        }
        let stage = self.put_all(&round).await?;
        let mut report = PublishReport {
            tables: stage.tables.clone(),
            is_partial: round.is_opening || !stage.froms.is_empty(),
            ..PublishReport::default()
        };
        let is_behind = round.last.as_ref().is_none_or(|last| {
            let said = match self.scope {
                Scope::Fast => last.live_attempts_version,
                Scope::Everything | Scope::Slow => last.attempts_version,
            };
            said != round.attempts_version || self.lacks_other(last, &round, &stage)
        });
        if round.is_anew() || is_behind || stage.is_unnamed {
            report.number = Some(self.announce(&round, &stage).await?);
        }
        Ok(report)
    }

    async fn look(&mut self) -> Result<Standing, Error> {
        refresh(&mut self.publications).await?;
        for published in &mut self.tables {
            refresh(&mut published.table).await?;
        }
        self.sources.refresh().await.map_err(|source| Error::Look { source })?;
        Ok(self.sources.standing())
    }

    async fn begin(&self, now: DateTime<Utc>) -> Result<Round, Error> {
        let last = Publication::newest(self.publications.snapshot()).await.map_err(Error::metric)?;
        if self.scope != Scope::Fast {
            self.refuse_other_terms(last.as_ref())?;
        }
        let attempts_version = match self.sources.standing() {
            Standing::Even(version) => version,
            Standing::Uneven { .. } => None,
        };
        let is_other = last.as_ref().is_none_or(|last| last.terms != self.fingerprint);
        let renamed = match &last {
            Some(last) if is_other => self.renamed_since(last).await?,
            _ => None,
        };
        let takes_over = renamed.is_some();
        let is_afresh = is_other && !takes_over;
        let mut waits = last.as_ref().filter(|_| !is_afresh).map(|last| last.renamed.clone());
        if let (Some(waits), Some(renamed)) = (&mut waits, renamed) {
            waits.add(renamed);
        }
        if let (Some(waits), Some(last)) = (&mut waits, &last)
            && self.scope != Scope::Fast
        {
            let remapped = self.remapped_since(last).await?;
            // What comes while the night goes on waits for the next one.
            waits.is_begun &= remapped.is_subset(&waits.remapped);
            waits.remapped.extend(remapped);
        }
        let watermark = publications::watermark(self.newest_event(now), now);
        Ok(Round {
            attempts_version,
            others: self.named_by(last.as_ref(), is_other).await?,
            number: last.as_ref().map_or(0, |last| last.number + 1),
            is_afresh,
            threads: self.threads_for(last.as_ref(), is_afresh),
            takes_over,
            renamed: Arc::new(waits.unwrap_or_default()),
            is_night: match self.scope {
                Scope::Everything => true,
                Scope::Slow => last.as_ref().is_some_and(|last| late::is_night(last, watermark)),
                Scope::Fast => false,
            },
            is_opening: last.is_none() && stage::is_much(&self.sources),
            terms: Terms { watermark, today: now.date_naive(), ..self.terms.clone() },
            last,
            now,
            log: OnceCell::new(),
        })
    }

    /// All of them while pages lack a part of the history.
    fn threads_for(&self, last: Option<&Publication>, is_afresh: bool) -> usize {
        let lacks = |name: &String| {
            let is_ours =
                |known: &Published| known.metric.table.name == *name && known.metric.lane != Lane::Fast;
            self.tables.iter().any(is_ours)
        };
        let is_whole = !is_afresh && last.is_some_and(|last| !last.complete_from.keys().any(lacks));
        if is_whole || self.scope == Scope::Fast { half(self.threads) } else { self.threads }
    }

    /// Commits the tables whose content changed.
    async fn put_all(&mut self, round: &Round) -> Result<Stage, Error> {
        let mut stage = Stage::default();
        for at in 0..self.tables.len() {
            self.put_next(at, round, &mut stage).await?;
        }
        Ok(stage)
    }

    async fn put_next(&mut self, at: usize, round: &Round, stage: &mut Stage) -> Result<(), Error> {
        let metric = self.tables.get(at).map(|published| published.metric);
        let Some(metric) = metric.filter(|metric| self.puts(metric, round.is_anew())) else { return Ok(()) };
        let name = metric.table.name;
        if let Some(published) = self.tables.get_mut(at).filter(|_| metric.lane != Lane::Slow) {
            // Whoever publishes under former terms still puts it every few seconds.
            refresh(&mut published.table).await?;
        }
        let due = self.due(at, round, &stage.froms).await?;
        let put = self.put(at, &due, round, &mut stage.revised).await?;
        stage.is_unnamed |= due.is_unnamed || put.is_some();
        stage.tables.extend(put);
        stage.froms.extend(due.from.map(|from| (name.to_owned(), from)));
        stage.lates.extend(due.late_from.map(|from| (name.to_owned(), from)));
        stage.left.extend(due.is_left.then_some(name));
        Ok(())
    }

    /// Two that publish under different terms would undo each other's work for ever. Whoever came last has taken over.
    fn refuse_other_terms(&self, last: Option<&Publication>) -> Result<(), Error> {
        let may_go = |last: &Publication| {
            let Some(begun) = &self.begun else { return false };
            // The one before may still publish, until it is told.
            last.number <= begun.number || (last.terms == begun.terms && !self.has_announced)
        };
        match last {
            Some(last) if last.terms != self.fingerprint && !may_go(last) => Err(Error::OtherTerms {
                number: last.number,
                published_at: last.published_at,
                theirs: last.terms.clone(),
                ours: self.fingerprint.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// A session with all rollups and published tables, for one of these: its own rows are those of `own`.
    async fn session(
        &self,
        round: &Round,
        metric: &Metric,
        own: Arc<dyn TableProvider>,
        threads: usize,
    ) -> Result<SessionContext, Error> {
        let ctx = self.warehouse.session(threads);
        let own_lane = self.tables.iter().filter(|published| self.puts(published.metric, round.is_anew()));
        let published = own_lane.map(|published| published.table.snapshot()).chain(&round.others);
        let is_meant = |snapshot: &&Snapshot| ![metric.id(), TableId::Attempts].contains(&snapshot.table());
        let snapshots: Vec<Snapshot> =
            self.sources.snapshots().chain(published).filter(is_meant).cloned().collect();
        snapshot::register(&ctx, &snapshots).map_err(failed)?;
        ctx.register_table(metric.table.name, own).map_err(failed)?;
        if metric.inputs.contains(&TableId::Attempts) {
            let attempts = self.attempts_at(round.attempts_version).await?;
            ctx.register_table(TableId::Attempts.name(), attempts).map_err(failed)?;
        }
        bellwether_metrics::register(&ctx, &round.terms).await.map_err(Error::metric)?;
        Ok(ctx)
    }
}

/// The other half is left to ingest and pages.
fn half(threads: usize) -> usize {
    threads.div_ceil(2)
}

/// Moves the transaction of a published table, in any case: of two commits for one number, each made from the same state,
/// the later one is fenced.
fn advance(table: &Table, number: i64) -> Advance {
    let app = publications::app(table.id());
    let from = table.snapshot().txn(&app);
    Advance { app, from, to: from.map_or(number, |from| number.max(from + 1)) }
}

fn failed(source: DataFusionError) -> Error {
    Error::Query { statement: "publish", source: Box::new(source) }
}
