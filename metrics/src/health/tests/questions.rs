//! Counts of names and of what has none add up to all attempts, whatever table, period and count is asked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::testing::{Attempt, COUNTS, DAY, Dice, HOUR, MINUTE, Place, World, text, us};
use crate::{Metric, health_by_5min, health_by_day, health_by_hour, health_by_window, health_now};

/// First and last instant of a period, µs, the last not in it.
type Period = (i64, i64);
type Rows<'a> = BTreeMap<(Period, &'a str), Vec<&'a Map<String, Value>>>;

fn period(metric: Metric, row: &Map<String, Value>) -> Period {
    let date = |column: &str| us(&format!("{}T00:00:00Z", text(row, column)));
    let of = |from, length| (from, from + length);
    if *metric.table == health_now::TABLE {
        (us(text(row, "starts_at")), us(text(row, "ends_at")))
    } else if *metric.table == health_by_5min::TABLE {
        of(us(text(row, "bucket_at")), 5 * MINUTE)
    } else if *metric.table == health_by_hour::TABLE {
        of(us(text(row, "hour")), HOUR)
    } else if *metric.table == health_by_day::TABLE {
        of(date("date"), DAY)
    } else {
        let end = date("end_date") + DAY;
        (end - row["window_days"].as_i64().unwrap() * DAY, end)
    }
}

/// Whether an attempt is part of a row of the dimension.
fn is_named(place: Place, dimension: &str, has_raw_names: bool) -> bool {
    let knows_model = place.author.is_some() || place.model == Some("beta/two");
    let knows_provider = matches!(place.provider, Some("north" | "south"));
    (has_raw_names || knows_model)
        && match dimension {
            "model" => place.model.is_some(),
            "provider" => place.provider.is_some() && (has_raw_names || knows_provider),
            // A call that named no model is of no endpoint.
            _ => place.model.is_some() && place.provider.is_some() && (has_raw_names || knows_provider),
        }
}

fn count(attempt: &Attempt, column: &str) -> i64 {
    let get = |name: &str| attempt.counts[COUNTS.iter().position(|known| *known == name).unwrap()];
    match column {
        "success" => get("ok") + get("cancelled_delivered"),
        "counted" => get("ok") + get("cancelled_delivered") + get("fault"),
        column => get(column),
    }
}

#[tokio::test]
async fn counts_of_names_and_of_what_has_none_add_up_to_everything_in_ten_thousand_questions() {
    for has_raw_names in [true, false] {
        let mut world = World::random(91, 8_000, "2026-11-17T00:00:00Z", "2026-11-25T12:05:00Z");
        world.terms.has_raw_names = has_raw_names;
        let mut dice = Dice(17);
        for (metric, from, to) in [
            (health_by_5min::METRIC, "2026-11-24", "2026-11-25"),
            (health_by_hour::METRIC, "2026-11-23", "2026-11-25"),
            (health_by_day::METRIC, "2026-11-17", "2026-11-25"),
            (health_by_window::METRIC, "2026-11-20", "2026-11-24"),
            (health_now::METRIC, "2026-11-25", "2026-11-25"),
        ] {
            let rows = world.rows(metric, from, to).await;
            let mut found = Rows::new();
            for row in &rows {
                found.entry((period(metric, row), text(row, "dimension"))).or_default().push(row);
            }
            // What is told of pairs is of their parts already.
            let asked: Vec<_> =
                found.keys().copied().filter(|(_, dimension)| *dimension != "model_provider").collect();
            let columns: Vec<&str> = COUNTS
                .into_iter()
                .filter(|name| *name != "cancelled_delivered" && rows[0].contains_key(*name))
                .chain(["success", "counted"])
                .collect();
            for _ in 0..1_000 {
                let at @ ((first, end), dimension) = asked[dice.below(asked.len() as u64) as usize];
                let column = columns[dice.below(columns.len() as u64) as usize];
                let of_names: i64 = found[&at].iter().map(|row| row[column].as_i64().unwrap()).sum();
                let within = world.attempts.iter().filter(|attempt| (first..end).contains(&attempt.at));
                let (mut all, mut without) = (0, 0);
                for attempt in within {
                    all += count(attempt, column);
                    if !is_named(attempt.place, dimension, has_raw_names) {
                        without += count(attempt, column);
                    }
                }
                let table = metric.table.name;
                assert_eq!(of_names + without, all, "{column} by {dimension} in {table}, {first} to {end}");
            }
        }
    }
}
