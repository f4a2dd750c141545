//! Worker loops: each reads a log, fills a batch and flushes it.

pub mod kafka;
mod pace;
pub mod spool;

#[cfg(test)]
mod tests;

use bellwether_warehouse as warehouse;

use crate::{dedup, identity, sink};

/// Why a worker ended by itself. Trouble that may pass is tried again and never ends one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to open the tables")]
    Tables(#[source] warehouse::Error),
    #[error("failed to read the spool")]
    Spool(#[source] crate::spool::Error),
    #[error(
        "the table stands at offset {position} of spool `{spool}`, which holds {low} to {head}: records are \
         missing; restore the folder, or move it away to go on without them"
    )]
    SpoolGap { spool: String, position: i64, low: i64, head: i64 },
    #[error("failed to reach kafka")]
    Client(#[source] kafka::ClientError),
    #[error("kafka reports a failure that does not pass")]
    Kafka(#[source] rdkafka::error::KafkaError),
    #[error("failed to read the label secrets")]
    Identity(#[source] identity::Error),
    #[error("failed to read back the ids already ingested")]
    Window(#[source] dedup::RebuildError),
    #[error("failed to flush")]
    Flush(#[source] sink::FlushError),
    #[error("a worker thread ended unexpectedly")]
    Thread,
}

impl Error {
    /// True when a worker that is started again would meet the same, or pass over records that a human must look at
    /// first.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::SpoolGap { .. })
    }
}
