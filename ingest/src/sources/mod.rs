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
    #[error("failed to take topic `{topic}` partition {partition}")]
    Take {
        topic: String,
        partition: i32,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "topic `{topic}` partition {partition}: the table stands at offset {position}, but the broker's oldest \
         record is {low}: records were deleted before they were ingested; set `on_gap = \"skip\"` to go on without them"
    )]
    Gap { topic: String, partition: i32, position: i64, low: i64 },
    #[error(
        "topic `{topic}` partition {partition}: the table stands at offset {position}, but the broker ends at {high}: \
         the topic was recreated; raise its `incarnation`"
    )]
    Recreated { topic: String, partition: i32, position: i64, high: i64 },
    #[error("all {partitions} partitions are stopped; see the errors above")]
    AllStopped { partitions: usize },
    #[error(
        "topic `{topic}` partition {partition}: more than {share} of the last {window} records before offset {offset} \
         were rejected; check the topic's `format`, or raise `ingest.max_reject_share`"
    )]
    Poison { topic: String, partition: i32, offset: i64, share: f64, window: u64 },
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
        matches!(
            self,
            Self::SpoolGap { .. }
                | Self::Gap { .. }
                | Self::Recreated { .. }
                | Self::AllStopped { .. }
                | Self::Poison { .. }
        )
    }
}
