//! DataFusion sessions with the sketch functions and pinned tables registered.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::exec_err;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::cache::cache_manager::{CacheManager, CacheManagerConfig};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use object_store::{DynObjectStore, ObjectStore};
use url::Url;

use crate::snapshot::Snapshot;
use crate::tables::{TableId, attempts};

/// Bytes that the statements of all sessions may hold together, unless `limit_memory` said otherwise. Too few:
/// groupings and sorts go through temporary files, and what cannot fails with `Resources exhausted`.
pub const DEFAULT_MEMORY_BYTES: usize = 2 << 30;

/// Parquet footers kept for the next statement over the same files: some 30 KB each, and folds, compaction and the site
/// read most files once. More: fewer reads where statements come back to more files than these.
const FOOTER_BYTES: usize = 16 << 20;

static MEMORY_BYTES: OnceLock<usize> = OnceLock::new();

/// The root of the warehouse, in sessions.
const URL: &str = "bellwether://warehouse/";

/// One budget of memory and one of temporary files for all sessions of the process. No store is in it.
static SHARED: LazyLock<Arc<RuntimeEnv>> = LazyLock::new(|| {
    let bytes = *MEMORY_BYTES.get_or_init(|| DEFAULT_MEMORY_BYTES);
    Arc::new(RuntimeEnv {
        memory_pool: Arc::new(FairSpillPool::new(bytes)),
        object_store_registry: Arc::new(Alone(None)),
        ..RuntimeEnv::default()
    })
});

/// Sessions of one warehouse share it, so that a Parquet footer read for one query is at hand for the next.
pub(crate) fn runtime(store: Arc<DynObjectStore>) -> Arc<RuntimeEnv> {
    Arc::new(RuntimeEnv {
        memory_pool: Arc::clone(&SHARED.memory_pool),
        disk_manager: Arc::clone(&SHARED.disk_manager),
        object_store_registry: Arc::new(Alone(Some(store))),
        cache_manager: footers(),
    })
}

fn footers() -> Arc<CacheManager> {
    let caches = CacheManagerConfig::default().with_metadata_cache_limit(FOOTER_BYTES);
    // Nothing but a cache of the caller's own could be refused.
    CacheManager::try_new(&caches).unwrap_or_else(|_| Arc::clone(&RuntimeEnv::default().cache_manager))
}

pub(crate) fn url() -> Result<ObjectStoreUrl, DataFusionError> {
    ObjectStoreUrl::parse(URL)
}

/// The store of one warehouse and no other: no statement reaches the host's files or another bucket.
struct Alone(Option<Arc<DynObjectStore>>);

impl fmt::Debug for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alone")
    }
}

impl ObjectStoreRegistry for Alone {
    /// Nothing is added.
    fn register_store(&self, _url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        Some(store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        match &self.0 {
            Some(store) if url.as_str().starts_with(URL) => Ok(Arc::clone(store)),
            _ => {
                exec_err!("nothing but the tables of the warehouse can be read here, not {}://", url.scheme())
            }
        }
    }
}

/// Sets what the statements of all sessions of this process may hold together. Only before the first session;
/// returns whether it was.
pub fn limit_memory(bytes: usize) -> bool {
    MEMORY_BYTES.set(bytes).is_ok()
}

/// A session with Bellwether's functions over rows in memory: it reads no file. What scans tables comes from the
/// warehouse or a snapshot.
pub fn without_files(threads: usize) -> SessionContext {
    session(threads, &SHARED)
}

/// A session with Bellwether's functions and no tables. `threads` = target partitions.
pub(crate) fn session(threads: usize, runtime: &Arc<RuntimeEnv>) -> SessionContext {
    let mut config =
        SessionConfig::new().with_target_partitions(threads.max(1)).with_information_schema(true);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // Scans and casts give the types that the table schemas name.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    let ctx = SessionContext::new_with_config_rt(config, Arc::clone(runtime));
    crate::sketches::register(&ctx);
    attempts::register_functions(&ctx);
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

    use super::{DEFAULT_MEMORY_BYTES, FOOTER_BYTES, limit_memory, runtime, session, without_files};

    #[test]
    fn all_sessions_share_one_bounded_budget() {
        let of_a_warehouse = runtime(std::sync::Arc::new(object_store::memory::InMemory::new()));
        assert_eq!(of_a_warehouse.cache_manager.get_metadata_cache_limit(), FOOTER_BYTES);
        let sessions = [without_files(1), session(2, &of_a_warehouse)];
        let pools = sessions.map(|ctx| ctx.runtime_env().memory_pool.clone());
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
