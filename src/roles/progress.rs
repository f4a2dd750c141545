//! Whether the rollups move. Asked of the tables and not of the jobs, so that whatever stops them is seen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bellwether_jobs::{Jobs, Status};
use bellwether_warehouse::Warehouse;
use bellwether_warehouse::health::Part;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(60);
/// A rollup that lags and has not moved for so long is stuck. A fold of a whole year takes less.
const LIMIT: Duration = Duration::from_secs(15 * 60);

pub async fn run(warehouse: Warehouse, part: Part, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut jobs = Jobs::open(&warehouse).await?;
    let mut seen = Seen::default();
    loop {
        let status = jobs.status().await?;
        match seen.stuck(&status, Instant::now()).as_slice() {
            [] => part.works(),
            stuck => part.down(format!(
                "not moved for {} minutes, though there are new attempts: {}; see the log of the jobs",
                LIMIT.as_secs() / 60,
                stuck.join(", ")
            )),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

/// What every rollup had, and since when it has been waiting for more.
#[derive(Debug, Default)]
struct Seen {
    tables: BTreeMap<&'static str, (Option<i64>, Instant)>,
}

impl Seen {
    /// The rollups that are stuck at `now`.
    fn stuck(&mut self, status: &Status, now: Instant) -> Vec<&'static str> {
        let mut stuck = Vec::new();
        for rollup in &status.rollups {
            let (computed_at, since) = self.tables.entry(rollup.table).or_insert((rollup.computed_at, now));
            if rollup.lag <= 0 || *computed_at != rollup.computed_at {
                (*computed_at, *since) = (rollup.computed_at, now);
            } else if now.duration_since(*since) > LIMIT {
                stuck.push(rollup.table);
            }
        }
        stuck
    }
}

#[cfg(test)]
mod tests {
    use bellwether_jobs::TableStatus;

    use super::*;

    fn status(rollups: &[(&'static str, i64, i64)]) -> Status {
        let table = |table, computed_at: Option<i64>, lag| TableStatus {
            table,
            version: 0,
            computed_at,
            lag,
            files: 0,
            rows: 0,
            bytes: 0,
            newest_date: None,
        };
        Status {
            attempts: table("attempts", None, 0),
            rollups: rollups.iter().map(|(name, at, lag)| table(*name, Some(*at), *lag)).collect(),
            published: Vec::new(),
        }
    }

    #[test]
    fn a_rollup_is_stuck_when_it_lags_and_has_not_moved_for_long() {
        let mut seen = Seen::default();
        let start = Instant::now();
        let mut at = |minutes: u64, rollups: &[(&'static str, i64, i64)]| {
            seen.stuck(&status(rollups), start + Duration::from_secs(60 * minutes))
        };
        assert!(at(0, &[("usage_daily", 4, 0), ("health_5m", 4, 0)]).is_empty());
        // Nothing has come in for long, so there is nothing to wait for.
        assert!(at(60, &[("usage_daily", 4, 0), ("health_5m", 4, 0)]).is_empty());
        assert!(at(61, &[("usage_daily", 5, 0), ("health_5m", 4, 1)]).is_empty());
        assert!(at(75, &[("usage_daily", 5, 9), ("health_5m", 4, 10)]).is_empty());
        assert_eq!(at(77, &[("usage_daily", 12, 2), ("health_5m", 4, 10)]), ["health_5m"]);
        // It moves, though it is still behind.
        assert!(at(78, &[("usage_daily", 14, 0), ("health_5m", 9, 5)]).is_empty());
    }
}
