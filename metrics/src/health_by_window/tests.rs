use super::METRIC;
use crate::health::check::{Check, Tally, tallies};
use crate::health::testing::{Attempt, DAY, PLACES, World, by_key, date_of, text, us};

/// Midnight of the day after 23 November.
const END: &str = "2026-11-24T00:00:00Z";

#[tokio::test]
async fn every_figure_of_a_window_is_what_the_attempts_of_its_days_add_up_to() {
    // The history begins 60 days before the end: no window before 90 days, and the one before 30 days just fits.
    let world = World::random(21, 9_000, "2026-09-25T00:00:00Z", "2026-11-25T12:00:00Z");
    let rows = world.rows(METRIC, "2026-11-22", "2026-11-23").await;
    let end = us(END);
    for (days, has_before) in [(7, true), (28, true), (30, true), (90, false)] {
        let now = tallies(&world.attempts, |at| at < end && at >= end - days * DAY);
        let before = tallies(&world.attempts, |at| at < end - days * DAY && at >= end - 2 * days * DAY);
        let of =
            rows.iter().filter(|row| text(row, "end_date") == "2026-11-23" && row["window_days"] == days);
        let rows = by_key(of.cloned());
        assert_eq!(rows.len(), now.len());
        for ((dimension, key), tally) in &now {
            let row = &rows[&((*dimension).to_owned(), key.clone())];
            let nothing = Tally::default();
            let before = before.get(&(dimension, key.clone())).unwrap_or(&nothing);
            let check = Check { row, now: tally, before: has_before.then_some(before), least: 20 };
            check.counts();
            check.change();
            check.answers();
            check.speeds();
            check.integer("history_days", days.min(60));
            assert_eq!(text(row, "month"), "2026-11-01");
        }
    }
}

#[tokio::test]
async fn the_running_day_ends_no_window() {
    let world = World::random(22, 500, "2026-11-20T00:00:00Z", "2026-11-25T12:00:00Z");
    let rows = world.rows(METRIC, "2026-11-24", "2026-11-26").await;
    assert!(!rows.is_empty());
    assert!(rows.iter().all(|row| text(row, "end_date") == "2026-11-24"));
}

#[tokio::test]
async fn a_change_needs_history_back_to_the_first_day_of_the_window_before() {
    for (first, expected) in [("2026-11-10T23:00:00Z", ""), ("2026-11-11T00:30:00Z", "no_history")] {
        let mut attempts = vec![Attempt::new(us(first), PLACES[3], "ok"); 30];
        attempts.extend(vec![Attempt::new(us("2026-11-20T12:00:00Z"), PLACES[3], "ok"); 30]);
        let world = World::of(attempts);
        // Windows of 10 to 16 and 17 to 23 November.
        let rows = world.rows(METRIC, "2026-11-23", "2026-11-23").await;
        let week = rows.iter().find(|row| row["window_days"] == 7 && row["dimension"] == "model").unwrap();
        assert_eq!(text(week, "uptime_delta_points_reason"), expected, "{week:?}");
        assert_eq!(week.contains_key("uptime_delta_points"), expected.is_empty());
    }
}

#[tokio::test]
async fn a_clock_years_behind_makes_no_history() {
    let mut attempts = vec![Attempt::new(us("2020-01-01T00:00:00Z"), PLACES[3], "ok")];
    for back in 0..9 {
        attempts.extend(vec![Attempt::new(us(END) - back * DAY - 1, PLACES[3], "ok"); 30]);
    }
    let world = World::of(attempts);
    let rows = world.rows(METRIC, "2026-11-23", "2026-11-23").await;
    let of = |days: i64| {
        rows.iter().find(|row| row["window_days"] == days && row["dimension"] == "model").unwrap()
    };
    assert_eq!(text(of(7), "uptime_before_reason"), "no_history");
    assert_eq!((&of(7)["history_days"], &of(90)["history_days"]), (&7.into(), &9.into()));
    assert_eq!(date_of(us(END) - 1).to_string(), "2026-11-23");
}

#[tokio::test]
async fn days_without_traffic_are_history_while_the_week_before_them_has_some() {
    // Nobody calls at weekends, and the window before begins with a Saturday.
    let worked = |back: &i64| ![0, 6].contains(&((3 + 7 * 100 - back) % 7));
    let attempts = (0..30_i64)
        .filter(worked)
        .flat_map(|back| vec![Attempt::new(us("2026-11-25T12:00:00Z") - back * DAY, PLACES[3], "ok"); 30])
        .collect();
    let world = World::of(attempts);
    let rows = world.rows(METRIC, "2026-11-20", "2026-11-20").await;
    let week = rows.iter().find(|row| row["window_days"] == 7 && row["dimension"] == "model").unwrap();
    assert_eq!((&week["history_days"], &week["uptime_before"]), (&7.into(), &1.0.into()));
}
