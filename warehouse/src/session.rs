//! DataFusion sessions with the sketch functions and pinned tables registered.

use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::snapshot::Snapshot;

/// A session with Bellwether's functions and no tables. `threads` = target partitions.
pub fn session(threads: usize) -> SessionContext {
    let _ = threads;
    unimplemented!()
}

/// Registers each snapshot under its table name, and the `requests` view when `attempts` is among them.
pub fn register(ctx: &SessionContext, snapshots: &[Snapshot]) -> Result<(), DataFusionError> {
    let _ = (ctx, snapshots);
    unimplemented!()
}
