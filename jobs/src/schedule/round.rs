//! One round: what is due of some jobs, one after the other. None that fails stops another.

use std::any::Any;
use std::error::Error as StdError;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bellwether_warehouse::chain;
use chrono::{DateTime, Utc};
use futures::FutureExt;

use super::report::{JobReport, Outcome, RoundReport};
use super::{Job, Timetable};
use crate::error::{Error, Failures};
use crate::jobs::Jobs;
use crate::metric;
use crate::rebuild::{self, Batch, Folding, RebuildReport};
use crate::remap::{self, Due};

/// What a round does, and beside whom.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Everything that is due, to its end: nobody else is expected to be at it.
    Whole,
    /// Only the fold.
    Folding,
    /// All but the fold, which another task does. At most one batch of dates is rebuilt in a round, so that a
    /// long rebuild does not hold up the rest.
    Upkeep,
}

impl Part {
    fn has(self, job: Job) -> bool {
        match self {
            Self::Whole => true,
            Self::Folding => job == Job::Fold,
            Self::Upkeep => job != Job::Fold,
        }
    }
}

/// What a job that did not fail did.
pub(super) struct Done {
    /// Read (fold, rebuild) or written (all others).
    pub rows: i64,
    /// Something is left for the next round.
    pub left: bool,
}

impl Jobs {
    /// Every job once, whatever ran when.
    pub async fn run_once(&mut self, now: DateTime<Utc>) -> RoundReport {
        run(self, &mut Timetable::default(), Part::Whole, now).await
    }
}

pub(super) async fn run(
    jobs: &mut Jobs,
    timetable: &mut Timetable,
    part: Part,
    now: DateTime<Utc>,
) -> RoundReport {
    let mut report = RoundReport::default();
    for job in Job::ALL {
        if !part.has(job) || !timetable.is_due(job, now) {
            continue;
        }
        let world = jobs.warehouse().world().clone();
        let started = world.now();
        // A panic is a bug, but no reason for the rollups to stand still until someone restarts us: what a
        // job leaves behind is the state of the tables, and every job reads that afresh.
        let result = AssertUnwindSafe(run_job(job, jobs, timetable, part, now)).catch_unwind().await;
        report.jobs.push(conclude(job, result, world.since(started), timetable, now));
    }
    report
}

/// What became of a job: counted, logged, and noted for when it is due again. `Err`: it panicked.
pub(super) fn conclude(
    job: Job,
    result: Result<Result<Done, Error>, Box<dyn Any + Send>>,
    took: Duration,
    timetable: &mut Timetable,
    now: DateTime<Utc>,
) -> JobReport {
    let outcome = match result {
        Ok(Ok(Done { rows, left })) => {
            metric::ran(job.name(), took, u64::try_from(rows).unwrap_or_default());
            if left {
                timetable.note_part(job)
            } else {
                timetable.note(job, now)
            }
            Outcome::Done { rows }
        }
        Ok(Err(error)) if error.is_fenced() => {
            tracing::info!(job = job.name(), error = &error as &dyn StdError, "another worker was first");
            timetable.note_fenced(job, now);
            Outcome::Fenced
        }
        Ok(Err(error)) => {
            metric::failed(job.name());
            let pause = timetable.note_failure(job, now);
            tracing::error!(
                job = job.name(),
                error = &error as &dyn StdError,
                again_in_secs = pause.as_secs(),
                "job failed and will be tried again"
            );
            Outcome::Failed { error: chain(&error) }
        }
        Err(_) => {
            metric::failed(job.name());
            let pause = timetable.note_failure(job, now);
            tracing::error!(
                job = job.name(),
                again_in_secs = pause.as_secs(),
                "job panicked and will be tried again"
            );
            Outcome::Failed { error: "it panicked".to_owned() }
        }
    };
    JobReport { job, seconds: took.as_secs_f64(), outcome, published: None }
}

async fn run_job(
    job: Job,
    jobs: &mut Jobs,
    timetable: &mut Timetable,
    part: Part,
    now: DateTime<Utc>,
) -> Result<Done, Error> {
    let rows = match job {
        Job::Fold => jobs.fold(now).await?.attempts,
        Job::Routing => jobs.recompute().await?.rows,
        Job::Settle => jobs.settle(timetable.settling(now), now).await?.rows,
        Job::Expire => jobs.expire(now).await?.rows,
        Job::Rebuild => return rebuild_due(jobs, timetable, part, now).await,
        // By itself: see `Publishing`.
        Job::Live | Job::Publish => 0,
    };
    Ok(Done { rows, left: false })
}

async fn rebuild_due(
    jobs: &mut Jobs,
    timetable: &mut Timetable,
    part: Part,
    now: DateTime<Utc>,
) -> Result<Done, Error> {
    let mut works = match timetable.nightly() {
        Some(nightly) => {
            let due = rebuild::due(jobs, nightly, now).await?;
            Due::of_days(jobs, &due)?
        }
        None => Vec::new(),
    };
    // Names that were read again are due at once, whatever the hour.
    works.extend(remap::due(jobs, now).await?);
    works.sort();
    // After the last one tried, so that one that fails holds up no other. Months and weeks lie over days, so dates alone do not
    // tell which one that was.
    let next = works.iter().position(|work| Some(work) > timetable.rebuild_tried.as_ref());
    works.rotate_left(next.unwrap_or_default());
    let (folding, most) = match part {
        Part::Whole | Part::Folding => (Folding::Here, usize::MAX),
        Part::Upkeep => (Folding::Elsewhere, 1),
    };
    let left = works.len() > most;
    let mut rows = 0;
    let mut failures = Failures::default();
    for work in works.into_iter().take(most) {
        timetable.rebuild_tried = Some(work.clone());
        let Due { dates, tables } = work;
        let batch = Batch { dates: &dates, tables, now, folding };
        match rebuild::rebuild_batch(jobs, batch, &mut || Box::pin(async {})).await {
            Ok(report) => {
                rows += report.attempts;
                warn_of_drift(&report);
            }
            Err(error) => {
                tracing::warn!(
                    from = ?dates.first(),
                    to = ?dates.last(),
                    error = &error as &dyn StdError,
                    "dates were not rebuilt"
                );
                failures.take::<()>(Err(error));
            }
        }
    }
    failures.or(Done { rows, left })
}

fn warn_of_drift(report: &RebuildReport) {
    for drift in report.drift.iter().filter(|drift| drift.keys_differing > 0) {
        tracing::warn!(
            table = drift.table,
            keys_differing = drift.keys_differing,
            rows_before = drift.rows_before,
            rows_after = drift.rows_after,
            "rebuilding changed what stood"
        );
    }
}
