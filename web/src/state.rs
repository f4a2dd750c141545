//! The running site: the current dataset and the page cache. `follow` replaces the dataset.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bellwether_warehouse::Warehouse;
use chrono::{DateTime, Utc};

use crate::cache::PageCache;
use crate::config::WebConfig;
use crate::data::{Dataset, Names, Options, RefreshError, Refresher};
use crate::gate::Gate;
use crate::progress::Progress;

/// Cheap to clone; all clones are one site.
#[derive(Clone, Debug)]
pub struct Site {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    warehouse: Warehouse,
    options: Options,
    config: WebConfig,
    /// Settings that change what a page says, as one word: a part of every validator.
    settings: String,
    dataset: RwLock<Option<Arc<Dataset>>>,
    /// `None` until the tables could be opened.
    refresher: tokio::sync::Mutex<Option<Refresher>>,
    progress: Mutex<Progress>,
    cache: PageCache,
    gate: Gate,
    renders: AtomicU64,
    clock: Clock,
}

/// Tells the time; tests stand still.
pub(crate) type Clock = fn() -> DateTime<Utc>;

impl Site {
    /// Loads the first dataset. A failure is logged and tried again by [`Site::run`]; pages answer 503 until then.
    pub async fn open(warehouse: &Warehouse, config: WebConfig, names: Names) -> Self {
        Self::open_at(warehouse, config, names, Utc::now).await
    }

    pub(crate) async fn open_at(
        warehouse: &Warehouse,
        config: WebConfig,
        names: Names,
        clock: Clock,
    ) -> Self {
        let settings = settings(&config, &names);
        let options = Options::of(&config, names);
        let site = Self {
            inner: Arc::new(Inner {
                warehouse: warehouse.clone(),
                options,
                gate: Gate::for_this_machine(),
                cache: PageCache::new(config.page_cache),
                config,
                settings,
                dataset: RwLock::default(),
                refresher: tokio::sync::Mutex::default(),
                progress: Mutex::default(),
                renders: AtomicU64::new(0),
                clock,
            }),
        };
        site.refresh().await;
        site
    }

    pub(crate) async fn refresher(&self) -> tokio::sync::MutexGuard<'_, Option<Refresher>> {
        self.inner.refresher.lock().await
    }

    pub(crate) async fn open_refresher(&self) -> Result<Refresher, RefreshError> {
        Refresher::open(&self.inner.warehouse, self.inner.options.clone()).await
    }

    /// The current dataset; `None` until the first load succeeded.
    pub fn dataset(&self) -> Option<Arc<Dataset>> {
        self.inner.dataset.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn swap(&self, dataset: Arc<Dataset>) {
        *self.inner.dataset.write().unwrap_or_else(PoisonError::into_inner) = Some(dataset);
        self.inner.cache.forget();
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }

    pub fn config(&self) -> &WebConfig {
        &self.inner.config
    }

    /// The same word for the same pages: see [`Inner::settings`].
    pub(crate) fn settings(&self) -> &str {
        &self.inner.settings
    }

    pub(crate) fn lock_progress(&self) -> MutexGuard<'_, Progress> {
        self.inner.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn progress(&self) -> Progress {
        self.lock_progress().clone()
    }

    /// Pages and files rendered so far; a response from the cache or by its validator renders nothing.
    pub fn renders(&self) -> u64 {
        self.inner.renders.load(Ordering::Relaxed)
    }

    pub(crate) fn count_render(&self) {
        self.inner.renders.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    pub(crate) fn cache(&self) -> &PageCache {
        &self.inner.cache
    }
}

/// Everything outside the tables that a body depends on. `Debug` names every field, so a new threshold counts by
/// itself; maps are ordered, so equal settings give equal words after a restart.
fn settings(config: &WebConfig, names: &Names) -> String {
    let WebConfig { profile, simulated, base_url, stale_after, .. } = config;
    let text =
        format!("{profile:?} {:?} {simulated} {base_url:?} {stale_after:?} {names:?}", config.thresholds());
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
