use super::METRIC;
use crate::health::check::{Check, Tally, tallies};
use crate::health::testing::{Attempt, HOUR, MINUTE, PLACES, World, by_key, text, us};

/// Every window in minutes, and the step in which its end moves.
const WINDOWS: [(i64, i64); 5] =
    [(5, 5 * MINUTE), (30, 5 * MINUTE), (360, 5 * MINUTE), (1_440, 5 * MINUTE), (10_080, HOUR)];

/// Ends of the windows at a watermark of 12:07:30: five minutes, half an hour, six hours and a day, and 7 days.
const ENDS: [(i64, &str); 5] = [
    (5, "2026-11-25T12:05:00Z"),
    (30, "2026-11-25T12:05:00Z"),
    (360, "2026-11-25T12:05:00Z"),
    (1_440, "2026-11-25T12:05:00Z"),
    (10_080, "2026-11-25T12:00:00Z"),
];

#[tokio::test]
async fn every_figure_of_a_window_is_what_its_attempts_add_up_to() {
    let mut world = World::random(61, 12_000, "2026-11-10T00:00:00Z", "2026-11-25T12:20:00Z");
    // So that short windows have something too.
    world.attempts.extend(World::random(62, 3_000, "2026-11-25T11:00:00Z", "2026-11-25T12:20:00Z").attempts);
    // The bounds do not matter.
    let rows = world.rows(METRIC, "2026-01-01", "2026-01-01").await;
    for (minutes, end) in ENDS {
        let end = us(end);
        let length = minutes * MINUTE;
        let now = tallies(&world.attempts, |at| at < end && at >= end - length);
        let before = tallies(&world.attempts, |at| at < end - length && at >= end - 2 * length);
        let rows = by_key(rows.iter().filter(|row| row["window_minutes"] == minutes).cloned());
        assert_eq!(rows.len(), now.len());
        for ((dimension, key), tally) in &now {
            let row = &rows[&((*dimension).to_owned(), key.clone())];
            let nothing = Tally::default();
            let before = before.get(&(dimension, key.clone())).unwrap_or(&nothing);
            let check = Check { row, now: tally, before: Some(before), least: 20 };
            check.counts();
            check.change();
            check.answers();
            check.speeds();
            assert_eq!(us(text(row, "ends_at")), end);
            assert_eq!(us(text(row, "starts_at")), end - length);
        }
    }
}

#[tokio::test]
async fn windows_are_exact_at_every_watermark() {
    // Where days, hours and minutes begin together or just not.
    for watermark in [
        "2026-11-25T00:00:00Z",
        "2026-11-25T00:04:59Z",
        "2026-11-25T00:05:00Z",
        "2026-11-24T23:59:59Z",
        "2026-11-25T13:00:00Z",
        "2026-11-25T12:55:00Z",
        "2026-11-25T12:59:59Z",
        "2026-11-25T13:04:59Z",
    ] {
        let mut world = World::random(63, 6_000, "2026-11-10T00:00:00Z", "2026-11-25T14:00:00Z");
        world.terms.watermark = watermark.parse().unwrap();
        let rows = world.rows(METRIC, "2026-11-25", "2026-11-25").await;
        for (minutes, step) in WINDOWS {
            let end = us(watermark).div_euclid(step) * step;
            let length = minutes * MINUTE;
            let now = tallies(&world.attempts, |at| at < end && at >= end - length);
            let before = tallies(&world.attempts, |at| at < end - length && at >= end - 2 * length);
            let rows = by_key(rows.iter().filter(|row| row["window_minutes"] == minutes).cloned());
            assert_eq!(rows.len(), now.len(), "{minutes} minutes at {watermark}");
            for ((dimension, key), tally) in &now {
                let row = &rows[&((*dimension).to_owned(), key.clone())];
                let nothing = Tally::default();
                let before = before.get(&(dimension, key.clone())).unwrap_or(&nothing);
                let check = Check { row, now: tally, before: Some(before), least: 20 };
                check.counts();
                check.change();
            }
        }
    }
}

#[tokio::test]
async fn the_state_is_that_of_the_half_hour_and_says_which_uptime_made_it() {
    for (success, fault, state) in [
        (95, 5, "operational"),
        (949, 51, "degraded"),
        (80, 20, "degraded"),
        (799, 201, "down"),
        (0, 100, "down"),
        (99, 0, "no_data"),
    ] {
        // In the half hour to 12:05, and the opposite before it.
        let mut attempts = vec![Attempt::new(us("2026-11-25T11:35:00Z"), PLACES[3], "ok"); success];
        attempts.extend(vec![Attempt::new(us("2026-11-25T12:04:59Z"), PLACES[3], "fault_timeout"); fault]);
        attempts.extend(vec![Attempt::new(us("2026-11-25T11:34:59Z"), PLACES[3], "fault_timeout"); 10_000]);
        // Not complete yet.
        attempts.extend(vec![Attempt::new(us("2026-11-25T12:05:00Z"), PLACES[3], "fault_timeout"); 10_000]);
        let mut world = World::of(attempts);
        world.terms.counted_attempts = 100;
        let rows = world.rows(METRIC, "2026-11-25", "2026-11-25").await;
        let of: Vec<_> = rows.iter().filter(|row| row["dimension"] == "provider").collect();
        assert!(of.len() >= 3, "{of:?}");
        for row in of {
            assert_eq!(text(row, "state"), state, "{row:?}");
            assert_eq!(row["state_counted"], success + fault);
            let uptime = (state != "no_data").then(|| success as f64 / (success + fault) as f64);
            assert_eq!(row.get("state_uptime").and_then(serde_json::Value::as_f64), uptime);
            assert_eq!(text(row, "state_reason"), if uptime.is_none() { "not_enough" } else { "" });
        }
    }
}

