//! Computes the dates of one table that are due and puts those that changed in the place of what stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellwether_metrics::revisions::{Reason, Revised};
use bellwether_metrics::{Lane, Metric};
use bellwether_warehouse::{Change, DataFile};
use chrono::NaiveDate;
use datafusion::catalog::TableProvider;
use datafusion::prelude::SessionContext;

use super::changes::{self, DATES};
use super::due::Due;
use super::place::{self, Group, Piece};
use super::revise::{self, Judge, Verdict};
use super::rows::{ByDate, divide};
use super::scope::{LANE, Scope, TERMS};
use super::{Published, PublishedTable, Publisher, Round, advance, failed, half, report};
use crate::dates::date_of;
use crate::error::Error;

/// What a commit does to the files of a table.
#[derive(Default)]
pub(super) struct Replaced {
    pub add: Vec<DataFile>,
    pub remove: Vec<String>,
    /// Dates whose rows are others than before.
    pub changed: BTreeSet<NaiveDate>,
}

/// What becomes of the files of a table.
struct Plan {
    /// Those that it will have.
    files: Vec<DataFile>,
    replaced: Replaced,
    /// Closed dates that are to be told, with their numbers.
    revised: BTreeMap<NaiveDate, i64>,
    reasons: BTreeMap<NaiveDate, Reason>,
    judge: Judge,
}

/// What the statement of a table is run with.
struct Asked<'a> {
    metric: &'static Metric,
    /// What the statement sees of the table itself.
    own: Arc<dyn TableProvider>,
    ctx: SessionContext,
    threads: usize,
    dropped: &'a BTreeSet<NaiveDate>,
    keeps_windows: bool,
}

/// The dates of one partition that are due.
struct Task {
    dates: BTreeSet<NaiveDate>,
    today: NaiveDate,
    /// Its time is over: it is to be one file.
    is_closed: bool,
    /// Files that hold rows of these dates, or are to become one.
    met: Vec<DataFile>,
}

/// Rows that are to be written, and the files whose rows are among them.
struct Rewrite {
    rows: ByDate,
    remove: Vec<DataFile>,
}

impl Publisher {
    /// None: nothing changed, and nothing was committed.
    pub(super) async fn put(
        &mut self,
        at: usize,
        due: &Due,
        round: &Round,
        revised: &mut Vec<Revised>,
    ) -> Result<Option<PublishedTable>, Error> {
        let is_due = !due.dates.is_empty() || !due.dropped.is_empty();
        let Some(published) = self.tables.get(at).filter(|_| is_due) else { return Ok(None) };
        let (metric, today) = (published.metric, round.terms.today);
        if let Some(column) = metric.hours_column().filter(|_| self.scope == Scope::Fast) {
            return self.put_hours(at, column, round).await;
        }
        let began = self.warehouse.world().now();
        let files = published.table.snapshot().files().to_vec();
        let judge = self.judge(metric, due, round).await?;
        let mut plan = Plan {
            files,
            judge,
            replaced: Replaced::default(),
            revised: BTreeMap::new(),
            reasons: BTreeMap::new(),
        };
        let dropped = plan.drop(metric, due);
        let own = published.table.snapshot().provider_over(plan.files.clone());
        // Windows hold sketches of many days: twice as many side by side find no memory.
        let threads =
            if metric.is_of_windows() { round.threads.min(half(self.threads)) } else { round.threads };
        let ctx = self.session(round, metric, Arc::clone(&own), threads).await?;
        let mut asked =
            Asked { metric, own, ctx, threads, dropped: &dropped, keeps_windows: due.keeps_windows };
        let input_rows = self.input_rows(metric)?;
        let pieces = place::pieces(metric, due.dates.union(&dropped).copied().collect(), &input_rows);
        let mut ahead = None;
        // While one piece is compared and written, the next is computed.
        for piece in pieces.into_iter().map(Some).chain([None]) {
            let ctx = asked.ctx.clone();
            let (computed, put) = tokio::join!(
                asked.piece(piece.as_ref(), today),
                self.put_piece(at, &ctx, ahead.take(), round, &mut plan)
            );
            put?;
            let computed = match computed {
                Err(error) if error.is_out_of_memory() => {
                    self.computed_alone(&mut asked, piece.as_ref(), round).await?
                }
                computed => computed?,
            };
            ahead = piece.zip(computed);
        }
        revised.extend(revise::told(metric, due, std::mem::take(&mut plan.revised), &plan.reasons));
        let put = self.commit(at, plan.replaced, due.dates.contains(&today), round).await?;
        let seconds = self.warehouse.world().since(began).as_secs_f64();
        let put = put.map(|put| PublishedTable { seconds, ..put });
        report::tell(metric.table.name, due.dates.len(), put.as_ref(), seconds);
        Ok(put)
    }

