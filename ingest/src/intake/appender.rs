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
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl AppendError {
    pub fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source) }
    }
}

pub trait Appender: fmt::Debug + Send + Sync + 'static {
    /// Appends the records in order and resolves once they are durable.
    fn append(&self, records: Vec<Outgoing>) -> BoxFuture<'_, Result<(), AppendError>>;
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
            let appended: Result<_, spool::AppendError> = self.spool.append(payloads).await;
            appended.map(drop).map_err(AppendError::new)
        })
    }
}
