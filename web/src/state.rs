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
    options: RwLock<Options>,
    config: WebConfig,
    /// Settings that change what a page says, as one word, by the names that they are of: a part of every validator. The newest
    /// last.
    settings: RwLock<Vec<(Arc<Names>, Arc<str>)>>,
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
                settings: RwLock::new(vec![(options.names.clone(), settings)]),
                options: RwLock::new(options),
                gate: Gate::for_this_machine(),
                cache: PageCache::new(config.page_cache),
                config,
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
        let options = self.inner.options.read().unwrap_or_else(PoisonError::into_inner).clone();
        Refresher::open(&self.inner.warehouse, options).await
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

    /// Other names than before, from the next dataset on, which is read anew. Pages of the one that stands keep theirs.
    pub async fn rename(&self, names: Names) {
        // Held while the tables are looked at, so no dataset of former names follows.
        let mut refresher = self.refresher().await;
        let word = settings(&self.inner.config, &names);
        let options = Options::of(&self.inner.config, names);
        let mut words = self.inner.settings.write().unwrap_or_else(PoisonError::into_inner);
        // Two at least: the dataset that stands, and the next one.
        let kept = words.len().saturating_sub(3);
        words.drain(..kept);
        words.push((options.names.clone(), word));
        drop(words);
        *self.inner.options.write().unwrap_or_else(PoisonError::into_inner) = options;
        *refresher = None;
    }

    /// The same word for the same pages of a dataset: see [`Inner::settings`].
    pub(crate) fn settings(&self, dataset: &Dataset) -> Arc<str> {
        let words = self.inner.settings.read().unwrap_or_else(PoisonError::into_inner);
        let of_dataset = words.iter().find(|(names, _)| Arc::ptr_eq(names, &dataset.names));
        of_dataset.or(words.last()).map(|(_, word)| Arc::clone(word)).unwrap_or_default()
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
fn settings(config: &WebConfig, names: &Names) -> Arc<str> {
    let WebConfig { profile, simulated, base_url, stale_after, .. } = config;
    let text =
        format!("{profile:?} {:?} {simulated} {base_url:?} {stale_after:?} {names:?}", config.thresholds());
    blake3::hash(text.as_bytes()).to_hex().as_str().into()
}