    /// With nothing beside it and on one thread from now on, because each holds a part of its own.
    async fn computed_alone(
        &self,
        asked: &mut Asked<'_>,
        piece: Option<&Piece>,
        round: &Round,
    ) -> Result<Option<ByDate>, Error> {
        let Asked { metric, threads, .. } = *asked;
        tracing::info!(table = metric.table.name, threads, "too little memory: alone, on one thread");
        if threads > 1 {
            asked.threads = 1;
            asked.ctx = self.session(round, metric, Arc::clone(&asked.own), 1).await?;
        }
        asked.piece(piece, round.terms.today).await
    }

    async fn put_piece(
        &self,
        at: usize,
        ctx: &SessionContext,
        piece: Option<(Piece, ByDate)>,
        round: &Round,
        plan: &mut Plan,
    ) -> Result<(), Error> {
        let (Some(Published { metric, .. }), Some((piece, mut computed))) = (self.tables.get(at), piece)
        else {
            return Ok(());
        };
        // The newest is what most readers wait for.
        for (group, dates) in piece.into_iter().rev() {
            let own = computed.extract_if(.., |date, _| dates.contains(date)).collect();
            let task = Task::new(metric, group, dates, round.terms.today, &plan.files);
            self.put_group(at, ctx, (task, own), round, plan).await?;
        }
        Ok(())
    }

    async fn put_group(
        &self,
        at: usize,
        ctx: &SessionContext,
        (task, computed): (Task, ByDate),
        round: &Round,
        plan: &mut Plan,
    ) -> Result<(), Error> {
        let Some(Published { metric, .. }) = self.tables.get(at) else { return Ok(()) };
        let stands = match self.standing(ctx, at, &task).await {
            // Rows of former columns may not be readable as rows of these; all of them are made anew.
            Err(error) if round.is_afresh => {
                tracing::warn!(
                    table = metric.table.name,
                    error = &error as &dyn std::error::Error,
                    "what stands cannot be compared with what is computed"
                );
                ByDate::new()
            }
            stands => stands?,
        };
        let judge = plan.judge.clone();
        let (stands, computed, verdict) = differing(task.dates.clone(), stands, computed, judge).await?;
        plan.revised.extend(verdict.revised);
        plan.reasons.extend(verdict.reasons);
        let changed = verdict.changed;
        let is_scattered = task.is_closed && task.met.len() > 1;
        if changed.is_empty() && !is_scattered {
            return Ok(());
        }
        let rewrite = task.rewrite(metric, stands, computed, &changed);
        let written = self.write(at, &rewrite, task.is_closed).await?;
        plan.replace(rewrite.remove, written);
        plan.replaced.changed.extend(changed);
        Ok(())
    }

    /// Rows of each date that the statement may have to read.
    fn input_rows(&self, metric: &Metric) -> Result<BTreeMap<NaiveDate, i64>, Error> {
        let mut rows = BTreeMap::new();
        for input in metric.inputs {
            for file in self.sources.snapshot(*input).map(|input| input.files()).unwrap_or_default() {
                *rows.entry(date_of(*input, file)?).or_default() += file.rows;
            }
        }
        Ok(rows)
    }

    /// What stands of the dates of the files that are met.
    async fn standing(&self, ctx: &SessionContext, at: usize, task: &Task) -> Result<ByDate, Error> {
        let Some(Published { metric, table }) = self.tables.get(at) else { return Ok(ByDate::new()) };
        let rows = ctx.read_table(table.snapshot().provider_over(task.met.clone())).map_err(failed)?;
        let rows = rows.collect().await.map_err(failed)?;
        divide(metric, &rows, task.today)
    }

