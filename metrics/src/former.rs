//! How long former versions of a table stay for whoever reads them.

use std::time::Duration;

use bellwether_warehouse::TableId;

use crate::{Lane, METRICS, publications, routing_now};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What stays of a table that is written every few seconds; of all others it is what the operator says. More: files and
/// entries of more rounds lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Former {
    /// Files that were removed.
    pub files: Duration,
    /// Entries of the log.
    pub entries: Duration,
}

/// None: the table is written now and then.
pub fn former(id: TableId) -> Option<Former> {
    const OF_NOW: Former = Former { files: HOUR, entries: HOUR };
    if id == publications::id() || id == routing_now::METRIC.id() {
        return Some(OF_NOW);
    }
    match METRICS.iter().find(|metric| metric.id() == id)?.lane {
        Lane::Fast => Some(OF_NOW),
        // Its entries tell the slow lane which days have changed. A lane that has stood for longer looks at all days.
        Lane::Today => Some(Former { entries: 6 * HOUR, ..OF_NOW }),
        Lane::Slow => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_every_few_seconds_stays_for_an_hour_and_all_else_as_long_as_ever() {
        let hours = |former: Former| [former.files, former.entries].map(|time| time.as_secs() / 3_600);
        let found: Vec<_> = crate::tables()
            .into_iter()
            .filter_map(|id| former(id).map(|former| (id.name(), hours(former))))
            .collect();
        let expected = [
            ("usage_by_day", [1, 6]),
            ("health_by_5min", [1, 1]),
            ("health_now", [1, 1]),
            ("live_by_minute", [1, 1]),
            ("routing_now", [1, 1]),
            ("publications", [1, 1]),
        ];
        assert_eq!(found, expected);
        assert!(TableId::ALL.into_iter().all(|id| former(id).is_none()));
    }
}
