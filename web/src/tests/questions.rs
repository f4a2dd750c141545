//! Whoever asks, whichever way, is told the same: page, file, API and the published table.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, Int64Type};
use bellwether_metrics::usage_by_day;
use chrono::{Days, NaiveDate};
use serde_json::Value;

use super::invariance::{Dice, Plan};
use super::routes::App;
use crate::data::testing::day;

const QUESTIONS: usize = 500;
/// What is listed at an address, and the dimension of it.
const LISTS: [(&str, &str); 3] = [("models", "variant"), ("authors", "author"), ("providers", "provider")];
const METRICS: [&str; 3] = ["tokens", "requests", "spend"];

/// Tokens, requests and 10⁻⁹ USD.
type Amounts = [i128; 3];

struct Question {
    list: &'static str,
    dimension: &'static str,
    metric: usize,
    from: NaiveDate,
    to: NaiveDate,
}

impl Question {
    fn random(dice: &mut Dice) -> Self {
        let (list, dimension) = LISTS[dice.below(3) as usize];
        let from = day("2026-11-08") + Days::new(dice.below(17));
        let days = dice.below(u64::try_from((day("2026-11-24") - from).num_days()).unwrap() + 1);
        Self { list, dimension, metric: dice.below(3) as usize, from, to: from + Days::new(days) }
    }

    fn address(&self, before: &str, after: &str) -> String {
        let Self { list, from, to, .. } = self;
        format!("{before}/rankings/{list}{after}?metric={}&from={from}&to={to}&n=all", METRICS[self.metric])
    }

    /// By id as files say it, summed by SQL.
    async fn published(&self, app: &App) -> BTreeMap<String, Amounts> {
        let table = app.fixture.warehouse.table(usage_by_day::METRIC.id()).await.unwrap();
        let ctx = table.snapshot().session(1);
        ctx.register_table("usage_by_day", table.snapshot().provider()).unwrap();
        let sql = format!(
            "SELECT CASE kind WHEN 'key' THEN key ELSE kind END, sum(tokens), sum(requests), \
             CAST(sum(spend_usd) * 1000000000 AS decimal(38, 0)) FROM usage_by_day \
             WHERE dimension = '{}' AND date BETWEEN '{}' AND '{}' GROUP BY 1 HAVING sum(requests) > 0",
            self.dimension, self.from, self.to
        );
        let mut found = BTreeMap::new();
        for batch in ctx.sql(&sql).await.unwrap().collect().await.unwrap() {
            let ids = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).unwrap();
            for row in 0..batch.num_rows() {
                let whole =
                    |column: usize| i128::from(batch.column(column).as_primitive::<Int64Type>().value(row));
                let spend = batch.column(3).as_primitive::<Decimal128Type>();
                let spend = if spend.is_null(row) { 0 } else { spend.value(row) };
                found.insert(ids.as_string::<i32>().value(row).to_owned(), [whole(1), whole(2), spend]);
            }
        }
        found
    }
}

/// What is shown in the end: of other forms of an address the canonical one answers.
async fn page(app: &App, address: &str) -> String {
    let reply = app.get(address).await;
    match reply.header("location") {
        "" => reply.text().to_owned(),
        canonical => app.get(canonical).await.text().to_owned(),
    }
}

fn nano(usd: &str) -> i128 {
    let (whole, part) = usd.split_once('.').unwrap_or((usd, ""));
    format!("{whole}{part:0<9}").parse().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("0")
}

fn of_json(body: &Value) -> Vec<(String, Amounts)> {
    let amounts = |row: &Value| -> Amounts {
        [
            text(&row["tokens"]).parse().unwrap(),
            text(&row["requests"]).parse().unwrap(),
            nano(text(&row["spend_usd"])),
        ]
    };
    let rows = body["data"].as_array().unwrap().iter();
    rows.map(|row| (text(&row["id"]).to_owned(), amounts(row))).collect()
}

fn of_csv(body: &str) -> Vec<(String, Amounts)> {
    let mut lines = body.lines().map(|line| line.trim_end().split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let at = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let [id, tokens, requests, spend] = ["id", "tokens", "requests", "spend_usd"].map(at);
    let amount = |cell: &str| cell.parse().unwrap_or(0);
    lines
        .map(|row| (row[id].to_owned(), [amount(row[tokens]), amount(row[requests]), nano(row[spend])]))
        .collect()
}

/// Places and requests of the named rows of a page, by id.
fn of_page(html: &str) -> Vec<(String, i128)> {
    let within = |text: &str, before: &str, after: &str| -> Option<String> {
        let (_, rest) = text.split_once(before)?;
        Some(rest.split_once(after)?.0.to_owned())
    };
    let rows = html.split("<tr class=\"has-more\">").skip(1);
    rows.map(|row| {
        let path = within(row, "<a href=\"/", "\"").unwrap();
        let id = path.split_once('/').unwrap().1.to_owned();
        let variant = within(row, "<span class=\"tag\">", "</span>").unwrap_or_default();
        let requests = within(row, "<dt>Requests</dt><dd>", "</dd>").unwrap();
        (id + &variant, requests.replace(',', "").parse().unwrap())
    })
    .collect()
}

#[tokio::test]
async fn page_file_api_and_table_give_one_answer_to_five_hundred_questions() {
    let (mut dice, mut kinds) = (Dice(23), BTreeSet::new());
    for world in 0..5 {
        let app = Plan::random(100 + world).world(0).await.app;
        for _ in 0..QUESTIONS / 5 {
            let question = Question::random(&mut dice);
            let address = question.address("", "");
            let published = question.published(&app).await;
            let json = app.get(&question.address("", ".json")).await.json();
            let rows = of_json(&json);
            assert_eq!(rows.iter().cloned().collect::<BTreeMap<_, _>>(), published, "{address}");
            assert_eq!(rows.len(), published.len(), "{address}");
            assert_eq!(of_csv(app.get(&question.address("", ".csv")).await.text()), rows, "{address}");
            assert_eq!(
                app.get(&question.address("/api/v1", "")).await.json()["data"],
                json["data"],
                "{address}"
            );
            let named = |id: &&(String, Amounts)| id.0 != "hidden" && id.0 != "unmapped";
            let listed: Vec<_> =
                rows.iter().filter(named).map(|(id, amounts)| (id.clone(), amounts[1])).collect();
            assert_eq!(of_page(&page(&app, &address).await), listed, "{address}");
            // Most first, then by name.
            let mut ranked: Vec<_> = rows.iter().filter(named).collect();
            ranked
                .sort_by(|a, b| b.1[question.metric].cmp(&a.1[question.metric]).then_with(|| a.0.cmp(&b.0)));
            assert!(ranked.iter().map(|row| &row.0).eq(listed.iter().map(|row| &row.0)), "{address}");
            kinds.extend(rows.iter().map(|(id, _)| id.clone()));
        }
    }
    assert!(
        kinds.contains("hidden") && kinds.contains("acme/one:free") && kinds.contains("north"),
        "{kinds:?}"
    );
}
