//! What is not named cannot be told from anything that is published: random worlds that differ only inside cells that are not
//! public give the same rows of every table, but for what `told` says of each column.
//!
//! A pair of worlds differs in one of two ways. By names: other names, users, apps, endpoints and hosts, and amounts divided
//! otherwise, the sums of each day as they were. By amounts: the same names with other amounts and users, and more or fewer
//! names that nobody maps.

mod told;
mod tried;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use told::Difference;
use whole::Whole;

use crate::testing::Row;
use crate::{
    Metric, apps, endpoints, events, growth_by_month, health_by_5min, health_by_day, health_by_hour,
    health_by_window, health_now, live_by_minute, models, prices, providers, quality_by_day, rankings,
    routing_by_day, routing_by_hour, routing_now, share_by_week, speed_by_context, speed_by_hour,
    usage_by_day,
};

/// What everybody may read of what is made here, in the order in which it is made.
const PUBLIC: [Metric; 22] = [
    usage_by_day::METRIC,
    rankings::METRIC,
    share_by_week::METRIC,
    growth_by_month::METRIC,
    health_by_day::METRIC,
    health_by_window::METRIC,
    health_by_hour::METRIC,
    speed_by_hour::METRIC,
    speed_by_context::METRIC,
    health_by_5min::METRIC,
    health_now::METRIC,
    live_by_minute::METRIC,
    routing_by_day::METRIC,
    routing_by_hour::METRIC,
    routing_now::METRIC,
    quality_by_day::METRIC,
    models::METRIC,
    providers::METRIC,
    endpoints::METRIC,
    prices::METRIC,
    events::METRIC,
    apps::METRIC,
];

/// Of every so many pairs of worlds, one has the tables of windows, weeks and months, and one those of health and speed too: to plan
/// their statements takes longer than all else together.
const WINDOWS_IN_ONE_OF: u64 = 10;
const HEALTH_IN_ONE_OF: u64 = 15;

/// Stands in every name that nobody may read.
const SECRET: &str = "zq";
/// So many rows of a table in all pairs of a test are enough to have said something.
const LEAST_ROWS: usize = 20;

fn is_of_health(table: &str) -> bool {
    table.starts_with("health_") || table.starts_with("speed_")
}

fn is_of_windows(table: &str) -> bool {
    ["rankings", "share_by_week", "growth_by_month", "live_by_minute"].contains(&table)
        || table.starts_with("routing_")
}

/// Rows of each table, and how many of them differ where they may.
#[derive(Default)]
struct Tally {
    rows: BTreeMap<&'static str, usize>,
    differing: BTreeMap<&'static str, usize>,
}

/// Compares the two worlds of each seed.
async fn compared(seeds: Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        // Both kinds come to tables of every kind.
        let difference = if seed / 10 % 2 == 0 { Difference::Names } else { Difference::Amounts };
        let one = Whole::random(seed);
        let other = one.changed(seed, difference);
        let is_published = |metric: &Metric| match metric.table.name {
            name if is_of_health(name) => seed % HEALTH_IN_ONE_OF == 0,
            name if is_of_windows(name) => seed % WINDOWS_IN_ONE_OF == 0,
            _ => true,
        };
        let (ours, theirs) = (one.published(is_published).await, other.published(is_published).await);
        for ((table, rows), (_, others)) in ours.iter().zip(&theirs) {
            let compared = |rows: &[Row]| -> Vec<Row> {
                rows.iter().filter(|row| told::is_compared(table, row)).cloned().collect()
            };
            let (rows, others) = (&compared(rows), &compared(others));
            let sorted = |rows: &[Row], line: &dyn Fn(&Row) -> String| {
                let mut lines: Vec<String> = rows.iter().map(line).collect();
                lines.sort_unstable();
                lines
            };
            let [all, others_all] =
                [rows, others].map(|rows| sorted(rows, &|row| row.text_without(|_| false)));
            let told = |row: &Row| told::line(table, row, difference);
            let [lines, others_lines] = if told::is_cut(table, difference) {
                [rows, others].map(|rows| sorted(rows, &told))
            } else {
                [all.clone(), others_all.clone()]
            };
            let differ = lines.iter().zip(&others_lines).find(|(one, other)| one != other);
            assert_eq!(differ, None, "{table}, seed {seed}, by {difference:?}");
            assert_eq!(lines.len(), others_lines.len(), "{table}, seed {seed}, by {difference:?}");
            for line in &all {
                assert!(
                    !line.contains(SECRET) && !line.contains("raw-model"),
                    "{table}, seed {seed}: {line}"
                );
            }
            *tally.rows.entry(table).or_default() += rows.len();
            *tally.differing.entry(table).or_default() +=
                all.iter().zip(&others_all).filter(|(one, other)| one != other).count();
        }
    }
    tally
}

fn check(tally: &Tally) {
    for metric in &PUBLIC {
        let name = metric.table.name;
        assert!(tally.rows[name] > LEAST_ROWS, "{name} has little to tell: {:?}", tally.rows);
    }
    // The worlds do differ, where that may be seen.
    for name in [
        "usage_by_day",
        "rankings",
        "share_by_week",
        "growth_by_month",
        "live_by_minute",
        "quality_by_day",
        "routing_by_day",
    ] {
        assert!(tally.differing[name] > 0, "{name}: {:?}", tally.differing);
    }
}

/// Every table that everybody may read is compared, but `publications`, which names no row.
#[test]
fn every_table_that_everybody_reads_is_compared() {
    use bellwether_warehouse::tables::declared::Audience;
    let compared: BTreeSet<&str> = PUBLIC.iter().map(|metric| metric.table.name).collect();
    let read = crate::METRICS.iter().filter(|metric| metric.table.audience == Audience::Everyone);
    assert_eq!(compared, read.map(|metric| metric.table.name).collect());
}

// In parts, so that they run beside each other.
#[tokio::test]
async fn worlds_that_differ_in_what_is_hidden_give_the_same_rows() {
    check(&compared(0..75).await);
}

#[tokio::test]
async fn more_worlds_that_differ_in_what_is_hidden_give_the_same_rows() {
    check(&compared(75..150).await);
}
