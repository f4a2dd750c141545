//! What can stop a job. Every job may simply be run again.

use bellwether_warehouse::{CommitError, chain};
use datafusion::error::DataFusionError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to open table `{table}`")]
    Open {
        table: &'static str,
        #[source]
        source: bellwether_warehouse::Error,
    },
    #[error("failed to read the log of table `{table}`")]
    Log {
        table: &'static str,
        #[source]
        source: bellwether_warehouse::Error,
    },
    #[error("failed to write rows of table `{table}`")]
    Write {
        table: &'static str,
        #[source]
        source: bellwether_warehouse::Error,
    },
    #[error("failed to commit rows of table `{table}`")]
    Commit {
        table: &'static str,
        #[source]
        source: CommitError,
    },
    #[error("failed to maintain table `{table}`")]
    Upkeep {
        table: &'static str,
        #[source]
        source: bellwether_warehouse::Error,
    },
    #[error("failed to compact table `{table}`")]
    Compact {
        table: &'static str,
        #[source]
        source: Box<bellwether_warehouse::maintain::CompactError>,
    },
    #[error("failed to put other names into rows of table `{table}` of {date}")]
    Rewrite {
        table: &'static str,
        date: chrono::NaiveDate,
        #[source]
        source: Box<bellwether_warehouse::maintain::CompactError>,
    },
    #[error("it is not known how far the rollups are, and nothing they may need is touched: {detail}")]
    Maintain { detail: String },
    #[error("failed to run statement `{statement}`")]
    Query {
        statement: &'static str,
        #[source]
        source: Box<DataFusionError>,
    },
    #[error(
        "table `{table}` was computed up to version {folded} of `attempts`, which stands at {version}; was `attempts` replaced? move `{table}` away too, so that it is computed afresh"
    )]
    Ahead { table: &'static str, folded: i64, version: i64 },
    #[error("attempts of {date} are not in table `{table}` yet")]
    Unfolded { table: &'static str, date: chrono::NaiveDate },
    #[error("a task of job `{job}` stopped")]
    Task {
        job: &'static str,
        #[source]
        source: tokio::task::JoinError,
    },
    #[error("failed to make what is published")]
    Publish {
        #[source]
        source: Box<bellwether_metrics::Error>,
    },
    #[error("failed to look at the rollups")]
    Look {
        #[source]
        source: bellwether_warehouse::PinError,
    },
    #[error("rows of table `{table}` cannot be published: {detail}")]
    BadRows { table: &'static str, detail: String },
    #[error(
        "publication {number} of {published_at} was made under the terms {theirs}, and this process has {ours}: another one publishes with another configuration, catalogue or version of Bellwether; stop one of the two"
    )]
    OtherTerms { number: i64, published_at: chrono::DateTime<chrono::Utc>, theirs: String, ours: String },
    #[error("publication {number} of another process came first")]
    Overtaken { number: i64 },
    #[error("date range {from} to {to} ends before it begins")]
    EmptyRange { from: chrono::NaiveDate, to: chrono::NaiveDate },
    #[error("table `{table}` has a file whose date is `{date}`")]
    BadDate { table: &'static str, date: String },
    /// What could be done apart from these is done.
    #[error("{}", each(.0))]
    Several(Vec<Error>),
}

impl Error {
    pub(crate) fn metric(source: bellwether_metrics::Error) -> Self {
        Self::Publish { source: Box::new(source) }
    }

    pub(crate) fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Publish { source } if source.is_out_of_memory())
    }

    /// Whether a file was to be read that is not there.
    pub(crate) fn is_missing_file(&self) -> bool {
        bellwether_warehouse::is_missing_file(self)
    }

    /// True when another worker was first, or has to be. Nothing is lost: it did the work, or the next try will.
    pub fn is_fenced(&self) -> bool {
        match self {
            Self::Commit { source, .. } => source.is_refusal(),
            Self::Rewrite { source, .. } => source.is_refusal(),
            Self::Unfolded { .. } | Self::Overtaken { .. } => true,
            Self::Several(errors) => errors.iter().all(Self::is_fenced),
            _ => false,
        }
    }
}

fn each(errors: &[Error]) -> String {
    let texts: Vec<String> = errors.iter().map(|error| chain(error)).collect();
    format!("{} failures: {}", errors.len(), texts.join("; "))
}

/// What went wrong while the rest of a run went on.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<Error>);

impl Failures {
    /// The value of what went well.
    pub(crate) fn take<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// `done` where nothing failed, else all that did.
    pub(crate) fn or<T>(mut self, done: T) -> Result<T, Error> {
        match (self.0.pop(), self.0.is_empty()) {
            (None, _) => Ok(done),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                self.0.push(last);
                Err(Error::Several(self.0))
            }
        }
    }
}
