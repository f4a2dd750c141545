use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use chrono::{Days, NaiveDate};
use serde_json::{Value as Json, json};

use super::METRIC;
use crate::testing::{Dice, Row, Value, date, publish, stand_in, terms};
use crate::{ModelFacts, Terms, health_now, usage_by_day};

/// Of the catalogue, of a rule of it, and of nobody.
const MODELS: [(&str, Option<&str>); 5] = [
    ("acme/one", Some("acme")),
    ("acme/two", Some("acme")),
    ("solo/one", Some("solo")),
    ("ruled/one", Some("ruled")),
    ("zq-raw", None),
];
const PROVIDERS: [&str; 3] = ["north", "south", "west"];

/// What the tables say that it is made of.
#[derive(Default)]
struct Tables {
    usage: Vec<Json>,
    now: Vec<Json>,
    days: Vec<Json>,
}

async fn found(tables: &Tables, terms: &Terms) -> BTreeMap<String, Row> {
    let ctx = without_files(2);
    crate::register(&ctx, terms).await.unwrap();
    stand_in(&ctx, usage_by_day::METRIC.id(), tables.usage.clone());
    stand_in(&ctx, health_now::METRIC.id(), tables.now.clone());
    stand_in(&ctx, TableId::HealthDaily, tables.days.clone());
    let rows = publish(&ctx, &METRIC, terms.today, terms.today).await;
    let keyed: BTreeMap<String, Row> =
        rows.iter().map(|row| (row.text("key").to_owned(), row.clone())).collect();
    assert_eq!(keyed.len(), rows.len(), "a model has two rows");
    keyed
}

fn used(model: &str, author: Option<&str>, on: NaiveDate, kind: &str, requests: i64) -> Json {
    json!({
        "dimension": "model", "kind": kind, "key": model, "model": model, "author": author, "date": on,
        "requests": requests,
    })
}

#[tokio::test]
async fn models_are_those_of_the_catalogue_and_the_public_ones_and_say_of_usage_what_is_published() {
    for seed in 0..30 {
        let mut dice = Dice(seed);
        let terms = Terms { has_raw_names: dice.one_in(2), ..terms() };
        let mut tables = Tables::default();
        let mut usage: BTreeMap<&str, BTreeSet<NaiveDate>> = BTreeMap::new();
        for _ in 0..dice.below(12) {
            let (model, author) = dice.of(&MODELS[..if terms.has_raw_names { 5 } else { 4 }]);
            let on = terms.today - Days::new(dice.below(20));
            let (kind, dimension) =
                (dice.of(&["key", "key", "hidden"]), dice.of(&["model", "model", "variant"]));
            let requests = i64::try_from(dice.below(3)).unwrap();
            let mut row = used(if kind == "key" { model } else { kind }, author, on, kind, requests);
            row["dimension"] = json!(dimension);
            tables.usage.push(row);
            if kind == "key" && dimension == "model" && requests > 0 {
                usage.entry(model).or_default().insert(on);
            }
        }
        let mut now: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for at in 0..dice.below(12) {
            let (model, _) = dice.of(&MODELS[..3]);
            let (provider, minutes) = (dice.of(&PROVIDERS), dice.of(&[10_080, 10_080, 30]));
            let dimension = dice.of(&["endpoint", "endpoint", "model_provider"]);
            tables.now.push(json!({
                "dimension": dimension, "window_minutes": minutes, "key": at.to_string(), "model": model,
                "provider": provider,
            }));
            if dimension == "endpoint" && minutes == 10_080 {
                now.entry(model).or_default().push(provider);
            }
        }
        let mut tried = BTreeSet::new();
        for _ in 0..dice.below(4) {
            let (model, author) = dice.of(&MODELS);
            tables
                .days
                .push(json!({"date": terms.today, "model_id": model, "author": author, "attempts": 1}));
            tried.insert(model);
        }
        let found = found(&tables, &terms).await;
        for (model, author) in MODELS {
            let is_catalogued = terms.catalogue.models.iter().any(|known| known.id == model);
            let is_listed =
                is_catalogued || usage.contains_key(model) || (terms.has_raw_names && tried.contains(model));
            let Some(row) = found.get(model) else {
                assert!(!is_listed, "seed {seed}: {model} is missing");
                continue;
            };
            assert!(is_listed, "seed {seed}: {model}");
            assert_eq!((row.text("model"), row.text("author")), (model, author.unwrap_or_default()));
            assert_eq!(row.flag("is_catalogued"), is_catalogued);
            let name = if is_catalogued { format!("Name of {model}") } else { model.to_owned() };
            assert_eq!(row.text("display_name"), name);
            let author_name =
                if author == Some("acme") { "Name of acme" } else { author.unwrap_or_default() };
            assert_eq!(row.text("author_name"), author_name);
            let days = usage.get(model);
            let date = |date: Option<&NaiveDate>| date.map_or(Value::Null, |date| Value::Date(*date));
            assert_eq!(
                row.value("first_date"),
                &date(days.and_then(BTreeSet::first)),
                "seed {seed}: {model}"
            );
            assert_eq!(row.value("last_date"), &date(days.and_then(BTreeSet::last)), "seed {seed}: {model}");
            let endpoints = now.get(model).map_or(&[][..], Vec::as_slice);
            let providers: BTreeSet<_> = endpoints.iter().collect();
            assert_eq!(row.whole("endpoints"), Some(endpoints.len() as i128));
            assert_eq!(row.whole("providers"), Some(providers.len() as i128));
            let is_used =
                days.and_then(BTreeSet::last).is_some_and(|last| *last > terms.today - Days::new(7));
            assert_eq!(row.flag("is_active"), is_used || !endpoints.is_empty(), "seed {seed}: {model}");
        }
        assert!(found.keys().all(|key| MODELS.iter().any(|(model, _)| model == key)), "seed {seed}");
    }
}

