use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use chrono::{Days, NaiveDate};
use serde_json::{Value as Json, json};

use super::METRIC;
use crate::testing::{Dice, Row, Value, publish, stand_in, terms};
use crate::{ProviderFacts, Terms, health_now, models, usage_by_day};

/// The catalogue knows the first two.
const PROVIDERS: [&str; 4] = ["north", "south", "west", "host:10.0.0.1"];

async fn found(usage: Vec<Json>, now: Vec<Json>, days: Vec<Json>, terms: &Terms) -> BTreeMap<String, Row> {
    let ctx = without_files(2);
    crate::register(&ctx, terms).await.unwrap();
    stand_in(&ctx, usage_by_day::METRIC.id(), usage);
    stand_in(&ctx, health_now::METRIC.id(), now);
    stand_in(&ctx, TableId::HealthDaily, days);
    let named = ["acme/one", "acme/two"].map(|model| json!({"key": model, "model": model}));
    stand_in(&ctx, models::METRIC.id(), named.into());
    let rows = publish(&ctx, &METRIC, terms.today, terms.today).await;
    let keyed: BTreeMap<String, Row> =
        rows.iter().map(|row| (row.text("key").to_owned(), row.clone())).collect();
    assert_eq!(keyed.len(), rows.len(), "a provider has two rows");
    keyed
}

#[tokio::test]
async fn providers_are_those_of_the_catalogue_and_the_public_ones_and_say_of_usage_what_is_published() {
    for seed in 0..30 {
        let mut dice = Dice(seed);
        let terms = Terms { has_raw_names: dice.one_in(2), ..terms() };
        let (mut usage_rows, mut now_rows, mut day_rows) = (Vec::new(), Vec::new(), Vec::new());
        let mut usage: BTreeMap<&str, BTreeSet<NaiveDate>> = BTreeMap::new();
        for _ in 0..dice.below(12) {
            let provider = dice.of(&PROVIDERS[..if terms.has_raw_names { 4 } else { 3 }]);
            let on = terms.today - Days::new(dice.below(20));
            let (kind, dimension) =
                (dice.of(&["key", "key", "hidden"]), dice.of(&["provider", "provider", "model_provider"]));
            let requests = i64::try_from(dice.below(3)).unwrap();
            let key = if kind == "key" { provider } else { kind };
            usage_rows.push(json!({
                "dimension": dimension, "kind": kind, "key": key, "provider": provider, "date": on, "requests": requests,
            }));
            if kind == "key" && dimension == "provider" && requests > 0 {
                usage.entry(provider).or_default().insert(on);
            }
        }
        let mut now: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for at in 0..dice.below(12) {
            let (provider, model) =
                (dice.of(&PROVIDERS[..2]), dice.of(&["acme/one", "acme/two", "zq/unnamed"]));
            let minutes = dice.of(&[10_080, 10_080, 1_440]);
            now_rows.push(json!({
                "dimension": "endpoint", "window_minutes": minutes, "key": at.to_string(), "model": model,
                "provider": provider,
            }));
            if minutes == 10_080 && model != "zq/unnamed" {
                now.entry(provider).or_default().push(model);
            }
        }
        let mut tried = BTreeSet::new();
        for _ in 0..dice.below(4) {
            let provider = dice.of(&PROVIDERS);
            day_rows.push(json!({"date": terms.today, "provider_id": provider, "attempts": 1}));
            tried.insert(provider);
        }
        let found = found(usage_rows, now_rows, day_rows, &terms).await;
        for (at, provider) in PROVIDERS.into_iter().enumerate() {
            let is_catalogued = at < 2;
            let is_listed = is_catalogued
                || usage.contains_key(provider)
                || (terms.has_raw_names && tried.contains(provider));
            let Some(row) = found.get(provider) else {
                assert!(!is_listed, "seed {seed}: {provider} is missing");
                continue;
            };
            assert!(is_listed, "seed {seed}: {provider}");
            assert_eq!((row.text("provider"), row.flag("is_catalogued")), (provider, is_catalogued));
            let name = if is_catalogued { format!("Name of {provider}") } else { provider.to_owned() };
            assert_eq!(row.text("display_name"), name);
            let days = usage.get(provider);
            let date = |date: Option<&NaiveDate>| date.map_or(Value::Null, |date| Value::Date(*date));
            assert_eq!(
                row.value("first_date"),
                &date(days.and_then(BTreeSet::first)),
                "seed {seed}: {provider}"
            );
            assert_eq!(
                row.value("last_date"),
                &date(days.and_then(BTreeSet::last)),
                "seed {seed}: {provider}"
            );
            let endpoints = now.get(provider).map_or(&[][..], Vec::as_slice);
            let models: BTreeSet<_> = endpoints.iter().collect();
            assert_eq!(row.whole("endpoints"), Some(endpoints.len() as i128));
            assert_eq!(row.whole("models"), Some(models.len() as i128));
            let is_used =
                days.and_then(BTreeSet::last).is_some_and(|last| *last > terms.today - Days::new(7));
            assert_eq!(row.flag("is_active"), is_used || !endpoints.is_empty(), "seed {seed}: {provider}");
        }
        assert!(found.keys().all(|key| PROVIDERS.contains(&key.as_str())), "seed {seed}");
    }
}

#[tokio::test]
async fn facts_are_those_of_the_catalogue_and_null_where_it_has_none() {
    let mut terms = terms();
    let facts =
        ProviderFacts { country: Some("NO".into()), retention_days: Some(0), trains_on_prompts: Some(false) };
    terms.catalogue.facts.providers.insert("north".into(), facts);
    let found = found(Vec::new(), Vec::new(), Vec::new(), &terms).await;
    let (north, south) = (&found["north"], &found["south"]);
    assert_eq!((north.text("country"), north.whole("retention_days")), ("NO", Some(0)));
    assert_eq!(north.value("trains_on_prompts"), &Value::Flag(false));
    for column in ["country", "retention_days", "trains_on_prompts", "first_date"] {
        assert_eq!(south.value(column), &Value::Null, "{column}");
    }
}
