//! What is not named cannot be told from anything that is: random small worlds that differ only inside cells that are
//! not public answer with the same bytes at every address.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::{TableId, testing};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::addresses::open;
use super::routes::{App, Reply};
use crate::data::testing::{Fixture, GATE, day, decision, users};

/// Stands in every name that nobody may read.
const SECRET: &str = "zq";
const VARIANTS: [(&str, &str); 4] =
    [("acme/one", "standard"), ("acme/one", "free"), ("beta/two", "standard"), ("delta/three", "standard")];
const PROVIDERS: [&str; 2] = ["north", "south"];
/// Of the catalogue, and never public: its health is told, and nothing of its use.
const QUIET: (&str, &str) = ("omega/quiet", "slow");
/// Days of history, the running one included.
const DAYS: u64 = 18;

/// The same numbers for the same seed, whatever machine.
pub(super) struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn shuffle<T>(&mut self, rows: &mut [T]) {
        for last in (1..rows.len()).rev() {
            rows.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// Amounts of one cell of one day.
#[derive(Clone, Copy, Default)]
struct Amount {
    requests: u64,
    unpriced: u64,
    input: u64,
    output: u64,
    nano_usd: u64,
}

impl Amount {
    fn random(dice: &mut Dice) -> Self {
        let requests = 1 + dice.below(3_000);
        let unpriced = if dice.below(4) == 0 { requests } else { 0 };
        Self {
            requests,
            unpriced,
            input: dice.below(1_000_000),
            output: dice.below(200_000),
            nano_usd: if unpriced > 0 { 0 } else { dice.below(20_000_000_000) },
        }
    }

    /// In so many parts at random, some of them empty.
    fn split(self, parts: usize, dice: &mut Dice) -> Vec<Self> {
        let mut cut = |whole: u64| {
            let mut marks: Vec<u64> = (1..parts).map(|_| dice.below(whole + 1)).chain([0, whole]).collect();
            marks.sort_unstable();
            marks.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<u64>>()
        };
        let [requests, unpriced, input, output, nano] =
            [self.requests, self.unpriced, self.input, self.output, self.nano_usd].map(&mut cut);
        (0..parts)
            .map(|part| Self {
                requests: requests[part],
                unpriced: unpriced[part],
                input: input[part],
                output: output[part],
                nano_usd: nano[part],
            })
            .collect()
    }

    fn row(
        self,
        date: NaiveDate,
        model: Option<&str>,
        author: Option<&str>,
        variant: &str,
        at: &str,
    ) -> Value {
        let mut row = json!({
            "date": date.to_string(), "variant": variant, "provider_id": at, "requests": self.requests,
            "requests_with_user": self.requests, "unpriced_requests": self.unpriced,
            "unpriced_tokens": self.unpriced, "input_tokens": self.input,
            "output_tokens": self.output,
            "cost_usd": format!("{}.{:09}", self.nano_usd / 1_000_000_000, self.nano_usd % 1_000_000_000),
        });
        if let Some(model) = model {
            row["model_id"] = json!(model);
        }
        if let Some(author) = author {
            row["author"] = json!(author);
        }
        row
    }
}

/// What pairs of worlds have in common: all that is public, and how much is hidden on each day.
pub(super) struct Plan {
    days: Vec<PlanDay>,
    seed: u64,
}

struct PlanDay {
    date: NaiveDate,
    /// Whether each of [`VARIANTS`] may be named.
    named: [bool; 4],
    /// Amount and first user of each named variant at each named provider.
    told: Vec<(usize, &'static str, Amount, i64)>,
    /// Of named variants at providers that may not be named.
    elsewhere: Vec<(usize, Amount, i64)>,
    /// Of variants that may not be named, and of names that nobody maps.
    hidden: Amount,
    raw: Amount,
}

impl Plan {
    pub(super) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut named = [true; 4];
        let days = (0..DAYS).rev().map(|back| {
            for is_named in &mut named {
                if dice.below(8) == 0 {
                    *is_named = !*is_named;
                }
            }
            let mut told = Vec::new();
            let mut elsewhere = Vec::new();
            for variant in (0..4).filter(|variant| named[*variant]) {
                for provider in PROVIDERS {
                    if dice.below(3) > 0 {
                        let first = dice.below(40) as i64 + 1;
                        told.push((variant, provider, Amount::random(&mut dice), first));
                    }
                }
                if dice.below(3) == 0 {
                    elsewhere.push((variant, Amount::random(&mut dice), dice.below(40) as i64 + 1));
                }
            }
            PlanDay {
                date: day("2026-11-25").checked_sub_days(Days::new(back)).unwrap(),
                named,
                told,
                elsewhere,
                hidden: Amount::random(&mut dice),
                raw: Amount::random(&mut dice),
            }
        });
        let days = days.collect();
        Self { days, seed }
    }

    /// The same with more of it hidden.
    fn grown(mut self) -> Self {
        for day in self.days.iter_mut().filter(|day| day.hidden.requests % 2 == 0) {
            day.hidden.requests += 777;
            day.hidden.input += 7_777_777;
            day.hidden.nano_usd += 7_000_000_000;
        }
        self
    }

    /// One world of this plan: `which` decides all that nobody may see, and the order of rows.
    pub(super) async fn world(&self, which: u64) -> World {
        let mut dice = Dice(self.seed ^ which.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let mark = format!("{SECRET}{which}");
        let models: Vec<String> = (0..=dice.below(3)).map(|n| format!("{mark}lab{n}/m{n}")).collect();
        let raws: Vec<String> = (0..=dice.below(3)).map(|n| format!("ft:{mark}:v{n}")).collect();
        let hosts = [format!("host:{mark}.internal:8000"), format!("{mark}-net")];
        let (mut rows, mut gate) = (Vec::new(), Vec::new());
        for day in &self.days {
            self.public(day, &mut rows, &mut gate, &mut dice, &hosts);
            let date = day.date.to_string();
            gate.extend(models.iter().map(|model| decision(&date, "variant", model, false)));
            gate.push(decision(&date, "provider", &hosts[1], false));
            gate.push(decision(&date, "variant", QUIET.0, false));
            gate.push(decision(&date, "provider", QUIET.1, false));
            let people = |dice: &mut Dice| {
                let first = dice.below(5_000) as i64;
                users(first..=first + dice.below(15) as i64)
            };
            let anywhere = [PROVIDERS[0], PROVIDERS[1], QUIET.1, &hosts[0], &hosts[1]];
            // Named on other days, not on this one.
            let absent = (0..4).filter(|variant| !day.named[*variant]).map(|variant| VARIANTS[variant]);
            let mut cells: Vec<(&str, &str, &str)> =
                models.iter().map(|model| (model.as_str(), &model[..mark.len() + 4], "standard")).collect();
            cells.push((QUIET.0, "omega", "standard"));
            cells.extend(absent.map(|(model, variant)| (model, model.split_once('/').unwrap().0, variant)));
            for ((model, author, variant), amount) in
                cells.iter().zip(day.hidden.split(cells.len(), &mut dice))
            {
                let at = anywhere[dice.below(5) as usize];
                let mut row = amount.row(day.date, Some(model), Some(author), variant, at);
                row["users"] = json!(people(&mut dice));
                rows.push(row);
            }
            for (raw, amount) in raws.iter().zip(day.raw.split(raws.len(), &mut dice)) {
                let at = anywhere[dice.below(5) as usize];
                let model = (dice.below(3) > 0).then_some(raw.as_str());
                let mut row = amount.row(day.date, model, None, "standard", at);
                row["users"] = json!(people(&mut dice));
                rows.push(row);
            }
        }
        dice.shuffle(&mut rows);
        dice.shuffle(&mut gate);
        let fixture = Fixture::empty().await;
        fixture.append(GATE, gate).await;
        fixture.append(TableId::UsageDaily, rows).await;
        let health = self.health(&mut dice, &raws);
        let routed = health.iter().map(|row| {
            let (date, n) = (row["date"].as_str().unwrap(), &row["attempts"]);
            json!({
                "date": date, "hour": format!("{date}T10:00:00Z"), "model_id": row["model_id"], "all_requests": n,
                "attempts": n, "requests": n, "routed_ok": n, "first_ok": n,
            })
        });
        fixture.append(TableId::RoutingHourly, routed.collect()).await;
        fixture.append(TableId::HealthDaily, health).await;
        let raw = raws[0].clone();
        let attempt = AttemptRow {
            model_id: Some(&raw),
            author: None,
            raw_model: Some(&raw),
            started_at: testing::NOON_US,
            ingested_at: testing::NOON_US,
            ..testing::attempt("a")
        };
        fixture.attempts(&[attempt]).await;
        fixture.fold(0).await;
        let secrets = models.into_iter().chain(raws).chain(hosts).collect();
        World { app: App::over(fixture, open()).await, secrets }
    }

    fn public(
        &self,
        day: &PlanDay,
        rows: &mut Vec<Value>,
        gate: &mut Vec<Value>,
        dice: &mut Dice,
        hosts: &[String; 2],
    ) {
        let date = day.date.to_string();
        for ((model, variant), is_named) in VARIANTS.iter().zip(day.named) {
            let key = if *variant == "free" { format!("{model}:free") } else { (*model).to_owned() };
            gate.push(decision(&date, "variant", &key, is_named));
        }
        gate.extend(PROVIDERS.map(|provider| decision(&date, "provider", provider, true)));
        let mut push = |variant: usize, at: &str, amount: Amount, first: i64| {
            let (model, variant) = VARIANTS[variant];
            let author = model.split_once('/').map(|(author, _)| author);
            let mut row = amount.row(day.date, Some(model), author, variant, at);
            row["users"] = json!(users(first..=first + 30));
            rows.push(row);
        };
        for (variant, provider, amount, first) in &day.told {
            push(*variant, provider, *amount, *first);
        }
        for (variant, amount, first) in &day.elsewhere {
            let anywhere = [QUIET.1, &hosts[0], &hosts[1]];
            for part in amount.split(2, dice) {
                push(*variant, anywhere[dice.below(3) as usize], part, *first);
            }
        }
    }

    /// The same attempts of every name that may be read, and of raw models at a provider other parts of one sum.
    fn health(&self, dice: &mut Dice, raws: &[String]) -> Vec<Value> {
        let row = |date: NaiveDate, model: &str, provider: &str, attempts: u64| {
            json!({
                "date": date.to_string(), "model_id": model, "variant": "standard", "provider_id": provider,
                "endpoint_id": model, "attempts": attempts, "ok": attempts,
            })
        };
        let mut rows = Vec::new();
        for day in self.days.iter().take(self.days.len() - 1) {
            rows.push(row(day.date, "acme/one", "north", 400));
            rows.push(row(day.date, "beta/two", "south", 90));
            rows.push(row(day.date, QUIET.0, QUIET.1, 1_234));
            rows.push(row(day.date, QUIET.0, "north", 56));
            let whole = Amount { requests: 300, ..Amount::default() };
            for (raw, part) in raws.iter().zip(whole.split(raws.len(), dice)) {
                rows.push(row(day.date, raw, "south", part.requests));
            }
        }
        dice.shuffle(&mut rows);
        rows
    }
}

pub(super) struct World {
    pub app: App,
    secrets: Vec<String>,
}

/// Every kind of page in every format, and some of the ways to ask for each.
fn addresses(seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut out = Vec::new();
    let pages = [
        "/",
        "/rankings/models",
        "/rankings/authors",
        "/rankings/providers",
        "/rankings/share",
        "/rankings/growth",
        "/rankings/languages",
        "/rankings/languages/ja",
        "/models",
        "/models/acme/one",
        "/models/delta/three",
        "/authors/acme",
        "/authors/delta",
        "/providers",
        "/providers/north",
        "/providers/south",
        "/providers/slow",
        "/models/omega/quiet",
        "/authors/omega",
        "/status",
        "/uptime",
        "/methodology",
        "/data",
        "/start",
    ];
    out.extend(pages.map(str::to_owned));
    for page in [
        "/sitemap.xml",
        "/robots.txt",
        "/api/v1/models/acme/one/endpoints",
        "/api/v1/models/omega/quiet/endpoints",
        "/models/beta/tow",
        "/rankings/models?author=omega",
        "/rankings/models.json?author=omega",
        "/models/acme/one.json?from=2019-01-01&to=2019-01-31",
    ] {
        out.push(page.to_owned());
    }
    let metrics = ["tokens", "requests", "spend", "users"];
    let periods = [
        "period=1d",
        "period=7d",
        "period=28d",
        "period=12m",
        "vs=none",
        "vs=year",
        "from=2026-11-12&to=2026-11-16",
        "from=2026-11-20&to=2026-11-25",
    ];
    let formats = ["", ".json", ".csv"];
    for (page, more) in [
        ("/rankings/models", ["variants=folded", "author=acme", "n=all", "sort=-growth"]),
        ("/rankings/authors", ["sort=name", "view=table", "vs=none", "n=all"]),
        ("/rankings/providers", ["sort=-users", "view=table", "vs=none", "n=all"]),
        ("/rankings/share", ["by=model", "by=provider", "by=model&skip=1", "by=author&skip=1"]),
        ("/models/acme/one", ["vs=none"; 4]),
        ("/models/beta/two", ["vs=none"; 4]),
        ("/", ["vs=none"; 4]),
    ] {
        for format in formats.iter().filter(|format| page != "/" || format.is_empty()) {
            let metric = metrics[dice.below(4) as usize];
            let period = periods[dice.below(8) as usize];
            let more = more[dice.below(4) as usize];
            out.push(format!("{page}{format}?{period}&metric={metric}&{more}"));
            out.push(format!("{page}{format}?{more}"));
        }
    }
    for page in [
        "/rankings/growth",
        "/providers",
        "/providers/north",
        "/providers/slow",
        "/models/omega/quiet",
        "/status",
        "/uptime",
    ] {
        out.extend([".json", ".csv"].map(|format| format!("{page}{format}")));
    }
    out
}

async fn ask(app: &App, address: &str) -> Reply {
    let mut address = address.to_owned();
    // The canonical spelling is asked for as a browser would.
    for _ in 0..3 {
        let reply = app.get_with(&address, &[("x-request-id", "same")]).await;
        match reply.header("location") {
            "" => return reply,
            next => address = next.to_owned(),
        }
    }
    panic!("{address} leads in circles");
}

async fn pairs(seeds: std::ops::Range<u64>) {
    let mut told = BTreeSet::new();
    for seed in seeds {
        let [one, other] = [1, 2].map(|which| async move { Plan::random(seed).world(which).await });
        let (one, other) = (one.await, other.await);
        for address in addresses(seed) {
            let (a, b) = (ask(&one.app, &address).await, ask(&other.app, &address).await);
            assert_eq!(a.status, b.status, "seed {seed}, {address}");
            assert!(a.body == b.body, "seed {seed}, {address}:\n{}\n{}", a.text(), b.text());
            assert!(!a.text().contains(SECRET), "seed {seed}, {address}: {}", a.text());
            told.insert(a.status.as_u16());
        }
        for world in [&one, &other] {
            world.tells_nobody().await;
        }
    }
    // Most addresses exist, and some names do not on some days.
    assert!(told.contains(&200), "{told:?}");
}

impl World {
    /// Nothing is found under a secret name or near it.
    async fn tells_nobody(&self) {
        for secret in &self.secrets {
            let near = format!("{secret}x");
            for page in [secret, &near].iter().flat_map(|name| {
                [format!("/models/{name}"), format!("/providers/{name}"), format!("/authors/{name}")]
            }) {
                let reply = self.app.get_with(&page, &[("accept", "application/json")]).await;
                assert_eq!(reply.status, StatusCode::NOT_FOUND, "{page}");
                let nearest = reply.json()["nearest"].to_string();
                assert!(!nearest.contains(SECRET), "{page}: {nearest}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worlds_that_differ_in_what_is_hidden_answer_alike() {
    pairs(0..5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn further_worlds_that_differ_in_what_is_hidden_answer_alike() {
    pairs(20..25).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn yet_more_worlds_that_differ_in_what_is_hidden_answer_alike() {
    pairs(40..45).await;
}

#[tokio::test]
async fn a_hidden_amount_that_grows_moves_only_its_row_and_shares() {
    let mut moved = 0;
    for seed in 100..105 {
        let before = Plan::random(seed).world(1).await;
        let after = Plan::random(seed).grown().world(1).await;
        for page in ["models", "authors", "providers"] {
            for query in [
                "",
                "?metric=spend",
                "?metric=users",
                "?metric=requests&period=1d",
                "?from=2026-11-12&to=2026-11-16",
            ] {
                let address = format!("/rankings/{page}.json{query}");
                let (old, new) =
                    (ask(&before.app, &address).await.json(), ask(&after.app, &address).await.json());
                assert_eq!(old["meta"], new["meta"], "{address}");
                let [old, new] = [&old, &new].map(|body| body["data"].as_array().unwrap().clone());
                assert_eq!(old.len(), new.len(), "{address}");
                for (old, new) in old.iter().zip(&new) {
                    assert_eq!(old["id"], new["id"], "{address}");
                    let is_hidden = old["id"] == "hidden";
                    moved += usize::from(is_hidden && old != new);
                    for (field, value) in old.as_object().unwrap() {
                        if !is_hidden && !field.starts_with("share") {
                            assert_eq!(*value, new[field], "seed {seed}, {address}, {} {field}", old["id"]);
                        }
                    }
                }
            }
        }
    }
    assert!(moved > 30, "{moved}");
}
