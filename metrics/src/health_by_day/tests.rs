use std::collections::BTreeMap;

use super::METRIC;
use crate::health::check::{Check, Tally, tallies};
use crate::health::testing::{DAY, World, by_key, date_of, day, text, us};

#[tokio::test]
async fn every_figure_of_a_day_is_what_its_attempts_add_up_to() {
    for seed in 0..3 {
        let world = World::random(seed, 6_000, "2026-11-10T00:00:00Z", "2026-11-25T12:00:00Z");
        let rows = world.rows(METRIC, "2026-11-10", "2026-11-25").await;
        let mut dates: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for row in rows {
            dates.entry(text(&row, "date").to_owned()).or_default().push(row);
        }
        assert_eq!(dates.len(), 16);
        for (date, rows) in dates {
            let on = day(&date);
            let now = tallies(&world.attempts, |at| date_of(at) == on);
            let before = tallies(&world.attempts, |at| date_of(at + DAY) == on);
            let rows = by_key(rows);
            assert_eq!(rows.len(), now.len());
            for ((dimension, key), tally) in &now {
                let row = &rows[&((*dimension).to_owned(), key.clone())];
                let nothing = Tally::default();
                let before = before.get(&(dimension, key.clone())).unwrap_or(&nothing);
                let check =
                    Check { row, now: tally, before: (on > day("2026-11-10")).then_some(before), least: 20 };
                check.counts();
                check.change();
                check.answers();
                check.speeds();
                assert_eq!(row["counts_are_bands"], false);
                assert_eq!(row["is_partial"], date == "2026-11-25");
                assert_eq!(text(row, "month"), "2026-11-01");
            }
        }
    }
}

#[tokio::test]
async fn the_bounds_are_the_dates_of_the_rows() {
    let world = World::random(7, 2_000, "2026-11-20T00:00:00Z", "2026-11-25T12:00:00Z");
    let rows = world.rows(METRIC, "2026-11-22", "2026-11-23").await;
    let mut dates: Vec<&str> = rows.iter().map(|row| text(row, "date")).collect();
    dates.sort_unstable();
    dates.dedup();
    assert_eq!(dates, ["2026-11-22", "2026-11-23"]);
    // The first of them is compared with a day outside.
    assert!(rows.iter().any(|row| text(row, "date") == "2026-11-22" && row.contains_key("uptime_before")));
    assert!(us("2026-11-20T00:00:00Z") <= world.attempts[0].at);
    assert_eq!(world.rows(METRIC, "2027-01-01", "2027-01-02").await, []);
}
