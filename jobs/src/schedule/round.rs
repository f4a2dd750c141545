//! One round: what is due, one after the other.

use std::error::Error as StdError;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use chrono::{DateTime, Utc};
use futures::FutureExt;

use super::report::{JobReport, Outcome, RoundReport};
use super::{Job, Timetable};
use crate::error::Error;
use crate::jobs::Jobs;
use crate::metric;

pub(crate) async fn run(jobs: &mut Jobs, timetable: &mut Timetable, now: DateTime<Utc>) -> RoundReport {
    let mut report = RoundReport::default();
    for job in Job::ALL {
        if !timetable.is_due(job, now) {
            continue;
        }
        let started = Instant::now();
        // A panic is a bug, but no reason for the rollups to stand still until someone restarts us: what a
        // job leaves behind is the state of the tables, and every job reads that afresh.
        let result = AssertUnwindSafe(run_job(job, jobs, timetable, now)).catch_unwind().await;
        let took = started.elapsed();
        let outcome = match result {
            Ok(Ok(rows)) => {
                metric::ran(job.name(), took, u64::try_from(rows).unwrap_or_default());
                timetable.note(job, now);
                Outcome::Done { rows }
            }
            Ok(Err(error)) if error.is_fenced() => {
                tracing::info!(job = job.name(), error = &error as &dyn StdError, "another worker was first");
                timetable.note(job, now);
                Outcome::Fenced
            }
            Ok(Err(error)) => {
                tracing::error!(
                    job = job.name(),
                    error = &error as &dyn StdError,
                    "job failed, the next round tries again"
                );
                metric::failed(job.name());
                Outcome::Failed { error: chain(&error) }
            }
            Err(_) => {
                tracing::error!(job = job.name(), "job panicked, the next round tries again");
                metric::failed(job.name());
                Outcome::Failed { error: "it panicked".to_owned() }
            }
        };
        report.jobs.push(JobReport { job, seconds: took.as_secs_f64(), outcome });
    }
    report
}

/// Returns rows read (fold, rebuild) or written.
async fn run_job(job: Job, jobs: &mut Jobs, timetable: &Timetable, now: DateTime<Utc>) -> Result<i64, Error> {
    match job {
        Job::Fold => jobs.fold(now).await.map(|report| report.attempts),
        Job::Routing => jobs.route().await.map(|report| report.rows),
        Job::Settle => jobs.settle(timetable.settling(now), now).await.map(|report| report.rows),
        Job::Expire => jobs.expire(now).await.map(|report| report.rows),
        Job::Rebuild => {
            let Some((from, to)) = timetable.rebuild_range(now) else {
                return Ok(0);
            };
            let report = jobs.rebuild(from, to, now).await?;
            for drift in report.drift.iter().filter(|drift| drift.keys_differing > 0) {
                tracing::warn!(
                    table = drift.table,
                    keys_differing = drift.keys_differing,
                    rows_before = drift.rows_before,
                    rows_after = drift.rows_after,
                    "rebuilding changed what stood"
                );
            }
            Ok(report.attempts)
        }
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
