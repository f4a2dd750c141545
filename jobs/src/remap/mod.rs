//! Names of rows that stand are read again: of the raw names that `attempts` keeps, under the catalogue of now.
//!
//! Date by date: files that hold a name which is taken for another one are replaced by files with as many rows in the same
//! order, in one commit that changes data. It says that it is no news, so that no fold counts its rows again, moves no
//! transaction of a stream, and marks the date (`mark`). Rollups of a marked date are made again, by whoever comes first: the
//! remap itself, another one after it was ended, or the rounds of the service. Compaction and rebuild of the same files
//! exclude each other: whoever finds one gone begins again. A date that holds no such name is not touched, and a second run
//! commits nothing.
//!
//! What it does not do: labels. Their rows cannot be joined to attempts, so their models stay as they came.

mod report;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bellwether_warehouse::maintain::Rewriting;
use bellwether_warehouse::tables::attempts::{AttemptRow, Named};
use bellwether_warehouse::tables::rollup::Made;
use bellwether_warehouse::{DataFile, TableId};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::error::DataFusionError;
use futures::TryStreamExt;
use futures::future::BoxFuture;

use crate::dates::{dates_of, files_of};
use crate::error::{Error, Failures};
use crate::jobs::{Jobs, refresh};
use crate::maintain::Intent;
use crate::mark;
use crate::rebuild::{self, Batch, Folding};
use crate::replace::REWRITTEN_BY;
use report::Renames;
pub use report::{Left, RemapReport, Renaming};
use rows::{Columns, Judge, LOOKED_AT, Verdict, renamed};

const JOB: &str = "remap";
/// Tries at one date. Others change the files of a date once in minutes.
const TRIES: u32 = 8;
/// Before the second try; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What names are taken for: the catalogue, as jobs see it.
pub trait Naming: Send + Sync {
    /// None: that hangs on what the row does not tell.
    fn name(&self, row: &AttemptRow<'_>) -> Option<Named>;

    /// Puts the prices into a row that has other names than before.
    fn price<'r>(&'r self, row: &mut AttemptRow<'r>);
}

/// Which dates are read, both ends included, and whether anything is done.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// None: from the first one.
    pub from: Option<NaiveDate>,
    /// None: up to the last one.
    pub to: Option<NaiveDate>,
    pub intent: Intent,
}

/// Called when a date was read and nothing of it is committed. Tests let others commit there.
type Looked<'a> = &'a mut (dyn FnMut() -> BoxFuture<'static, ()> + Send);

/// What is found of one date.
#[derive(Default)]
struct Found {
    /// Files that hold a name which is taken for another one.
    files: Vec<DataFile>,
    rows: i64,
    unclear_rows: i64,
    renames: Renames,
}

impl Jobs {
    /// Reads names of `attempts` again, and makes the rollups of the dates again whose names are others now.
    ///
    /// # Errors
    /// A table cannot be read or written, or others were first again and again. The other dates are done.
    pub async fn remap(
        &mut self,
        asked: Asked,
        naming: &dyn Naming,
        now: DateTime<Utc>,
    ) -> Result<RemapReport, Error> {
        remap_beside(self, asked, naming, now, &mut || Box::pin(async {})).await
    }
}

async fn remap_beside(
    jobs: &mut Jobs,
    asked: Asked,
    naming: &dyn Naming,
    now: DateTime<Utc>,
    looked: Looked<'_>,
) -> Result<RemapReport, Error> {
    let (mut report, mut renames, mut failures) =
        (RemapReport::default(), Renames::default(), Failures::default());
    report.is_done = asked.intent == Intent::Do;
    refresh(&mut jobs.attempts).await?;
    for date in dates_of(jobs.attempts.snapshot())? {
        if asked.from.is_some_and(|from| date < from) || asked.to.is_some_and(|to| date > to) {
            continue;
        }
        report.dates_read += 1;
        let found = date_again(jobs, date, asked.intent, naming, now, looked).await;
        let Some(found) = failures.take(found) else { continue };
        report.dates += usize::from(found.rows > 0);
        report.files += found.files.len();
        report.rows += found.rows;
        report.unclear_rows += found.unclear_rows;
        renames.add_all(found.renames);
    }
    renames.tell(&mut report);
    if asked.intent == Intent::Do {
        // What was renamed stands and is told all the same: whoever runs next makes the rollups again.
        if let Err(error) = rebuild_all(jobs, now, &mut report.rebuilt).await {
            report.left = Some(if error.is_fenced() { Left::Fenced } else { Left::Failed });
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "names were read again, and not all of their rollups made again"
            );
        }
    }
    failures.or(report)
}

/// One date, and again from its beginning where others were first.
async fn date_again(
    jobs: &mut Jobs,
    date: NaiveDate,
    intent: Intent,
    naming: &dyn Naming,
    now: DateTime<Utc>,
    looked: Looked<'_>,
) -> Result<Found, Error> {
    let mut pause = FIRST_PAUSE;
    for tried in 1.. {
        let found = look(jobs, date, naming).await?;
        if found.files.is_empty() || intent == Intent::Tell {
            return Ok(found);
        }
        looked().await;
        match put(jobs, date, &found, naming, now).await {
            Ok(()) => return Ok(found),
            Err(error) if error.is_fenced() && tried < TRIES => {
                tracing::info!(
                    %date,
                    error = &error as &dyn std::error::Error,
                    "files changed while their names were read again; beginning the date again"
                );
            }
            Err(error) => return Err(error),
        }
        jobs.warehouse().world().sleep(pause).await;
        pause *= 2;
        refresh(&mut jobs.attempts).await?;
    }
    Ok(Found::default())
}

