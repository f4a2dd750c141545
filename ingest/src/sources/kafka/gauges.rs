//! What a worker shows of its partitions.

use super::broker::Key;
use crate::metric;
use crate::sink::Flushed;

/// `high` is the offset behind the partition's newest record, `position` that of the table.
pub(super) fn lag(key: &Key, high: i64, position: i64) {
    lag_of(key).set((high - position).max(0) as f64);
}

/// Another worker shows it now.
pub(super) fn not_ours(key: &Key) {
    lag_of(key).set(0.0);
}

fn lag_of((topic, partition): &Key) -> metrics::Gauge {
    metrics::gauge!(metric::LAG, "topic" => topic.clone(), "partition" => partition.to_string())
}

/// What a commit moved.
pub(super) fn committed(flushed: &Flushed) {
    for range in &flushed.ranges {
        if let Some(millis) = range.time {
            let labels = [
                ("topic", range.stream.topic().to_owned()),
                ("partition", range.stream.partition().to_string()),
            ];
            metrics::gauge!(metric::NEWEST_RECORD, &labels).set(millis as f64 / 1000.0);
        }
    }
}
