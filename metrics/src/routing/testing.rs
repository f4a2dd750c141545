//! Random rows of `routing_hourly`, and what tables of routing must say of them by plain loops.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use crate::health::testing::{Dice, HOUR, date_of, text};

const COUNTS: [&str; 8] = [
    "all_requests",
    "attempts",
    "requests",
    "routed_ok",
    "first_ok",
    "requests_with_rate_limits",
    "routed_ok_with_rate_limits",
    "first_ok_with_rate_limits",
];

/// Every hour of most models, one of them raw, some without any.
pub(crate) fn routed(seed: u64, from: i64, to: i64) -> Vec<Value> {
    let mut dice = Dice(seed);
    let mut rows = Vec::new();
    for hour in (from / HOUR)..(to / HOUR) {
        for (model, author) in [
            (Some("acme/one"), Some("acme")),
            // The catalogue has learned its name since.
            (Some("beta/two"), if hour % 2 == 0 { None } else { Some("beta") }),
            (Some("raw-three"), None),
            (None, None),
        ] {
            if dice.below(4) == 0 {
                continue;
            }
            let at = hour * HOUR;
            let mut counts = [0_u64; 8];
            counts[0] = 1 + dice.below(60);
            counts[1] = counts[0] + dice.below(40);
            counts[5] = dice.below(counts[0] + 1);
            counts[6] = dice.below(counts[5] + 1);
            counts[2] = dice.below(counts[5] + 1);
            counts[3] = dice.below(counts[2] + 1);
            counts[4] = dice.below(counts[3] + 1);
            counts[7] = counts[4];
            let mut row = json!({
                "date": date_of(at),
                "hour": DateTime::from_timestamp_micros(at).unwrap().to_rfc3339_opts(SecondsFormat::Secs, true),
                "model_id": model,
                "author": author,
            });
            for (name, n) in COUNTS.iter().zip(counts) {
                row[*name] = json!(n);
            }
            rows.push(row);
        }
    }
    rows
}

/// In the order of the table's columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums([i64; 8]);

impl Sums {
    pub fn add(&mut self, row: &Value) {
        for (sum, name) in self.0.iter_mut().zip(COUNTS) {
            *sum += row[name].as_i64().unwrap();
        }
    }

    pub fn routed(&self, least: i64) -> Option<f64> {
        (self.0[2] >= least).then(|| self.0[3] as f64 / self.0[2] as f64)
    }
}

/// Exact counts, shares and boosts.
pub(crate) fn check(row: &Map<String, Value>, sums: &Sums, least: i64) {
    for (name, n) in COUNTS.iter().zip(sums.0) {
        assert_eq!(row[*name], n, "{name} in {row:?}");
    }
    let per_request = row["attempts_per_request"].as_f64().unwrap();
    assert!((per_request - sums.0[1] as f64 / sums.0[0] as f64).abs() < 1e-9);
    for (suffix, at) in [("", 2), ("_with_rate_limits", 5)] {
        let [n, routed, first] = [sums.0[at], sums.0[at + 1], sums.0[at + 2]].map(|n| n as f64);
        for (column, expected) in [
            (format!("routed{suffix}"), routed / n),
            (format!("without_routing{suffix}"), first / n),
            (format!("boost{suffix}_points"), (routed - first) / n * 100.0),
        ] {
            let found = row.get(&column).and_then(Value::as_f64);
            assert_eq!(found.is_some(), sums.0[at] >= least, "{column} in {row:?}");
            assert!(found.is_none_or(|found| (found - expected).abs() < 1e-9), "{column} in {row:?}");
            let reason = text(row, &format!("{column}_reason"));
            assert_eq!(reason, if found.is_some() { "" } else { "not_enough" });
        }
    }
}
