//! Following the tables: looks at them again and again, and moves the site to the next dataset.
//!
//! A look runs on a thread for blocking work, because reading a day again is a second of computation. Whatever goes
//! wrong in it, a panic included, the site keeps the dataset that it has.

use std::future::Future;
use std::time::{Duration, Instant};

use bellwether_warehouse::chain;
use bellwether_warehouse::health::State;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::data::{Dataset, RefreshError, Refreshed, Refresher};
use crate::metrics;
use crate::place::{Late, Stale};
use crate::state::Site;

/// Longest pause between two looks while they fail, unless they are wider apart when all is well.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What one look found.
struct Look {
    now: DateTime<Utc>,
    result: Result<Refreshed, RefreshError>,
}

impl Site {
    /// Follows the tables until `shutdown` completes.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(self.pause()) => self.refresh().await,
            }
        }
    }

    /// Twice as long after each failure in a row.
    fn pause(&self) -> Duration {
        let usual = self.config().refresh;
        let failures = self.lock_progress().failures.min(16);
        usual.saturating_mul(1 << failures).min(LONGEST_PAUSE.max(usual))
    }

    /// Looks at the tables once and swaps to the next dataset when there is one.
    pub async fn refresh(&self) {
        let started = Instant::now();
        let mut place = self.refresher().await;
        let (site, refresher, runtime) = (self.clone(), place.take(), tokio::runtime::Handle::current());
        let look = tokio::task::spawn_blocking(move || runtime.block_on(site.look(refresher))).await;
        match look {
            Ok((refresher, look)) => {
                *place = refresher;
                self.note(look, started);
            }
            // What the panic left half done is not used again: the next look opens the tables anew.
            Err(ended) if ended.is_panic() => {
                let panic = ended.into_panic();
                let what = panic_text(panic.as_ref());
                metrics::refresh_failed("none", "panicked");
                tracing::error!(panic = what, "page data cannot be refreshed; the last good data stay");
                self.lock_progress().failed(format!("the refresh panicked: {what}"));
            }
            Err(_) => tracing::debug!("a refresh was dropped because the process ends"),
        }
        drop(place);
        if let Some(dataset) = self.dataset() {
            metrics::data_age(&dataset, self.now());
        }
    }

    async fn look(&self, refresher: Option<Refresher>) -> (Option<Refresher>, Look) {
        let now = self.now();
        let mut refresher = match refresher {
            Some(refresher) => refresher,
            None => match self.open_refresher().await {
                Ok(refresher) => refresher,
                Err(error) => return (None, Look { now, result: Err(error) }),
            },
        };
        let result = refresher.refresh(now).await;
        (Some(refresher), Look { now, result })
    }

    fn note(&self, look: Look, started: Instant) {
        let Look { now, result } = look;
        let refreshed = match result {
            Ok(refreshed) => refreshed,
            Err(error) => {
                metrics::refresh_failed(error.table(), "failed");
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "page data cannot be refreshed; the last good data stay"
                );
                self.lock_progress().failed(chain(&error));
                return;
            }
        };
        metrics::refreshed(&refreshed);
        let is_waiting = matches!(refreshed, Refreshed::Waiting);
        if let Refreshed::New(dataset) = refreshed {
            tracing::debug!(elapsed = ?started.elapsed(), folded = dataset.folded, "page data refreshed");
            let languages = dataset.clone();
            // The one answer that reads many weeks; it stays valid until a closed week changes.
            tokio::task::spawn_blocking(move || languages.languages(None).is_ok());
            self.swap(dataset);
        }
        let mut progress = self.lock_progress();
        progress.refreshed_at = Some(now);
        (progress.failing, progress.failures) = (None, 0);
        progress.waiting = if is_waiting { progress.waiting.saturating_add(1) } else { 0 };
        if !is_waiting {
            progress.current_at = Some(now);
        }
    }

    /// What keeps the data from being as new as they should be, if anything does.
    pub fn stale(&self, dataset: &Dataset) -> Option<Stale> {
        if dataset.is_empty() {
            return None;
        }
        let (now, limit) = (self.now(), self.config().stale_after);
        let late = if dataset.age(now) > limit || self.lock_progress().is_behind(now, limit) {
            Late::Published
        } else if dataset.quiet_for(now) > limit {
            Late::Events
        } else {
            return None;
        };
        Some(Stale { limit_secs: limit.as_secs(), late })
    }

    /// Whether the site has data to show that are as new as they should be.
    pub fn state(&self) -> State {
        let progress = self.progress();
        let Some(dataset) = self.dataset() else {
            let why = if progress.failing.is_some() || progress.waiting > 0 {
                format!(": {}", progress.obstacle())
            } else {
                String::new()
            };
            return State::Down(format!("no data loaded yet{why}"));
        };
        let (now, limit) = (self.now(), self.config().stale_after);
        let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        // Without any event there is nothing to be late.
        let is_old = !dataset.is_empty() && dataset.age(now) > limit;
        let standing = progress.current_at.filter(|_| progress.is_behind(now, limit));
        if let Some(since) = standing.or(is_old.then_some(dataset.as_of)) {
            return State::Down(format!(
                "the data are not brought up to date since {}: {}",
                instant(since),
                progress.obstacle()
            ));
        }
        if let Some(newest) = dataset.newest_event_at.filter(|_| dataset.quiet_for(now) > limit) {
            return State::Down(format!("the newest event is from {}", instant(newest)));
        }
        match progress.failing {
            Some(failing) => State::Impaired(format!("the last good data stay: {failing}")),
            None => State::Works,
        }
    }
}

/// A panic's message; its place is in the log, where the hook has written it.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