    async fn write(&self, at: usize, rewrite: &Rewrite, as_one: bool) -> Result<Vec<DataFile>, Error> {
        let Some(Published { table, .. }) = self.tables.get(at) else { return Ok(Vec::new()) };
        let failed = |source| Error::Write { table: table.id().name(), source };
        let batches: Vec<_> = rewrite.rows.values().cloned().collect();
        if as_one {
            return table.write(&batches).await.map_err(failed);
        }
        let mut files = Vec::new();
        for batch in batches {
            files.extend(table.write(&[batch]).await.map_err(failed)?);
        }
        Ok(files)
    }

    /// What the fast lane has committed of the running day meanwhile is no reason to compute other days again.
    async fn pass_fast_lane(&mut self, at: usize) -> Result<(), Error> {
        let Some(Published { metric, table }) = self.tables.get(at) else { return Ok(()) };
        if self.scope != Scope::Slow || metric.lane != Lane::Today {
            return Ok(());
        }
        let failed = |source| Error::Log { table: metric.table.name, source };
        let mut newer = self.warehouse.table(metric.id()).await.map_err(failed)?;
        let version = newer.refresh().await.map_err(failed)?;
        let commits = newer.commits(table.snapshot().version(), version).await.map_err(failed)?;
        let is_passed = commits.iter().all(|commit| self.is_of_fast_lane(commit));
        if let Some(published) = self.tables.get_mut(at).filter(|_| is_passed) {
            published.table = newer;
        }
        Ok(())
    }

    pub(super) async fn commit(
        &mut self,
        at: usize,
        replaced: Replaced,
        has_today: bool,
        round: &Round,
    ) -> Result<Option<PublishedTable>, Error> {
        if replaced.add.is_empty() && replaced.remove.is_empty() {
            return Ok(None);
        }
        if !has_today {
            self.pass_fast_lane(at).await?;
        }
        let (lane, terms) = (self.scope.name(), self.fingerprint.clone());
        let Some(Published { metric, table }) = self.tables.get_mut(at) else { return Ok(None) };
        let name = metric.table.name;
        let rows = replaced.add.iter().map(|file| file.rows).sum();
        let info = [
            ("job", "publish".into()),
            (LANE, lane.into()),
            (TERMS, terms.into()),
            ("publication", round.number.into()),
            ("rows", serde_json::Value::from(rows)),
            (DATES, changes::tell(&place::runs(&replaced.changed))),
        ];
        let change = Change {
            advance: vec![advance(table, round.number)],
            add: replaced.add,
            remove: replaced.remove,
            info: info.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            data_change: !replaced.changed.is_empty(),
            ..Change::default()
        };
        table.commit(change).await.map_err(|source| Error::Commit { table: name, source })?;
        Ok(Some(PublishedTable { table: name, dates: replaced.changed.len(), rows, seconds: 0.0 }))
    }
}

impl Plan {
    /// Files of dropped dates alone go unread. Returns the dates of others.
    fn drop(&mut self, metric: &Metric, due: &Due) -> BTreeSet<NaiveDate> {
        let is_gone = |file: &DataFile| {
            let mut dates = place::dates_of(metric, file).peekable();
            dates.peek().is_some() && dates.all(|date| due.dropped.contains(&date))
        };
        let (gone, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.files).into_iter().partition(is_gone);
        self.replaced.changed.extend(gone.iter().flat_map(|file| place::dates_of(metric, file)));
        self.replaced.remove.extend(gone.into_iter().map(|file| file.path));
        self.files = left;
        let in_files = |date: &NaiveDate| {
            self.files.iter().any(|file| place::meets(place::span_of(metric, file), &BTreeSet::from([*date])))
        };
        due.dropped.iter().copied().filter(in_files).collect()
    }

