use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use super::METRIC;
use crate::testing::{DIMENSIONS, World, publish};
use crate::usage_by_day;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[derive(Default)]
struct Sums {
    tokens: i128,
    requests: i128,
    unpriced: i128,
    cost: i128,
    users: BTreeSet<i64>,
}

impl Sums {
    fn spend(&self) -> Option<i128> {
        (self.requests == 0 || self.unpriced < self.requests || self.cost > 0).then_some(self.cost)
    }
}

fn near(found: Option<f64>, part: Option<i128>, whole: Option<i128>) -> bool {
    let expected = part.zip(whole.filter(|whole| *whole > 0)).map(|(part, whole)| part as f64 / whole as f64);
    match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
        (found, expected) => found == expected,
    }
}

#[tokio::test]
async fn weeks_hold_what_loops_over_the_cells_find() {
    for seed in 20..28 {
        // A Thursday and a Wednesday: the first and the last week are not whole.
        let world = World::new(seed, day("2026-10-01"), 42, day("2026-11-11"));
        let ctx = world.session().await;
        publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
        // From the Monday of the first week on; the Tuesday is no Monday.
        let found = publish(&ctx, &METRIC, day("2026-09-28"), day("2026-11-10")).await;
        let mut expected: BTreeMap<_, Sums> = BTreeMap::new();
        for dimension in DIMENSIONS {
            for ((kind, key), cell) in world.told(dimension, &(world.first..=world.last)) {
                let monday = cell.date - Days::new(cell.date.weekday().num_days_from_monday().into());
                let sums = expected.entry((monday, dimension.to_owned(), kind, key)).or_default();
                sums.tokens += i128::from(cell.count("tokens"));
                sums.requests += i128::from(cell.count("requests"));
                sums.unpriced += i128::from(cell.count("unpriced_requests"));
                sums.cost += cell.cost;
                // Of what is hidden nobody is counted.
                if dimension != "total" || world.is_public(&cell) {
                    sums.users.extend(&cell.users);
                }
            }
        }
        assert_eq!(found.len(), expected.len());
        for row in &found {
            let monday = row.date("week_start");
            let (dimension, kind, key) = row.name();
            let total = |text: &str| text.to_owned();
            let all = &expected[&(monday, total("total"), total("total"), total("total"))];
            let sums = &expected[&(monday, dimension.clone(), kind.clone(), key.clone())];
            let what = format!("{key} in {dimension}, {monday}, seed {seed}");
            assert_eq!(row.whole("tokens"), Some(sums.tokens), "{what}");
            assert_eq!(row.whole("requests"), Some(sums.requests), "{what}");
            assert_eq!(row.whole("spend_usd"), sums.spend(), "{what}");
            assert!(near(row.real("tokens_share"), Some(sums.tokens), Some(all.tokens)), "{what}");
            assert!(near(row.real("requests_share"), Some(sums.requests), Some(all.requests)), "{what}");
            assert!(near(row.real("spend_share"), sums.spend(), all.spend()), "{what}");
            // Ties go to the first by name.
            let rank = expected.iter().filter(|((week, of, kind, other), others)| {
                (*week, of, kind.as_str()) == (monday, &dimension, "key")
                    && (others.tokens > sums.tokens || (others.tokens == sums.tokens && *other <= key))
            });
            let rank = (kind == "key" && sums.tokens > 0).then(|| rank.count() as i128);
            assert_eq!(row.whole("tokens_rank"), rank, "{what}");
            let counts = dimension != "model_provider" && kind != "hidden" && !sums.users.is_empty();
            assert_eq!(row.whole("users").is_some(), counts, "{what}");
            let users = row.whole("users").unwrap_or(0);
            assert!(!counts || users.abs_diff(sums.users.len() as i128) <= 1, "{what}: {users}");
            assert_eq!(
                row.flag("is_partial"),
                [day("2026-09-28"), day("2026-11-09")].contains(&monday),
                "{what}"
            );
            assert_eq!(row.date("month"), monday.with_day(1).unwrap());
        }
    }
}

#[test]
fn a_day_moves_the_week_that_it_is_in() {
    for date in ["2026-11-09", "2026-11-11", "2026-11-15"] {
        assert_eq!((METRIC.touched)(day(date)), day("2026-11-09")..=day("2026-11-09"));
    }
    assert_eq!((METRIC.touched)(day("2026-11-16")), day("2026-11-16")..=day("2026-11-16"));
}
