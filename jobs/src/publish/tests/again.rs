//! Everything once more from `attempts` alone.

use std::collections::BTreeMap;

use bellwether_metrics::{METRICS, Metric, events, quality_by_day};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, HOUR_US, NOON_US, attempt};
use chrono::{DateTime, NaiveDate};

use super::super::Publisher;
use super::names::answer;
use super::{assert_same, newest, terms};
use crate::settle::Settling;
use crate::testing::{Fixture, at};

const DAYS: i64 = 12;
const A_DAY: i64 = 60;
const MODELS: [(&str, &str, &str); 4] = [
    ("acme/one", "acme", "north"),
    ("acme/two", "acme", "south"),
    ("bolt/three", "bolt", "north"),
    ("nobody/knows", "nobody", "south"),
];
const OUTCOMES: [(&str, Option<&str>); 5] = [
    ("ok", None),
    ("ok", None),
    ("fault", Some("fault_timeout")),
    ("rate_limited", Some("rate_limited")),
    ("client_error", Some("client_bad_request")),
];

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// An attempt, and the day of the history on which it arrives.
struct Told<'a> {
    row: AttemptRow<'a>,
    arrives: i64,
}

fn market<'a>(ids: &'a [String], dice: &mut Dice) -> Vec<Told<'a>> {
    ids.iter()
        .zip(0..)
        .map(|(id, n)| {
            let day = n / A_DAY;
            let (model, author, provider) = MODELS[dice.below(MODELS.len() as u64) as usize];
            let (outcome, error_class) = OUTCOMES[dice.below(OUTCOMES.len() as u64) as usize];
            let within = dice.below(24) as i64 * HOUR_US + dice.below(3_600) as i64 * 1_000_000;
            let midnight = NOON_US - DAY_US / 2 - (DAYS - 1 - day) * DAY_US;
            let is_ok = outcome == "ok";
            let row = AttemptRow {
                started_at: midnight + within,
                model_id: Some(model),
                requested_model: Some(model),
                raw_model: Some(model),
                author: Some(author),
                provider_id: Some(provider),
                endpoint_id: None,
                user_key: (dice.below(10) > 0).then(|| dice.below(6) as i64),
                app_id: (dice.below(2) == 0).then_some("shop"),
                output_tokens: is_ok.then(|| 1 + dice.below(900) as i64),
                input_tokens: Some(1 + dice.below(30_000) as i64),
                cached_input_tokens: Some(0),
                cost_usd: (dice.below(8) > 0 && is_ok).then(|| dice.below(5_000_000).into()),
                ttft_ms: is_ok.then(|| 50 + dice.below(3_000) as i32),
                duration_ms: Some(4_000 + dice.below(9_000) as i32),
                outcome,
                error_class,
                http_status: None,
                ..attempt(id)
            };
            // One in forty comes up to six days after its day: of many a day nothing is late, and only windows with it move.
            let late = if dice.below(40) == 0 { 1 + dice.below(6) as i64 } else { 0 };
            Told { row, arrives: (day + late).min(DAYS - 1) }
        })
        .collect()
}

fn shuffle<T>(rows: &mut [T], dice: &mut Dice) {
    for last in (1..rows.len()).rev() {
        rows.swap(last, dice.below(last as u64 + 1) as usize);
    }
}

async fn publisher(f: &Fixture) -> Publisher {
    Publisher::open(&f.warehouse, terms(3)).await.unwrap()
}

/// Rows of days that have ended, a line a row, of every table but those that say what arrived and was published when.
async fn closed(f: &Fixture, today: NaiveDate) -> BTreeMap<&'static str, Vec<String>> {
    let versions = newest(f).await.versions;
    let mut contents = BTreeMap::new();
    let made = |metric: &&Metric| ![&quality_by_day::TABLE, &events::TABLE].contains(&metric.table);
    for metric in METRICS.iter().filter(made) {
        let name = metric.table.name;
        let table = f.warehouse.table(metric.id()).await.unwrap().at(versions[name]).await.unwrap();
        let ended = metric.date_column().map(|column| format!("WHERE {column} < '{today}'"));
        // How often rows were replaced is no part of them.
        let columns = if metric.is_revised() { "* EXCEPT (revision)" } else { "*" };
        let mut rows =
            answer(f, table, &format!("SELECT {columns} FROM {name} {}", ended.unwrap_or_default())).await;
        rows.sort();
        contents.insert(name, rows);
    }
    contents
}

/// Day by day with late rows, in shuffled files, by a new process each day; and all at once.
#[tokio::test]
async fn rebuilt_from_attempts_alone_what_has_ended_is_the_same() {
    let mut dice = Dice(7);
    let ids: Vec<String> = (0..DAYS * A_DAY).map(|n| format!("e{n}")).collect();
    let mut told = market(&ids, &mut dice);
    shuffle(&mut told, &mut dice);

    let mut lived = Fixture::new().await;
    let first = NOON_US - (DAYS - 1) * DAY_US;
    for day in 0..DAYS {
        let now = DateTime::from_timestamp_micros(first + day * DAY_US + DAY_US / 2 - 1_000_000).unwrap();
        let arrived: Vec<_> =
            told.iter().filter(|told| told.arrives == day).map(|told| told.row.clone()).collect();
        for file in arrived.chunks(25) {
            lived.append(file).await;
        }
        lived.jobs = crate::Jobs::open(&lived.warehouse).await.unwrap();
        lived.jobs.fold(now).await.unwrap();
        // Not every day: windows that ended meanwhile are made up for.
        if day % 4 == 3 {
            publisher(&lived).await.publish(now).await.unwrap();
        }
    }
    let now = at("2026-11-26T04:00:00Z");
    lived.jobs.settle(Settling::Closed, now).await.unwrap();
    publisher(&lived).await.publish(now).await.unwrap();

    let mut again = Fixture::new().await;
    shuffle(&mut told, &mut dice);
    let rows: Vec<_> = told.iter().map(|told| told.row.clone()).collect();
    again.append(&rows).await;
    again.jobs.fold(now).await.unwrap();
    publisher(&again).await.publish(now).await.unwrap();

    let today = now.date_naive();
    let (lived, again) = (closed(&lived, today).await, closed(&again, today).await);
    assert_eq!(lived.len(), METRICS.len() - 2);
    assert_same(&lived, &again);
    assert!(!again["rankings"].is_empty() && !again["health_by_day"].is_empty());
}
