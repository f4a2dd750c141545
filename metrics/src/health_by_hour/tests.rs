use std::collections::BTreeMap;

use super::METRIC;
use crate::health::check::{Check, Tally, tallies};
use crate::health::testing::{HOUR, World, by_key, text, us};

#[tokio::test]
async fn every_figure_of_an_hour_is_what_its_attempts_add_up_to() {
    let world = World::random(31, 20_000, "2026-11-24T06:00:00Z", "2026-11-25T12:07:00Z");
    let rows = world.rows(METRIC, "2026-11-24", "2026-11-25").await;
    let mut hours: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in rows {
        hours.entry(text(&row, "hour").to_owned()).or_default().push(row);
    }
    assert_eq!(hours.len(), 18 + 13);
    for (hour, rows) in hours {
        let from = us(&hour);
        let now = tallies(&world.attempts, |at| at >= from && at < from + HOUR);
        let before = tallies(&world.attempts, |at| at >= from - HOUR && at < from);
        let rows = by_key(rows);
        assert_eq!(rows.len(), now.len());
        for ((dimension, key), tally) in &now {
            let row = &rows[&((*dimension).to_owned(), key.clone())];
            let nothing = Tally::default();
            let before = before.get(&(dimension, key.clone())).unwrap_or(&nothing);
            let check = Check { row, now: tally, before: Some(before), least: 20 };
            check.counts();
            check.change();
            check.answers();
            assert_eq!(row["is_partial"], hour.starts_with("2026-11-25T12"), "{hour}");
            assert_eq!(text(row, "date"), &hour[..10]);
        }
    }
}

#[tokio::test]
async fn the_first_hour_of_a_date_is_compared_with_the_last_of_the_date_before() {
    let world = World::random(32, 20_000, "2026-11-24T22:00:00Z", "2026-11-25T02:00:00Z");
    let rows = world.rows(METRIC, "2026-11-25", "2026-11-25").await;
    let of = |hour: &str| {
        let is_it =
            |row: &&serde_json::Map<_, _>| text(row, "hour").contains(hour) && row["dimension"] == "model";
        rows.iter().find(is_it).unwrap()
    };
    assert!(of("T00:00").contains_key("uptime_delta_points"));
    assert!(rows.iter().all(|row| text(row, "date") == "2026-11-25"));
    // What was before the history is no hour without attempts.
    let young = World::random(33, 20_000, "2026-11-25T00:00:00Z", "2026-11-25T02:00:00Z");
    let rows = young.rows(METRIC, "2026-11-25", "2026-11-25").await;
    let first = rows.iter().find(|row| text(row, "hour").contains("T00:00")).unwrap();
    assert_eq!(text(first, "uptime_delta_points_reason"), "no_history");
}
