//! DataFusion sessions with the sketch functions and pinned tables registered.

use std::sync::{Arc, LazyLock, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;

use crate::snapshot::Snapshot;
use crate::tables::{TableId, attempts};

/// Bytes that the statements of all sessions may hold together, unless `limit_memory` said otherwise. Too few:
/// groupings and sorts go through temporary files, and what cannot fails with `Resources exhausted`.
pub const DEFAULT_MEMORY_BYTES: usize = 2 << 30;

static MEMORY_BYTES: OnceLock<usize> = OnceLock::new();

/// One for the process, so that a Parquet footer read for one query is at hand for the next, and one budget
/// holds for all of them.
static RUNTIME: LazyLock<Arc<RuntimeEnv>> = LazyLock::new(|| {
    let bytes = *MEMORY_BYTES.get_or_init(|| DEFAULT_MEMORY_BYTES);
    let runtime = RuntimeEnv { memory_pool: Arc::new(FairSpillPool::new(bytes)), ..RuntimeEnv::default() };
    Arc::new(runtime)
});

/// Sets what the statements of all sessions of this process may hold together. Only before the first session;
/// returns whether it was.
pub fn limit_memory(bytes: usize) -> bool {
    MEMORY_BYTES.set(bytes).is_ok()
}

/// A session with Bellwether's functions and no tables. `threads` = target partitions.
pub fn session(threads: usize) -> SessionContext {
    let mut config =
        SessionConfig::new().with_target_partitions(threads.max(1)).with_information_schema(true);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // Scans and casts give the types that the table schemas name.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    let ctx = SessionContext::new_with_config_rt(config, Arc::clone(&RUNTIME));
    crate::sketches::register(&ctx);
    ctx
}

/// Registers each snapshot under its table name, and the `requests` view when `attempts` is among them.
pub fn register(ctx: &SessionContext, snapshots: &[Snapshot]) -> Result<(), DataFusionError> {
    for snapshot in snapshots {
        ctx.register_table(snapshot.table().name(), snapshot.provider())?;
        if snapshot.table() == TableId::Attempts {
            attempts::register_requests(ctx)?;
        }
    }
    Ok(())
}

/// Rows of an answer as they come.
pub struct Answer(SendableRecordBatchStream);

impl Answer {
    /// Starts a statement.
    pub async fn of(frame: DataFrame) -> Result<Self, DataFusionError> {
        frame.execute_stream().await.map(Self)
    }

    pub fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    /// None at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, DataFusionError> {
        self.0.try_next().await
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit};

    use super::{DEFAULT_MEMORY_BYTES, limit_memory, session};

    #[test]
    fn all_sessions_share_one_bounded_budget() {
        let pools = [session(1), session(2)].map(|ctx| ctx.runtime_env().memory_pool.clone());
        assert!(
            matches!(pools[0].memory_limit(), MemoryLimit::Finite(bytes) if bytes == DEFAULT_MEMORY_BYTES)
        );
        let held = MemoryConsumer::new("one").register(&pools[0]);
        held.try_grow(DEFAULT_MEMORY_BYTES / 4 * 3).unwrap();
        let refused = MemoryConsumer::new("other").register(&pools[1]);
        assert!(refused.try_grow(DEFAULT_MEMORY_BYTES / 2).is_err());
        drop(held);
        refused.try_grow(DEFAULT_MEMORY_BYTES / 2).unwrap();
        // Too late for another one.
        assert!(!limit_memory(1));
    }
}