/// What of a date is taken for something else now.
async fn look(jobs: &Jobs, date: NaiveDate, naming: &dyn Naming) -> Result<Found, Error> {
    let failed = |source: DataFusionError| Error::Query { statement: JOB, source: Box::new(source) };
    let attempts = jobs.attempts.snapshot();
    let (mut found, mut judge) = (Found::default(), Judge::new(naming));
    let ctx = attempts.session(jobs.threads());
    for file in files_of(attempts, &BTreeSet::from([date]))? {
        let rows = ctx.read_table(attempts.provider_over(vec![file.clone()])).map_err(failed)?;
        let rows = rows.select_columns(&LOOKED_AT).map_err(failed)?;
        let mut batches = rows.execute_stream().await.map_err(failed)?;
        let mut others = 0;
        while let Some(batch) = batches.try_next().await.map_err(failed)? {
            for row in Columns::of(&batch).rows() {
                match judge.of(&row) {
                    Verdict::Same => {}
                    Verdict::Unclear => found.unclear_rows += 1,
                    Verdict::Other(named) => {
                        others += 1;
                        found.renames.add(&row, &named);
                    }
                }
            }
        }
        if others > 0 {
            found.rows += others;
            found.files.push(file);
        }
    }
    Ok(found)
}

async fn put(
    jobs: &mut Jobs,
    date: NaiveDate,
    found: &Found,
    naming: &dyn Naming,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let info = [
        (REWRITTEN_BY, JOB.into()),
        ("job", JOB.into()),
        ("rows", serde_json::Value::from(found.rows)),
        ("date", date.to_string().into()),
    ];
    let rewriting = Rewriting {
        each: &|batch| renamed(batch, naming),
        advance: vec![mark::remap(jobs.attempts.snapshot(), date, now)],
        info: info.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
    };
    let done = jobs.attempts.rewrite(found.files.clone(), rewriting).await;
    let done = done.map_err(|source| Error::Rewrite {
        table: TableId::Attempts.name(),
        date,
        source: Box::new(source),
    })?;
    tracing::info!(%date, version = done.version, files = done.files, rows = found.rows, "names were read again");
    Ok(())
}

/// Dates of rollups that are to be made again, with the tables. Works take turns in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub dates: BTreeSet<NaiveDate>,
    pub tables: BTreeSet<TableId>,
}

impl Due {
    /// Of the tables that each date is to be made again of.
    pub(crate) fn of_days(
        jobs: &Jobs,
        days: &BTreeMap<NaiveDate, BTreeSet<TableId>>,
    ) -> Result<Vec<Self>, Error> {
        let batches = rebuild::batches(jobs, |date| days.contains_key(&date))?;
        let work = |dates: BTreeSet<NaiveDate>| {
            let tables = dates.iter().filter_map(|date| days.get(date)).flatten().copied().collect();
            Self { dates, tables }
        };
        Ok(batches.into_iter().map(work).collect())
    }
}

/// What is to be made again because names of its attempts were read again. Rows of weeks and months as a whole.
pub(crate) async fn due(jobs: &mut Jobs, now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    jobs.refresh().await?;
    let attempts = jobs.attempts.snapshot();
    let mut of_days: BTreeMap<NaiveDate, BTreeSet<TableId>> = BTreeMap::new();
    let mut due = Vec::new();
    let is_rebuilt: BTreeSet<TableId> = jobs.rebuilt().map(|(rollup, _)| rollup.level.table).collect();
    for (rollup, table) in jobs.rollups().filter(|(rollup, _)| rollup.family.made != Made::FromCommits) {
        let (id, grain) = (rollup.level.table, rollup.level.grain);
        let first_kept = rollup.level.first_kept(now.date_naive());
        let mut buckets = BTreeSet::new();
        for date in mark::remapped(attempts, table.snapshot()).range(first_kept..) {
            if is_rebuilt.contains(&id) {
                of_days.entry(*date).or_default().insert(id);
            } else {
                buckets.insert(grain.date(*date));
            }
        }
        for first in buckets {
            let dates = first.iter_days().take_while(|date| *date <= grain.last_day(first)).collect();
            due.push(Due { dates, tables: BTreeSet::from([id]) });
        }
    }
    let mut works = Due::of_days(jobs, &of_days)?;
    works.append(&mut due);
    Ok(works)
}

/// Counts what was made again, also where something failed.
async fn rebuild_all(jobs: &mut Jobs, now: DateTime<Utc>, made: &mut usize) -> Result<(), Error> {
    let mut failures = Failures::default();
    for Due { dates, tables } in due(jobs, now).await? {
        let batch = Batch { dates: &dates, tables, now, folding: Folding::Here };
        let done = rebuild::rebuild_batch(jobs, batch, &mut || Box::pin(async {})).await;
        *made += usize::from(failures.take(done).is_some());
    }
    failures.or(())
}
