//! What a worker shows of its partitions.

use super::stopped::Key;
use crate::metric;
use crate::sink::Flushed;

/// `high` is the offset behind the partition's newest record, `position` that of the table.
pub(super) fn lag(key: &Key, high: i64, position: i64) {
    lag_of(key).set((high - position).max(0) as f64);
}

/// Time of the newest record below T, where there is one.
pub(super) fn newest(key: &Key, millis: Option<i64>) {
    if let Some(millis) = millis {
        of(metric::NEWEST_RECORD, key).set(millis as f64 / 1000.0);
    }
}

/// Another worker shows it now: a value that stays behind would be taken for one of today.
pub(super) fn not_ours(key: &Key) {
    for name in [metric::LAG, metric::NEWEST_RECORD, metric::STOPPED] {
        of(name, key).set(metric::GONE);
    }
}

fn lag_of(key: &Key) -> metrics::Gauge {
    of(metric::LAG, key)
}

fn of(name: &'static str, (topic, partition): &Key) -> metrics::Gauge {
    metrics::gauge!(name, "topic" => topic.clone(), "partition" => partition.to_string())
}

/// What a commit moved.
pub(super) fn committed(flushed: &Flushed) {
    for range in &flushed.ranges {
        newest(&(range.stream.topic().to_owned(), range.stream.partition()), range.time);
    }
}

#[cfg(test)]
mod tests {
    use super::{lag, metric, not_ours};
    use crate::sources::kafka::stopped::{Cause, Stopped};
    use crate::testing::Gauges;

    #[test]
    fn what_another_worker_has_now_shows_no_value_here() {
        let (gauges, key) = (Gauges::default(), ("t".to_owned(), 3));
        let shown = |name: &str| gauges.get(&format!("{name}{{topic=t,partition=3}}"));
        metrics::with_local_recorder(&gauges, || {
            lag(&key, 10, 4);
            Stopped::default().stop(&key, &Cause::NoLeader);
        });
        assert_eq!((shown(metric::LAG), shown(metric::STOPPED)), (Some(6.0), Some(1.0)));
        metrics::with_local_recorder(&gauges, || not_ours(&key));
        for name in [metric::LAG, metric::STOPPED, metric::NEWEST_RECORD] {
            assert!(shown(name).unwrap().is_nan(), "{name}");
        }
    }
}
