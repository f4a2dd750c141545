//! What became of a round.

use std::fmt;

use serde::Serialize;

use super::Job;
use crate::publish::PublishReport;

/// What became of the jobs of one round. As text, one line a job.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RoundReport {
    pub jobs: Vec<JobReport>,
}

/// What became of one job.
#[derive(Clone, Debug, Serialize)]
pub struct JobReport {
    pub job: Job,
    pub seconds: f64,
    pub outcome: Outcome,
    /// Of a publication that did not fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishReport>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Rows read (fold, rebuild) or written (all others).
    Done { rows: i64 },
    /// Another worker was at it.
    Fenced,
    /// Logged in full; the next round tries again.
    Failed { error: String },
}

impl RoundReport {
    /// True when no job failed.
    pub fn is_clean(&self) -> bool {
        !self.jobs.iter().any(|report| matches!(report.outcome, Outcome::Failed { .. }))
    }
}

impl RoundReport {
    /// True when some job read or wrote rows.
    pub(super) fn has_rows(&self) -> bool {
        self.jobs.iter().any(|report| matches!(report.outcome, Outcome::Done { rows: 1.. }))
    }
}

impl fmt::Display for RoundReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, JobReport { job, seconds, outcome, published }) in self.jobs.iter().enumerate() {
            let end = if at + 1 < self.jobs.len() { "\n" } else { "" };
            let job = job.name();
            match outcome {
                Outcome::Done { .. } if published.is_some() => {
                    write!(f, "{job:<8} {seconds:>8.2} s  ")?;
                    published.iter().try_for_each(|report| write!(f, "{report}{end}"))?;
                }
                Outcome::Done { rows } => write!(f, "{job:<8} {seconds:>8.2} s  {rows} rows{end}")?,
                Outcome::Fenced => write!(f, "{job:<8} {seconds:>8.2} s  another worker was first{end}")?,
                Outcome::Failed { error } => write!(f, "{job:<8} {seconds:>8.2} s  failed: {error}{end}")?,
            }
        }
        Ok(())
    }
}