#[tokio::test]
async fn without_attempts_in_the_half_hour_there_is_no_state() {
    let attempts = vec![Attempt::new(us("2026-11-25T09:00:00Z"), PLACES[3], "ok"); 200];
    let rows = World::of(attempts).rows(METRIC, "2026-11-25", "2026-11-25").await;
    let day = rows.iter().find(|row| row["window_minutes"] == 1_440).unwrap();
    assert_eq!(
        (text(day, "state"), &day["state_counted"], &day["uptime"]),
        ("no_data", &0.into(), &1.0.into())
    );
    // Six hours, a day, and a week.
    assert_eq!(rows.iter().filter(|row| row["dimension"] == "model").count(), 3);
}

#[tokio::test]
async fn a_long_window_stays_until_its_end_moves_and_has_the_state_of_now() {
    let mut world = World::random(64, 9_000, "2026-11-10T00:00:00Z", "2026-11-25T12:05:00Z");
    world.attempts.extend(World::random(65, 900, "2026-11-25T11:20:00Z", "2026-11-25T12:05:00Z").attempts);
    let first = world.rows(METRIC, "2026-11-25", "2026-11-25").await;
    let of = |rows: &[serde_json::Map<String, serde_json::Value>], minutes: i64| {
        by_key(rows.iter().filter(|row| row["window_minutes"] == minutes).cloned())
    };
    let plain = |mut row: serde_json::Map<String, serde_json::Value>| {
        row.retain(|name, _| !name.starts_with("state"));
        row
    };
    // With late rows in every window, and of a key that had no traffic in the half hour.
    world.attempts.extend(vec![Attempt::new(us("2026-11-25T12:04:00Z"), PLACES[3], "fault_timeout"); 4_000]);
    world.health_now = first.iter().cloned().map(serde_json::Value::Object).collect();
    for (watermark, longest) in
        [("2026-11-25T12:09:59Z", 30), ("2026-11-25T12:10:00Z", 1_440), ("2026-11-25T13:00:00Z", 10_080)]
    {
        world.terms.watermark = watermark.parse().unwrap();
        let rows = world.moved_rows(METRIC).await;
        for (minutes, step) in WINDOWS {
            let rows = of(&rows, minutes);
            if minutes > longest {
                let before = of(&first, minutes);
                assert_eq!(rows.len(), before.len());
                for (key, row) in &rows {
                    assert_eq!(plain(row.clone()), plain(before[key].clone()), "{watermark}");
                }
            } else {
                let end = us(watermark).div_euclid(step) * step;
                let length = minutes * MINUTE;
                let now = tallies(&world.attempts, |at| at < end && at >= end - length);
                let before = tallies(&world.attempts, |at| at < end - length && at >= end - 2 * length);
                assert_eq!(rows.len(), now.len(), "{minutes} minutes at {watermark}");
                for ((dimension, key), tally) in &now {
                    let row = &rows[&((*dimension).to_owned(), key.clone())];
                    let nothing = Tally::default();
                    let before = before.get(&(dimension, key.clone())).unwrap_or(&nothing);
                    let check = Check { row, now: tally, before: Some(before), least: 20 };
                    check.counts();
                    check.change();
                    check.speeds();
                }
            }
        }
        // Beside every window the state of the half hour, which the late rows have made worse.
        let half_hours = of(&rows, 30);
        let is_down = rows.iter().any(|row| row["window_minutes"] == 10_080 && text(row, "state") == "down");
        assert_eq!(is_down, longest < 10_080, "an hour later nobody calls any more");
        for row in &rows {
            let half_hour = half_hours.get(&key_of(row));
            let uptime = half_hour.and_then(|row| row.get("uptime")).and_then(serde_json::Value::as_f64);
            assert_eq!(row.get("state_uptime").and_then(serde_json::Value::as_f64), uptime);
            let counted = half_hour.map_or(0.into(), |row| row["counted"].clone());
            assert_eq!(row["state_counted"], counted);
        }
    }
}

fn key_of(row: &serde_json::Map<String, serde_json::Value>) -> (String, String) {
    (text(row, "dimension").to_owned(), text(row, "key").to_owned())
}
