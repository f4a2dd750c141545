//! The running site: the current dataset, the poller that replaces it, and the page cache.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use bellwether_warehouse::Warehouse;
use chrono::{DateTime, Utc};

use crate::cache::PageCache;
use crate::config::WebConfig;
use crate::data::{Dataset, Names, Options, RefreshError, Refreshed, Refresher};
use crate::gate::Gate;
use crate::metrics;
use crate::pages::Stale;

/// Version of the binary.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// Hash of everything that pages are made of in this binary: part of every validator, because two builds of one
/// version may print the same numbers in other words and link other assets.
pub(crate) const SOURCES: &str = env!("BELLWETHER_WEB_SOURCES");

/// Cheap to clone; all clones are one site.
#[derive(Clone, Debug)]
pub struct Site {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: WebConfig,
    /// Settings that change what a page says, as one word: a part of every validator.
    settings: String,
    dataset: RwLock<Option<Arc<Dataset>>>,
    refresher: tokio::sync::Mutex<Refresher>,
    progress: Mutex<Progress>,
    cache: PageCache,
    gate: Gate,
    renders: AtomicU64,
    clock: Clock,
}

/// Tells the time; tests stand still.
pub(crate) type Clock = fn() -> DateTime<Utc>;

/// What the last refreshes came to, for the operator.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Last refresh that did not fail.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// Text of the failure since then.
    pub failing: Option<String>,
    /// Refreshes in a row that found the folded tables at different versions.
    pub waiting: u32,
}

impl Site {
    /// Opens the tables and loads the first dataset. A failure to load is logged and tried again by
    /// [`Site::run`]; pages answer 503 until then.
    ///
    /// # Errors
    /// When a table cannot be opened.
    pub async fn open(warehouse: &Warehouse, config: WebConfig, names: Names) -> Result<Self, RefreshError> {
        Self::open_at(warehouse, config, names, Utc::now).await
    }

    pub(crate) async fn open_at(
        warehouse: &Warehouse,
        config: WebConfig,
        names: Names,
        clock: Clock,
    ) -> Result<Self, RefreshError> {
        let settings = settings(&config, &names);
        let options = Options {
            names: Arc::new(names),
            profile: config.profile,
            thresholds: config.thresholds(),
            simulated: config.simulated,
            user_sketch_bytes: config.user_sketches,
        };
        let refresher = Refresher::open(warehouse, options).await?;
        let site = Self {
            inner: Arc::new(Inner {
                gate: Gate::for_this_machine(),
                cache: PageCache::new(config.page_cache),
                config,
                settings,
                dataset: RwLock::default(),
                refresher: tokio::sync::Mutex::new(refresher),
                progress: Mutex::default(),
                renders: AtomicU64::new(0),
                clock,
            }),
        };
        site.refresh().await;
        Ok(site)
    }

    /// Follows the tables until `shutdown` completes.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut ticks = tokio::time::interval(self.inner.config.refresh);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                _ = ticks.tick() => self.refresh().await,
            }
        }
    }

    /// Looks at the tables once and swaps to the next dataset when there is one.
    pub async fn refresh(&self) {
        let now = self.now();
        let started = Instant::now();
        let mut refresher = self.inner.refresher.lock().await;
        let outcome = refresher.refresh(now).await;
        drop(refresher);
        let mut progress = self.inner.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(refreshed) => {
                progress.refreshed_at = Some(now);
                progress.failing = None;
                progress.waiting =
                    if matches!(refreshed, Refreshed::Waiting) { progress.waiting + 1 } else { 0 };
                metrics::refreshed(&refreshed);
                if let Refreshed::New(dataset) = refreshed {
                    tracing::debug!(elapsed = ?started.elapsed(), folded = dataset.folded, "page data refreshed");
                    let languages = dataset.clone();
                    // The one answer that reads many weeks; it stays valid until a closed week changes.
                    tokio::task::spawn_blocking(move || languages.languages(None).is_ok());
                    *self.inner.dataset.write().unwrap_or_else(PoisonError::into_inner) = Some(dataset);
                }
            }
            Err(error) => {
                metrics::refresh_failed(error.table());
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "page data cannot be refreshed; the last good data stay"
                );
                progress.failing = Some(chain(&error));
            }
        }
        drop(progress);
        if let Some(dataset) = self.dataset() {
            metrics::data_age(&dataset, now);
        }
    }

    /// The current dataset; `None` until the first load succeeded.
    pub fn dataset(&self) -> Option<Arc<Dataset>> {
        self.inner.dataset.read().unwrap_or_else(PoisonError::into_inner).clone()
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

    pub fn progress(&self) -> Progress {
        self.inner.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The limit that the data have passed, if they have.
    pub fn stale(&self, dataset: &Dataset) -> Option<Stale> {
        let limit = self.inner.config.stale_after;
        (!dataset.is_empty() && dataset.age(self.now()) > limit)
            .then_some(Stale { limit_secs: limit.as_secs() })
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

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
