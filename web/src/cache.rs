//! Compressed pages by address, data version, theme and encoding. Misses on one key run once.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use moka::future::Cache;

use crate::compress::Encoding;
use crate::error::Problem;
use crate::place::Stale;
use crate::url::Theme;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Path with suffix and canonical query.
    pub address: String,
    /// Build and table versions.
    pub versions: Arc<str>,
    pub theme: Theme,
    pub stale: Option<Stale>,
    pub encoding: Encoding,
}

#[derive(Debug)]
pub(crate) struct PageCache {
    pages: Cache<Key, Bytes>,
}

/// Bytes of bookkeeping per page.
const OVERHEAD: usize = 256;

impl PageCache {
    pub fn new(budget_bytes: usize) -> Self {
        let pages = Cache::builder()
            .max_capacity(budget_bytes as u64)
            .weigher(|key: &Key, body: &Bytes| {
                u32::try_from(key.address.len() + body.len() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .build();
        Self { pages }
    }

    /// The page and whether it came from the cache. Errors are not kept.
    pub async fn get(
        &self,
        key: Key,
        render: impl Future<Output = Result<Bytes, Arc<Problem>>>,
    ) -> Result<(Bytes, bool), Arc<Problem>> {
        let entry =
            self.pages.entry(key).or_try_insert_with(render).await.map_err(|error| (*error).clone())?;
        let hit = !entry.is_fresh();
        Ok((entry.into_value(), hit))
    }

    /// Gives everything back: no page of a former dataset is asked for again, and new numbers come every few seconds.
    pub fn forget(&self) {
        self.pages.invalidate_all();
    }

    #[cfg(test)]
    pub async fn bytes(&self) -> u64 {
        self.pages.run_pending_tasks().await;
        self.pages.weighted_size()
    }
}
