use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{append, attempt, batch};
use bellwether_warehouse::{Location, TableId, Warehouse, snapshot};

use super::METRIC;
use crate::Terms;
use crate::health::testing::{Dice, MINUTE, terms, us};

const COUNTS: [&str; 8] = [
    "requests",
    "input_tokens",
    "output_tokens",
    "unpriced_requests",
    "attempts",
    "counted",
    "success",
    "rate_limited",
];

/// Counts and spend by start of the minute, µs.
type Minutes = BTreeMap<i64, ([i64; COUNTS.len()], i128)>;

async fn warehouse() -> (tempfile::TempDir, Warehouse) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let warehouse = Warehouse::open_or_create(&location).await.unwrap();
    (folder, warehouse)
}

async fn minutes(warehouse: &Warehouse, terms: &Terms) -> Minutes {
    let ctx = warehouse.session(2);
    let attempts = warehouse.table(TableId::Attempts).await.unwrap().snapshot().clone();
    snapshot::register(&ctx, &[attempts]).unwrap();
    crate::register(&ctx, terms).await.unwrap();
    let mut minutes = Minutes::new();
    for rows in METRIC.rows(&ctx, terms.today, terms.today).await.unwrap() {
        let column = |name: &str| rows.column_by_name(name).unwrap();
        let starts = column("minute_at").as_primitive::<TimestampMicrosecondType>();
        let spend = column("spend_usd").as_primitive::<Decimal128Type>();
        for row in 0..rows.num_rows() {
            let counts = COUNTS.map(|name| column(name).as_primitive::<Int64Type>().value(row));
            assert_eq!(minutes.insert(starts.value(row), (counts, spend.value(row))), None);
        }
    }
    minutes
}

fn is_served(row: &AttemptRow<'_>) -> bool {
    match row.outcome {
        "ok" => true,
        "cancelled" => row.output_tokens.is_some_and(|tokens| tokens >= 1) || row.ttft_ms.is_some(),
        _ => false,
    }
}