#[tokio::test]
async fn what_a_model_takes_and_makes_is_told_apart() {
    for told in 0..4 {
        let mut terms = terms();
        let flag = |at: usize| Some(at == told);
        let facts = ModelFacts {
            accepts_images: flag(0),
            accepts_audio: flag(1),
            accepts_video: flag(2),
            makes_images: flag(3),
            max_output_tokens: Some(8_000),
            context_tokens: Some(9_000),
            ..ModelFacts::default()
        };
        terms.catalogue.facts.models.insert("acme/one".into(), facts);
        let found = &found(&Tables::default(), &terms).await;
        for (at, column) in
            ["accepts_images", "accepts_audio", "accepts_video", "makes_images"].into_iter().enumerate()
        {
            assert_eq!(found["acme/one"].value(column), &Value::Flag(at == told), "{column}");
            assert_eq!(found["acme/two"].value(column), &Value::Null, "{column}");
        }
        assert_eq!(found["acme/one"].whole("max_output_tokens"), Some(8_000));
        assert_eq!(found["acme/one"].whole("context_tokens"), Some(9_000));
    }
}

#[tokio::test]
async fn facts_are_those_of_the_catalogue_and_null_where_it_has_none() {
    let mut terms = terms();
    let facts = ModelFacts {
        released_on: Some(date("2026-03-01")),
        context_tokens: Some(200_000),
        license: Some("MIT".into()),
        has_open_weights: Some(true),
        accepts_images: Some(false),
        ..ModelFacts::default()
    };
    terms.catalogue.facts.models.insert("acme/two".into(), facts);
    // Facts of what nobody lists are told nowhere.
    terms.catalogue.facts.models.insert("zq/unlisted".into(), ModelFacts::default());
    let found = found(&Tables::default(), &terms).await;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["acme/one", "acme/two", "solo/one"]);
    let (one, two) = (&found["acme/one"], &found["acme/two"]);
    assert_eq!((two.date("released_on"), two.whole("context_tokens")), (date("2026-03-01"), Some(200_000)));
    assert_eq!((two.text("license"), two.value("has_open_weights")), ("MIT", &Value::Flag(true)));
    assert_eq!((two.value("accepts_images"), two.value("makes_images")), (&Value::Flag(false), &Value::Null));
    assert_eq!(two.whole("max_output_tokens"), None);
    for column in ["released_on", "context_tokens", "license", "has_open_weights", "accepts_video"] {
        assert_eq!(one.value(column), &Value::Null, "{column}");
    }
    assert!(!one.flag("is_active"));
}
