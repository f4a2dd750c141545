//! What one publisher puts.

use bellwether_metrics::{Lane, METRICS, Metric, gate};

/// Members of `commitInfo`.
pub(super) const LANE: &str = "lane";
pub(super) const TERMS: &str = "terms";

/// What one publisher puts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Every table, in one row: for one round by hand.
    Everything,
    Fast,
    Slow,
}

impl Scope {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Everything => "both",
            Self::Fast => "fast",
            Self::Slow => "slow",
        }
    }

    /// Tables that it puts or reads.
    pub(super) fn metrics(self) -> impl Iterator<Item = &'static Metric> {
        let is_read = move |metric: &&Metric| {
            self != Self::Fast || metric.lane != Lane::Slow || metric.id() == gate::METRIC.id()
        };
        METRICS.iter().filter(is_read)
    }
}
