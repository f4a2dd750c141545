use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};

use super::METRIC;
use crate::health::check::{Check, tallies};
use crate::health::testing::{HOUR, World, by_key, text, us};

#[tokio::test]
async fn hours_have_percentiles_where_samples_are_enough_and_no_row_where_none_are() {
    let world = World::random(51, 9_000, "2026-11-24T00:00:00Z", "2026-11-25T12:07:00Z");
    let rows = world.rows(METRIC, "2026-11-24", "2026-11-25").await;
    let mut hours: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in rows {
        hours.entry(text(&row, "hour").to_owned()).or_default().push(row);
    }
    let mut left_out = 0;
    for back in 0..37 {
        let from = us("2026-11-25T12:00:00Z") - back * HOUR;
        let hour = DateTime::from_timestamp_micros(from).unwrap().to_rfc3339_opts(SecondsFormat::Secs, true);
        let rows = hours.remove(&hour).unwrap_or_default();
        let mut now = tallies(&world.attempts, |at| at >= from && at < from + HOUR);
        let all = now.len();
        now.retain(|_, tally| tally.speeds.iter().any(|values| values.len() >= 20));
        left_out += all - now.len();
        let rows = by_key(rows);
        assert_eq!(rows.len(), now.len(), "{hour}");
        for ((dimension, key), tally) in &now {
            let row = &rows[&((*dimension).to_owned(), key.clone())];
            Check { row, now: tally, before: None, least: 20 }.speeds();
            assert_eq!(row["is_partial"], back == 0);
        }
    }
    assert!(left_out > 0 && hours.is_empty());
}