/// What the minutes must hold, by a plain loop.
fn expected(rows: &[AttemptRow<'_>], last: i64) -> Minutes {
    let mut minutes: Minutes = (1..=65).map(|back| (last - back * MINUTE, Default::default())).collect();
    for row in rows {
        let Some((counts, spend)) = minutes.get_mut(&(row.started_at - row.started_at.rem_euclid(MINUTE)))
        else {
            continue;
        };
        *spend += row.cost_usd.unwrap_or(0);
        if is_served(row) {
            counts[0] += 1;
            counts[1] += row.input_tokens.unwrap_or(0);
            counts[2] += row.output_tokens.unwrap_or(0);
            counts[3] += i64::from(row.cost_usd.is_none());
        }
        if !row.gateway_cache_hit {
            counts[4] += 1;
            counts[5] += i64::from(is_served(row) || row.outcome == "fault");
            counts[6] += i64::from(is_served(row));
            counts[7] += i64::from(row.outcome == "rate_limited");
        }
    }
    minutes
}

#[tokio::test]
async fn each_minute_counts_what_a_loop_over_the_attempts_counts() {
    let (_folder, warehouse) = warehouse().await;
    let mut table = warehouse.table(TableId::Attempts).await.unwrap();
    let mut dice = Dice(9);
    let terms = terms();
    let last = us("2026-11-25T12:07:00Z");
    let mut all = Vec::new();
    for _ in 0..3 {
        let rows: Vec<AttemptRow<'_>> = (0..200)
            .map(|_| {
                let outcome = match dice.below(8) {
                    0 => "fault",
                    1 => "rate_limited",
                    2 => "client_error",
                    3 | 4 => "cancelled",
                    _ => "ok",
                };
                AttemptRow {
                    // From before the first minute to behind the watermark.
                    started_at: last + 3 * MINUTE - dice.below(75 * MINUTE as u64) as i64,
                    outcome,
                    ttft_ms: (dice.below(2) == 0).then_some(0),
                    input_tokens: (dice.below(5) > 0).then(|| dice.below(5_000) as i64),
                    output_tokens: (dice.below(3) > 0).then(|| dice.below(2) as i64),
                    cost_usd: (dice.below(4) > 0).then(|| i128::from(dice.below(9_000_000))),
                    gateway_cache_hit: dice.below(6) == 0,
                    ..attempt("a")
                }
            })
            .collect();
        append(&mut table, &batch(&rows)).await.unwrap();
        all.extend(rows);
    }
    let found = minutes(&warehouse, &terms).await;
    assert_eq!(found, expected(&all, last));

    // Whatever minutes are asked for together, they add up to all attempts of then.
    for _ in 0..1_000 {
        let from = last - (1 + dice.below(65) as i64) * MINUTE;
        let to = from + (1 + dice.below(((last - from) / MINUTE) as u64) as i64) * MINUTE;
        let at = dice.below(COUNTS.len() as u64) as usize;
        let within = || all.iter().filter(|row| (from..to).contains(&row.started_at));
        let counts = |row: &&AttemptRow<'_>| match COUNTS[at] {
            "attempts" => i64::from(!row.gateway_cache_hit),
            "counted" => i64::from(!row.gateway_cache_hit && (is_served(row) || row.outcome == "fault")),
            "success" => i64::from(!row.gateway_cache_hit && is_served(row)),
            "rate_limited" => i64::from(!row.gateway_cache_hit && row.outcome == "rate_limited"),
            _ if !is_served(row) => 0,
            "requests" => 1,
            "input_tokens" => row.input_tokens.unwrap_or(0),
            "output_tokens" => row.output_tokens.unwrap_or(0),
            _ => i64::from(row.cost_usd.is_none()),
        };
        let of_minutes = || found.range(from..to).map(|(_, (counts, spend))| (counts[at], *spend));
        let of_all: i64 = within().map(|row| counts(&row)).sum();
        assert_eq!(of_minutes().map(|(n, _)| n).sum::<i64>(), of_all, "{} from {from} to {to}", COUNTS[at]);
        let spend: i128 = within().filter_map(|row| row.cost_usd).sum();
        assert_eq!(of_minutes().map(|(_, spend)| spend).sum::<i128>(), spend, "{from} to {to}");
    }
}

#[tokio::test]
async fn minutes_without_traffic_are_zeros_the_bounds_are_whole_minutes_and_older_files_stay_closed() {
    let (folder, warehouse) = warehouse().await;
    let mut table = warehouse.table(TableId::Attempts).await.unwrap();
    // Seven and a half minutes past midnight: the hour began on the day before.
    let terms = Terms { watermark: "2026-11-25T00:07:30Z".parse().unwrap(), ..terms() };
    assert_eq!(minutes(&warehouse, &terms).await, expected(&[], us("2026-11-25T00:07:00Z")));
    let calls = [
        ("2026-11-24T23:01:59.999999Z", 0),
        ("2026-11-24T23:02:00Z", 1),
        ("2026-11-25T00:06:59.999999Z", 1),
        ("2026-11-25T00:07:00Z", 0),
    ];
    for (at, _) in calls {
        append(&mut table, &batch(&[AttemptRow { started_at: us(at), ..attempt("a") }])).await.unwrap();
    }
    // The files of what lies outside cannot be read, and nobody wants to.
    for file in table.snapshot().files() {
        let started = file.bounds().instant("started_at").least.unwrap();
        if calls.iter().any(|(at, counts)| *counts == 0 && at.parse() == Ok(started)) {
            std::fs::remove_file(folder.path().join("attempts").join(&file.path)).unwrap();
        }
    }
    let found = minutes(&warehouse, &terms).await;
    assert_eq!(found.len(), 65);
    let busy: Vec<_> = found.iter().filter(|(_, (counts, _))| counts[0] > 0).collect();
    let of_one = ([1, 1_000, 200, 0, 1, 1, 1, 0], 1_500_000);
    assert_eq!(busy, [(&us("2026-11-24T23:02:00Z"), &of_one), (&us("2026-11-25T00:06:00Z"), &of_one)]);
}
