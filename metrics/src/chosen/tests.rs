use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::Chosen;
use crate::testing::{Row, World, of_batches, publish};
use crate::{rankings, usage_by_day, users_by_window};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn world(seed: u64) -> World {
    World::new(seed, day("2026-10-01"), 40, day("2026-11-10"))
}

async fn chosen(world: &World, chosen: &Chosen) -> Vec<Row> {
    let ctx = world.session().await;
    publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
    of_batches(&rankings::TABLE.schema(), &chosen.rows(&ctx, &world.terms).await.unwrap())
}

/// A window that is published is the same when it is chosen.
#[tokio::test]
async fn what_is_chosen_equals_what_is_published() {
    for seed in 0..2 {
        let world = world(seed);
        let ctx = world.session().await;
        publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
        let end = world.last;
        publish(&ctx, &users_by_window::METRIC, end, end).await;
        let published = publish(&ctx, &rankings::METRIC, end, end).await;
        for length in [1, 7] {
            let start = end - Days::new(length - 1);
            let before = start - Days::new(length)..=start - Days::new(1);
            let asked = Chosen { days: start..=end, before: Some(before), first_date: world.first };
            let found = chosen(&world, &asked).await;
            let of_window = |row: &&Row| row.whole("window_days") == Some(i128::from(length));
            let expected: BTreeMap<_, _> =
                published.iter().filter(of_window).map(|row| (row.name(), row)).collect();
            assert_eq!(found.len(), expected.len(), "seed {seed}, {length} days");
            for row in &found {
                assert!(row.is_same(expected[&row.name()]), "seed {seed}, {length} days: {row:?}");
            }
        }
    }
}

/// Against the same days of another time: sums of both from the cells alone.
#[tokio::test]
async fn another_window_before_is_summed_as_it_is() {
    for seed in 0..2 {
        let world = world(seed);
        let days = day("2026-11-04")..=day("2026-11-06");
        let before = day("2026-10-14")..=day("2026-10-16");
        let asked = Chosen { days: days.clone(), before: Some(before.clone()), first_date: world.first };
        let found = chosen(&world, &asked).await;
        let sum = |range: &std::ops::RangeInclusive<NaiveDate>, name: &(String, String, String)| -> i128 {
            let told = world.told(&name.0, range).into_iter();
            let own = told.filter(|((kind, key), _)| (kind, key) == (&name.1, &name.2));
            own.map(|(_, cell)| i128::from(cell.count("requests"))).sum()
        };
        assert!(!found.is_empty());
        for row in &found {
            let name = row.name();
            assert_eq!(row.whole("requests"), Some(sum(&days, &name)), "seed {seed}: {name:?}");
            if let Some(told) = row.whole("requests_before") {
                assert_eq!(told, sum(&before, &name), "seed {seed}: {name:?}");
            }
            // Nothing is told of what is trending: that takes three windows in a row.
            assert_eq!(row.text("tokens_excess_reason"), "no_history");
        }
    }
}

#[tokio::test]
async fn without_a_window_before_nothing_is_compared() {
    let world = world(1);
    let asked = Chosen { days: day("2026-11-01")..=day("2026-11-03"), before: None, first_date: world.first };
    let found = chosen(&world, &asked).await;
    assert!(found.iter().all(|row| row.text("requests_change_reason") == "no_history"));
    let too_early = Chosen {
        days: day("2026-10-02")..=day("2026-10-03"),
        before: Some(day("2026-09-30")..=day("2026-10-01")),
        ..asked
    };
    let found = chosen(&world, &too_early).await;
    assert!(found.iter().all(|row| row.text("requests_change_reason") == "no_history"));
}
