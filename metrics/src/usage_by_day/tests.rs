use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use super::{METRIC, TABLE};
use crate::testing::{Cell, DIMENSIONS, Value, World, publish};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn world(seed: u64) -> World {
    World::new(seed, day("2026-10-20"), 20, day("2026-11-08"))
}

#[tokio::test]
async fn every_day_and_dimension_holds_the_sums_of_its_cells() {
    let (mut seen, mut rounded) = (BTreeSet::new(), 0);
    for seed in 0..12 {
        let world = world(seed);
        let ctx = world.session().await;
        let (from, to) = (world.first + Days::new(3), world.last);
        let found = publish(&ctx, &METRIC, from, to).await;
        let mut expected: BTreeMap<_, BTreeMap<String, i128>> = BTreeMap::new();
        let mut unserved: BTreeMap<_, Option<i128>> = BTreeMap::new();
        for dimension in DIMENSIONS {
            for ((kind, key), cell) in world.told(dimension, &(from..=to)) {
                let name = (cell.date, dimension.to_owned(), kind, key);
                // One row that does not know it, and the sum is not known.
                let part = unserved.entry(name.clone()).or_insert(Some(0));
                *part = part.zip(cell.unserved).map(|(sum, own)| sum + own);
                let sums = expected.entry(name).or_default();
                for (name, count) in &cell.counts {
                    *sums.entry(name.clone()).or_default() += i128::from(*count);
                }
                *sums.entry("tokens".to_owned()).or_default() += i128::from(cell.count("tokens"));
                *sums.entry("spend_usd".to_owned()).or_default() += cell.cost;
            }
        }
        assert_eq!(found.len(), expected.len(), "seed {seed}");
        for row in &found {
            let (dimension, kind, key) = row.name();
            let date = row.date("date");
            let name = (date, dimension, kind, key);
            let sums = &expected[&name];
            assert_eq!(row.whole("unserved_spend_usd"), unserved[&name], "seed {seed}: {name:?}");
            let is_rough =
                world.is_rough() && (name.1.as_str(), name.2.as_str()) == ("model_provider", "key");
            assert_eq!(row.flag("is_rounded"), is_rough, "seed {seed}: {name:?}");
            rounded += usize::from(is_rough);
            let reason = if unserved[&name].is_none() { "no_history" } else { "" };
            assert_eq!(row.text("unserved_spend_reason"), reason);
            seen.insert(reason);
            for (name, sum) in sums {
                assert_eq!(row.whole(name), Some(*sum), "seed {seed}: {name} of {:?} on {date}", row.name());
            }
            // Nothing but the names and these is in the table.
            assert_eq!(TABLE.columns.len(), sums.len() + 15);
            // Whoever puts the rows gives it.
            assert_eq!(row.whole("revision"), None);
            assert_eq!(row.date("month"), date.with_day(1).unwrap());
            assert_eq!(row.flag("is_partial"), date == world.terms.today);
        }
    }
    assert_eq!(seen, BTreeSet::from(["", "no_history"]));
    assert!(rounded > 100, "{rounded}");
}

#[tokio::test]
async fn hidden_amounts_are_the_same_in_every_dimension_without_providers() {
    let mut seen = 0;
    for seed in 0..12 {
        let world = world(seed);
        let found = publish(&world.session().await, &METRIC, world.first, world.last).await;
        let hidden = |dimension: &str| -> BTreeMap<NaiveDate, Option<i128>> {
            let rows =
                found.iter().filter(|row| row.text("dimension") == dimension && row.text("kind") == "hidden");
            rows.map(|row| (row.date("date"), row.whole("tokens"))).collect()
        };
        assert_eq!(hidden("model"), hidden("author"));
        assert_eq!(hidden("model"), hidden("variant"));
        for (date, tokens) in hidden("model") {
            assert!(hidden("provider").get(&date).copied().flatten() >= tokens);
            seen += 1;
        }
    }
    assert!(seen > 20);
}

#[tokio::test]
async fn rows_carry_their_names_in_columns_of_their_own() {
    let mut world = World::new(3, day("2026-11-01"), 1, day("2026-11-02"));
    world.terms.users = 0;
    world.terms.has_raw_names = true;
    let cell = |model, author, variant, provider| Cell {
        model,
        author,
        variant,
        provider,
        ..world.cells[0].clone()
    };
    world.cells = vec![
        cell(Some("acme/one"), Some("acme"), None, Some("north")),
        cell(Some("acme/one"), Some("acme"), Some("free"), Some("west")),
        cell(Some("solo/one"), Some("solo"), Some("standard"), None),
        cell(Some("raw-model"), None, Some("standard"), Some("host:10.0.0.1")),
    ];
    // The log of the day may not know the authors.
    for cell in &mut world.cells {
        cell.logged_author = None;
    }
    let found = publish(&world.session().await, &METRIC, world.first, world.last).await;
    let names = ["dimension", "kind", "key", "model", "variant", "author", "provider", "display_name"];
    let mut found: Vec<_> =
        found.iter().map(|row| names.map(|name| row.text(name).to_owned()).join("|")).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "author|key|acme|||acme||Name of acme",
            "author|key|solo|||solo||solo",
            "author|unmapped|unmapped|||||Unmapped",
            "model_provider|key|acme/one@north|acme/one||acme|north|Name of acme/one at Name of north",
            "model_provider|key|acme/one@west|acme/one||acme|west|Name of acme/one at west",
            "model_provider|key|raw-model@host:10.0.0.1|raw-model|||host:10.0.0.1|raw-model at host:10.0.0.1",
            "model_provider|none|none|||||No provider",
            "model|key|acme/one|acme/one||acme||Name of acme/one",
            "model|key|raw-model|raw-model||||raw-model",
            "model|key|solo/one|solo/one||solo||Name of solo/one",
            "provider|key|host:10.0.0.1||||host:10.0.0.1|host:10.0.0.1",
            "provider|key|north||||north|Name of north",
            "provider|key|west||||west|west",
            "provider|none|none|||||No provider",
            "total|total|total|||||All",
            "variant|key|acme/one:free|acme/one|free|acme||Name of acme/one (free)",
            "variant|key|acme/one|acme/one|standard|acme||Name of acme/one",
            "variant|key|raw-model|raw-model|standard|||raw-model",
            "variant|key|solo/one|solo/one|standard|solo||Name of solo/one",
        ]
    );
}

#[tokio::test]
async fn counts_that_do_not_fit_are_an_error_and_no_cut_value() {
    let mut world = World::new(5, day("2026-11-01"), 1, day("2026-11-02"));
    world.cells.truncate(1);
    world.cells[0].counts.insert("input_images".to_owned(), i64::MAX);
    world.cells.push(world.cells[0].clone());
    let failed = METRIC.rows(&world.session().await, world.first, world.last).await.unwrap_err();
    assert!(failed.to_string().contains("usage_by_day"), "{failed}");
    let one = World { cells: world.cells[..1].to_vec(), ..world };
    let found = publish(&one.session().await, &METRIC, one.first, one.last).await;
    assert!(found.iter().all(|row| row.value("input_images") == &Value::Integer(i64::MAX)));
}