    fn replace(&mut self, removed: Vec<DataFile>, written: Vec<DataFile>) {
        for file in removed {
            self.files.retain(|stands| stands.path != file.path);
            // What was written a moment ago belongs to no version yet, and is left to vacuum.
            let Replaced { add, remove, .. } = &mut self.replaced;
            let stood = add.len();
            add.retain(|added| added.path != file.path);
            if add.len() == stood {
                remove.push(file.path);
            }
        }
        self.files.extend(written.iter().cloned());
        self.replaced.add.extend(written);
    }
}

impl Task {
    fn new(
        metric: &Metric,
        group: Group,
        dates: BTreeSet<NaiveDate>,
        today: NaiveDate,
        files: &[DataFile],
    ) -> Self {
        let is_closed = place::is_closed(metric, group, today);
        let of_group = files.iter().filter(|file| place::lies_in(group, file));
        let is_met = |file: &&DataFile| is_closed || place::meets(place::span_of(metric, file), &dates);
        let met = of_group.filter(is_met).cloned().collect();
        Self { dates, today, is_closed, met }
    }

    /// What is closed as a whole; else the files in which something changed.
    fn rewrite(
        &self,
        metric: &Metric,
        mut stands: ByDate,
        computed: ByDate,
        changed: &BTreeSet<NaiveDate>,
    ) -> Rewrite {
        let mut remove = Vec::new();
        let mut dates = changed.clone();
        if self.is_closed {
            remove.clone_from(&self.met);
            dates.extend(stands.keys().copied());
        } else {
            // A file may hold several dates, and a date may lie in several files.
            let mut left = self.met.clone();
            loop {
                let (hit, rest): (Vec<_>, Vec<_>) =
                    left.into_iter().partition(|file| place::meets(place::span_of(metric, file), &dates));
                left = rest;
                if hit.is_empty() {
                    break;
                }
                for file in &hit {
                    let (first, last) = place::span_of(metric, file);
                    dates.extend(stands.range(first..=last).map(|(date, _)| *date));
                }
                remove.extend(hit);
            }
        }
        stands.retain(|date, _| dates.contains(date) && !self.dates.contains(date));
        stands.extend(computed.into_iter().filter(|(date, _)| dates.contains(date)));
        Rewrite { rows: stands, remove }
    }
}

impl Asked<'_> {
    /// Rows of a piece; of what is dropped there are none.
    async fn piece(&self, piece: Option<&Piece>, today: NaiveDate) -> Result<Option<ByDate>, Error> {
        let Some(piece) = piece else { return Ok(None) };
        let dates = piece.values().flatten().filter(|date| !self.dropped.contains(date)).copied().collect();
        self.rows(&dates, today).await.map(Some)
    }

    async fn rows(&self, dates: &BTreeSet<NaiveDate>, today: NaiveDate) -> Result<ByDate, Error> {
        let metric = self.metric;
        let mut computed = ByDate::new();
        // What a table keeps no more comes out empty.
        let kept = dates.iter().copied().filter(|date| metric.keeps(*date, today)).collect();
        for (from, to) in place::runs(&kept) {
            let rows = match self.keeps_windows {
                true => metric.moved_rows(&self.ctx, from, to).await,
                false => metric.rows(&self.ctx, from, to).await,
            };
            let rows = divide(metric, &rows.map_err(Error::metric)?, today)?;
            if let Some(date) = rows.keys().find(|date| **date < from || **date > to) {
                let detail =
                    format!("the statement gives rows of {date} when it is asked for {from} to {to}");
                return Err(Error::BadRows { table: metric.table.name, detail });
            }
            computed.extend(rows);
        }
        Ok(computed)
    }
}

/// Both, the latter with the numbers that are due, and what has changed. Off the threads on which everybody waits.
async fn differing(
    dates: BTreeSet<NaiveDate>,
    stands: ByDate,
    mut computed: ByDate,
    judge: Judge,
) -> Result<(ByDate, ByDate, Verdict), Error> {
    let compared = tokio::task::spawn_blocking(move || {
        let verdict = judge.compare(&dates, &stands, &mut computed)?;
        Ok((stands, computed, verdict))
    });
    compared.await.map_err(|source| Error::Task { job: "publish", source })?
}
