//! Where the intake appends: a durable log, answered only when the records are safe.

use std::fmt;

use futures::future::BoxFuture;

use crate::spool::{self, Spool};

/// One stripped event, or the reject of a record, as it is appended.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The request id. Records of one key keep their order and meet in one partition, so that a batch that is
    /// sent again meets its first copy.
    pub key: Option<String>,
    pub payload: Vec<u8>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("payload_bytes", &self.payload.len()).finish()
    }
}

/// The log is not taking records now; the sender should come back.
#[derive(Debug, thiserror::Error)]
#[error("failed to append")]
pub struct AppendError {
    is_over_bound: bool,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl AppendError {
    pub fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { is_over_bound: false, source: Box::new(source) }
    }

    /// The log holds as much as it may: it is well, but whoever reads it is behind.
    pub(super) fn is_over_bound(&self) -> bool {
        self.is_over_bound
    }
}

impl From<spool::AppendError> for AppendError {
    fn from(error: spool::AppendError) -> Self {
        Self { is_over_bound: matches!(error, spool::AppendError::Bound), source: Box::new(error) }
    }
}

pub trait Appender: fmt::Debug + Send + Sync + 'static {
    /// Appends the records in order and resolves once they are durable.
    fn append(&self, records: Vec<Outgoing>) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Why an append would be refused now, as far as can be told before a body is read.
    fn refusal(&self) -> Option<AppendError> {
        None
    }
}

/// Appends to the spool of this host.
#[derive(Clone, Debug)]
pub struct SpoolAppender {
    spool: Spool,
}

impl SpoolAppender {
    pub fn new(spool: Spool) -> Self {
        Self { spool }
    }
}

impl Appender for SpoolAppender {
    fn append(&self, records: Vec<Outgoing>) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            let payloads = records.into_iter().map(|record| record.payload).collect();
            self.spool.append(payloads).await?;
            Ok(())
        })
    }

    fn refusal(&self) -> Option<AppendError> {
        let refusal = self.spool.refusal()?;
        refusal.count();
        Some(refusal.into())
    }
}
