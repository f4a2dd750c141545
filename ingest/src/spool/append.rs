//! What waits for the writer, and why it may be refused.

use std::ops::Range;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::ballast;
use super::segment::FRAME_BYTES;
use crate::metric;

/// Bytes that may wait for the writer. Beyond it a sender waits with its own share of the intake's budget.
pub(super) const QUEUE_BYTES: usize = 32 << 20;

/// Records to append, and where to tell their offsets.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) records: Vec<Vec<u8>>,
    pub(super) done: oneshot::Sender<Result<Range<i64>, AppendError>>,
    pub(super) _place: OwnedSemaphorePermit,
}

/// Bytes of these records in a segment.
pub(super) fn size(records: &[Vec<u8>]) -> usize {
    records.iter().map(|record| record.len() + FRAME_BYTES).sum()
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    #[error("the spool holds `spool.max_bytes`; ingest is behind")]
    Bound,
    #[error("the spool's disk is full")]
    DiskFull,
    #[error("the spool cannot be written: {0}")]
    Failed(String),
    #[error("the spool's writer has ended")]
    Stopped,
    #[error("a record of {0} bytes is longer than the spool takes")]
    TooLarge(usize),
}

impl AppendError {
    /// Counts an append that was refused with this.
    pub(crate) fn count(&self) {
        let reason = match self {
            Self::Bound => "bound",
            Self::DiskFull => "disk_full",
            Self::Failed(_) | Self::Stopped | Self::TooLarge(_) => "failed",
        };
        metrics::counter!(metric::SPOOL_REFUSED, "reason" => reason).increment(1);
    }

    pub(super) fn of(error: &std::io::Error) -> Self {
        if ballast::is_full(error) { Self::DiskFull } else { Self::Failed(error.to_string()) }
    }
}
