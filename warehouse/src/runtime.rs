//! What all sessions of a process share, one budget of memory and one of temporary files, and what those of one
//! warehouse do.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use datafusion::common::exec_err;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::error::DataFusionError;
use datafusion::execution::cache::cache_manager::{CacheManager, CacheManagerConfig};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnv;
use object_store::{DynObjectStore, ObjectStore};
use url::Url;

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
pub(crate) static SHARED: LazyLock<Arc<RuntimeEnv>> = LazyLock::new(|| {
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

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit};

    use super::{DEFAULT_MEMORY_BYTES, FOOTER_BYTES, limit_memory, runtime};
    use crate::session::{session, without_files};

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
