use std::collections::BTreeMap;

use super::METRIC;
use crate::health::check::{Check, tallies};
use crate::health::testing::{MINUTE, World, by_key, text, us};

#[tokio::test]
async fn the_strip_is_the_complete_buckets_of_24_hours() {
    let mut world = World::random(41, 20_000, "2026-11-24T11:30:00Z", "2026-11-25T12:20:00Z");
    world.terms.counted_attempts = 3;
    let rows = world.rows(METRIC, "2026-11-24", "2026-11-25").await;
    let mut buckets: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in rows {
        buckets.entry(text(&row, "bucket_at").to_owned()).or_default().push(row);
    }
    // The watermark is 12:07:30.
    assert_eq!(buckets.first_key_value().unwrap().0, "2026-11-24T12:05:00Z");
    assert_eq!(buckets.last_key_value().unwrap().0, "2026-11-25T12:00:00Z");
    assert_eq!(buckets.len(), 24 * 12);
    for (bucket, rows) in buckets {
        let from = us(&bucket);
        let mut now = tallies(&world.attempts, |at| at >= from && at < from + 5 * MINUTE);
        now.retain(|(dimension, _), _| ["endpoint", "provider"].contains(dimension));
        let rows = by_key(rows);
        assert_eq!(rows.len(), now.len(), "{bucket}");
        for ((dimension, key), tally) in &now {
            let row = &rows[&((*dimension).to_owned(), key.clone())];
            Check { row, now: tally, before: None, least: 3 }.counts();
        }
    }
}

#[tokio::test]
async fn a_bucket_is_complete_when_the_watermark_reaches_its_end() {
    let world = World::random(42, 5_000, "2026-11-25T11:30:00Z", "2026-11-25T12:20:00Z");
    for (watermark, newest) in
        [("2026-11-25T12:04:59.999999Z", "T11:55:00Z"), ("2026-11-25T12:05:00Z", "T12:00:00Z")]
    {
        let mut world = World::of_same(&world);
        world.terms.watermark = watermark.parse().unwrap();
        let rows = world.rows(METRIC, "2026-11-25", "2026-11-25").await;
        let last = rows.iter().map(|row| text(row, "bucket_at")).max().unwrap();
        assert!(last.ends_with(newest), "{last} at {watermark}");
    }
}

#[tokio::test]
async fn dates_that_nobody_asks_for_are_left_out() {
    let world = World::random(43, 5_000, "2026-11-24T11:30:00Z", "2026-11-25T12:20:00Z");
    let rows = world.rows(METRIC, "2026-11-25", "2026-11-25").await;
    assert!(rows.iter().all(|row| text(row, "date") == "2026-11-25") && !rows.is_empty());
}
