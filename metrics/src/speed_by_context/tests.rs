use std::collections::BTreeMap;

use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use bellwether_warehouse::sketches::ddsketch::DdSketch;
use chrono::{Datelike, Days, NaiveDate};
use serde_json::{Map, Value, json};

use super::{METRIC, TABLE};
use crate::Terms;
use crate::health::testing::{Dice, chain, day, put, terms, text};

const MEASURES: [&str; 3] = ["ttft_ms", "tokens_per_s_e2e", "tokens_per_s_decode"];
/// Name, author then, and whether the catalogue of the terms has it.
const MODELS: [(Option<&str>, Option<&str>); 4] =
    [(Some("acme/one"), Some("acme")), (Some("beta/two"), None), (Some("raw-three"), None), (None, None)];
const PROVIDERS: [Option<&str>; 4] = [Some("north"), Some("south"), Some("host:10.0.0.7"), None];
const BUCKETS: [i64; 3] = [1_000, 10_000, 100_000_000];

/// What was measured of attempts of one model, provider and bucket on one day.
type Cells = BTreeMap<(NaiveDate, usize, usize, i64), [Vec<f64>; 3]>;

fn cells(seed: u64, attempts: usize, days: u64) -> Cells {
    let mut dice = Dice(seed);
    let mut cells = Cells::new();
    for _ in 0..attempts {
        let date = day("2026-11-25") - Days::new(dice.below(days));
        let place = (dice.below(4) as usize, dice.below(4) as usize);
        // Long prompts are rare.
        let bucket = BUCKETS[[0, 0, 0, 0, 1, 1, 1, 1, 1, 2][dice.below(10) as usize]];
        let values = cells.entry((date, place.0, place.1, bucket)).or_default();
        for values in values {
            if dice.below(3) > 0 {
                values.push(10.0_f64.powf(dice.below(3_000) as f64 / 1_000.0));
            }
        }
    }
    cells
}

async fn rows(cells: &Cells, terms: &Terms, from: &str) -> Vec<Map<String, Value>> {
    let ctx = without_files(2);
    let mut partial = Vec::new();
    for ((date, model, provider, bucket), values) in cells {
        // In two parts, as folds leave them.
        for part in 0..2 {
            let mut row = Map::new();
            let (model, author) = MODELS[*model];
            row.insert("date".into(), json!(date));
            row.insert("model_id".into(), json!(model));
            row.insert("author".into(), json!(author));
            row.insert("provider_id".into(), json!(PROVIDERS[*provider]));
            row.insert("context_bucket".into(), json!(bucket));
            for (name, values) in MEASURES.iter().zip(values) {
                let mut sketch = DdSketch::default();
                let of_part: Vec<f64> = values.iter().skip(part).step_by(2).copied().collect();
                of_part.iter().for_each(|value| sketch.add(*value));
                let hex: String = sketch.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                row.insert((*name).into(), if of_part.is_empty() { Value::Null } else { json!(hex) });
            }
            partial.push(Value::Object(row));
        }
    }
    put(&ctx, TableId::ContextSpeedDaily, partial);
    crate::register(&ctx, terms).await.unwrap();
    let found = METRIC.rows(&ctx, day(from), day("2026-11-25")).await;
    let batches = found.map_err(|error| chain(&error)).unwrap();
    let mut writer = arrow::json::ArrayWriter::new(Vec::new());
    writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    serde_json::from_slice(&writer.into_inner()).unwrap()
}

/// By week, name and bucket, of what a catalogue of two models and two providers lets be named.
fn expected(cells: &Cells) -> BTreeMap<(NaiveDate, String, i64), [Vec<f64>; 3]> {
    let mut weeks: BTreeMap<_, [Vec<f64>; 3]> = BTreeMap::new();
    for ((date, model, provider, bucket), values) in cells {
        let week = *date - Days::new(date.weekday().num_days_from_monday().into());
        if *model > 1 || *provider > 1 || week < day("2026-10-21") {
            continue;
        }
        let key = format!("{}@{}", MODELS[*model].0.unwrap(), PROVIDERS[*provider].unwrap());
        let of_week = weeks.entry((week, key, *bucket)).or_default();
        for (all, own) in of_week.iter_mut().zip(values) {
            all.extend(own);
        }
    }
    weeks
}

#[tokio::test]
async fn weeks_hold_the_percentiles_of_every_length_that_has_enough_samples() {
    let cells = cells(3, 9_000, 60);
    let expected = expected(&cells);
    let found = rows(&cells, &terms(), "2026-09-01").await;
    assert_eq!(found.len(), expected.len());
    let (mut shown, mut withheld) = (0, 0);
    for row in &found {
        let week = day(text(row, "week_start"));
        let bucket = row["context_bucket"].as_i64().unwrap();
        let values = &expected[&(week, text(row, "key").to_owned(), bucket)];
        assert_eq!(row["is_partial"], week == day("2026-11-23"), "the week of the running day");
        assert_eq!(text(row, "month"), week.with_day(1).unwrap().to_string());
        for (name, values) in MEASURES.iter().zip(values) {
            let mut values = values.clone();
            values.sort_by(f64::total_cmp);
            assert_eq!(row[&format!("{name}_samples")], values.len());
            let quantiles: &[(f64, &str)] = match *name {
                "ttft_ms" => &[(0.5, "p50"), (0.75, "p75"), (0.9, "p90"), (0.99, "p99")],
                _ => &[(0.1, "p10"), (0.5, "p50"), (0.75, "p75"), (0.9, "p90"), (0.99, "p99")],
            };
            for (q, column) in quantiles {
                let found = row.get(&format!("{name}_{column}")).and_then(Value::as_f64);
                if values.len() < 20 {
                    assert_eq!((found, text(row, &format!("{name}_reason"))), (None, "not_enough"));
                    withheld += 1;
                    continue;
                }
                let exact = values[(q * (values.len() - 1) as f64) as usize];
                assert!((found.unwrap() / exact - 1.0).abs() <= 0.010_001, "{name} {q}: {found:?}, {exact}");
                assert_eq!(text(row, &format!("{name}_reason")), "");
                shown += 1;
            }
        }
    }
    assert!(shown > 200 && withheld > 100, "{shown} {withheld}");
}

#[tokio::test]
async fn names_are_those_of_the_catalogue_and_counts_are_bands_where_users_are_asked_for() {
    let cells = cells(4, 9_000, 3);
    let asked = Terms { users: 20, ..terms() };
    let found = rows(&cells, &asked, "2026-11-23").await;
    let names: Vec<_> = ["key", "kind", "model", "author", "provider", "display_name"].into();
    let of =
        |row: &Map<String, Value>| names.iter().map(|name| text(row, name)).collect::<Vec<_>>().join("|");
    let mut lines: Vec<String> = found.iter().map(of).collect();
    lines.dedup();
    assert_eq!(
        lines,
        [
            "acme/one@north|key|acme/one|acme|north|One at North",
            "acme/one@south|key|acme/one|acme|south|One at South Cloud",
            "beta/two@north|key|beta/two|beta|north|Two at North",
            "beta/two@south|key|beta/two|beta|south|Two at South Cloud",
        ]
    );
    let expected = expected(&cells);
    let mut bands = BTreeMap::new();
    for row in &found {
        let name = (day("2026-11-23"), text(row, "key").to_owned(), row["context_bucket"].as_i64().unwrap());
        let samples = expected[&name][0].len();
        let band = if samples < 100 { 0 } else { 100 };
        assert_eq!((&row["counts_are_bands"], &row["ttft_ms_samples"]), (&json!(true), &json!(band)));
        assert!(samples < 1_000);
        *bands.entry(band).or_insert(0) += 1;
    }
    assert_eq!(bands, BTreeMap::from([(0, 4), (100, 8)]));
    // A site without a catalogue shows what the log says.
    let raw = Terms { has_raw_names: true, ..terms() };
    let mut keys: Vec<String> =
        rows(&cells, &raw, "2026-11-23").await.iter().map(|row| text(row, "key").to_owned()).collect();
    keys.dedup();
    assert_eq!(keys.len(), 9);
    assert!(keys.contains(&"raw-three@host:10.0.0.7".to_owned()), "{keys:?}");
}

#[test]
fn of_speeds_there_are_those_that_the_length_of_a_prompt_moves() {
    let names: Vec<&str> = TABLE.columns.iter().map(|column| column.name).collect();
    let speeds = |measure: &str| names.iter().filter(|name| name.starts_with(measure)).count();
    assert_eq!(["ttft_ms_", "tokens_per_s_e2e_", "tokens_per_s_decode_"].map(speeds), [6, 7, 7]);
    assert_eq!(names.len(), 12 + 20);
}
