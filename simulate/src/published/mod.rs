//! Every published figure beside what a simulated month of the default size gives.
//!
//! `cargo test … published -- --nocapture` prints the table. Published and not simulated: the elasticity of demand
//! to price, and what a price did to a model's traffic.

mod sample;

use std::collections::BTreeMap;

use sample::{DAYS, Sample, Usage};

use crate::calibration as cal;
use crate::people::People;
use crate::traffic::Simulator;

struct Line {
    name: String,
    published: f64,
    /// What the demo aims at where it differs on purpose, and why.
    own: Option<(f64, &'static str)>,
    found: f64,
    tolerance: Tolerance,
}

#[derive(Clone, Copy)]
enum Tolerance {
    /// In the unit of the figure.
    Points(f64),
    /// Of the target.
    Percent(f64),
    AtLeast,
}
use Tolerance::{AtLeast, Percent, Points};

impl Line {
    fn target(&self) -> f64 {
        self.own.map_or(self.published, |(target, _)| target)
    }

    fn holds(&self) -> bool {
        let distance = (self.found - self.target()).abs();
        match self.tolerance {
            Points(points) => distance <= points,
            Percent(percent) => distance <= percent / 100.0 * self.target().abs(),
            AtLeast => self.found >= self.target(),
        }
    }

    fn text(&self) -> String {
        let tolerance = match self.tolerance {
            Points(points) => format!("± {points:.2}"),
            Percent(percent) => format!("± {percent:.0} %"),
            AtLeast => "at least".to_owned(),
        };
        let own = self.own.map_or(String::new(), |(target, why)| format!("  demo: {target}, {why}"));
        let (name, found) = (&self.name, self.found);
        let published =
            if self.published.is_nan() { "none".to_owned() } else { format!("{:.2}", self.published) };
        format!("{name:<52} {published:>10} {found:>11.3}  {tolerance:<10}{own}")
    }
}

#[derive(Default)]
struct Table(Vec<Line>);

impl Table {
    fn line(&mut self, name: impl Into<String>, published: f64, found: f64, tolerance: Tolerance) {
        self.0.push(Line { name: name.into(), published, own: None, found, tolerance });
    }

    fn own(
        &mut self,
        name: impl Into<String>,
        published: f64,
        (target, why): (f64, &'static str),
        found: f64,
        tolerance: Tolerance,
    ) {
        self.0.push(Line { name: name.into(), published, own: Some((target, why)), found, tolerance });
    }
}

#[test]
fn a_simulated_month_gives_the_published_figures() {
    let simulator = sample::simulator();
    let sample = Sample::new(&simulator);
    let mut table = Table::default();
    size(&mut table, &simulator, &sample);
    concentration(&mut table, &sample);
    requests(&mut table, &sample);
    health(&mut table, &sample);
    speed(&mut table, &simulator, &sample);
    people(&mut table, &sample);
    println!("{:<52} {:>10} {:>11}  tolerance", "figure", "published", "simulated");
    table.0.iter().for_each(|line| println!("{}", line.text()));
    let failing: Vec<String> = table.0.iter().filter(|line| !line.holds()).map(Line::text).collect();
    assert!(failing.is_empty(), "{} of {} lines fail:\n{}", failing.len(), table.0.len(), failing.join("\n"));
    assert!(table.0.len() > 100, "{}", table.0.len());
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

fn at(sorted: &[f64], quantile: f64) -> f64 {
    sorted
        .get((quantile * sorted.len().saturating_sub(1) as f64).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The value below which a share of the weight lies.
fn weighted(values: impl IntoIterator<Item = (f64, f64)>, quantile: f64) -> f64 {
    let mut values: Vec<(f64, f64)> = values.into_iter().collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut left = quantile * values.iter().map(|(_, weight)| weight).sum::<f64>();
    for (value, weight) in values {
        left -= weight;
        if left <= 0.0 {
            return value;
        }
    }
    f64::NAN
}

fn model_of(row: &str) -> &str {
    row.split(':').next().unwrap_or(row)
}

fn size(table: &mut Table, simulator: &Simulator, sample: &Sample) {
    let models = sample.week_by(model_of);
    let authors = sample.week_by(|row| row.split('/').next().unwrap_or(row));
    table.own(
        "models with traffic in the last week",
        314.0,
        (400.0, "the size to hold"),
        models.len() as f64,
        AtLeast,
    );
    table.own("variants of them", 314.0, (555.0, "the size to hold"), sample.week.len() as f64, AtLeast);
    table.own("authors", 60.0, (75.0, "the size to hold"), authors.len() as f64, AtLeast);
    let endpoints = sample.endpoints.len() as f64;
    table.own("endpoints called in the month", 1_096.0, (1_000.0, "the size to hold"), endpoints, AtLeast);
    let providers = sample.providers.len() as f64;
    table.own("providers", 101.0, (60.0, "the size to hold"), providers, AtLeast);
    table.own("apps", 300.0, (290.0, "the smallest have few users"), sample.apps.len() as f64, AtLeast);
    let (first, last) = (simulator.first_minute(), simulator.end_minute() - 7 * 1440);
    let growth = Sample::tokens_of_week(simulator, last) / Sample::tokens_of_week(simulator, first);
    table.line("growth of weekly tokens in 51 weeks", 25.6, growth, Percent(12.0));
    let launches = |row: &&crate::Model| row.row.launch > -cal::DAYS_PER_YEAR;
    let launched = simulator.models().iter().filter(launches).count() as f64 / cal::DAYS_PER_YEAR as f64;
    table.own("new variants a day", 5.3, (1.0, "560 variants are the size to hold"), launched, Points(0.3));
}

fn concentration(table: &mut Table, sample: &Sample) {
    let models = sample.week_by(model_of);
    let all: f64 = models.values().map(Usage::tokens).sum();
    let mut tokens = sorted(models.values().map(Usage::tokens));
    tokens.reverse();
    for (most, published, points) in
        [(1, 13.9, 2.0), (5, 46.8, 3.0), (9, 61.5, 3.0), (20, 79.1, 2.5), (50, 93.4, 2.0)]
    {
        let found = 100.0 * tokens.iter().take(most).sum::<f64>() / all;
        table.line(format!("tokens of the top {most}, %"), published, found, Points(points));
    }
    let authors = sample.week_by(|row| row.split('/').next().unwrap_or(row));
    for (author, curve) in &cal::AUTHORS {
        let found = 100.0 * authors.get(author).map_or(0.0, Usage::tokens) / all;
        table.line(format!("tokens of {author}, %"), curve[4], found, Points(0.4 + 0.12 * curve[4]));
    }
    let requests: f64 = models.values().map(|usage| usage.requests).sum();
    for (variant, tokens_published, requests_published) in
        [("standard", 90.8, 97.4), ("free", 9.2, 2.5), ("batch", 0.02, 0.12)]
    {
        let rows = || {
            let is_variant =
                move |row: &str| row.split_once(':').map_or("standard", |(_, name)| name) == variant;
            sample.week.iter().filter(move |(row, _)| is_variant(row)).map(|(_, usage)| usage)
        };
        let tokens = 100.0 * rows().map(Usage::tokens).sum::<f64>() / all;
        let share = 100.0 * rows().map(|usage| usage.requests).sum::<f64>() / requests;
        let slack = |published: f64| Points(0.03 + (100.0 - published).min(published) * 0.45);
        table.line(
            format!("tokens of variant {variant}, %"),
            tokens_published,
            tokens,
            slack(tokens_published),
        );
        table.line(
            format!("requests of variant {variant}, %"),
            requests_published,
            share,
            slack(requests_published),
        );
    }
    weekdays(table, sample);
    let changes = sorted(sample.week.keys().filter_map(|row| daily_change(sample, row)));
    table.line("daily change of a model's tokens, sd of log, least", 0.30, at(&changes, 0.25), Points(0.08));
    table.line("daily change of a model's tokens, sd of log, most", 0.47, at(&changes, 0.9), Points(0.10));
}

fn weekdays(table: &mut Table, sample: &Sample) {
    let trend = |day: usize| cal::GROWTH_OVER_YEAR.powf(day as f64 / 357.0);
    let tokens =
        |day: usize| sample.days.get(day).map_or(0.0, |m| m.values().map(Usage::tokens).sum()) / trend(day);
    let mean = (0..DAYS as usize).map(tokens).sum::<f64>() / DAYS as f64;
    for (weekday, published) in cal::WEEKDAY.into_iter().enumerate() {
        // The first day is a Thursday.
        let found =
            (0..DAYS as usize).filter(|day| (day + 3) % 7 == weekday).map(tokens).sum::<f64>() / 4.0 / mean;
        table.line(
            format!("tokens on weekday {}, over the mean", weekday + 1),
            published,
            found,
            Points(0.06),
        );
    }
}

/// Deviation of the logarithm of one day's tokens over the day before, without the shape of the week.
fn daily_change(sample: &Sample, row: &str) -> Option<f64> {
    let weekday = |day: usize| cal::WEEKDAY[(day + 3) % 7];
    let tokens: Option<Vec<f64>> = sample
        .days
        .iter()
        .enumerate()
        .map(|(day, models)| {
            models.get(row).filter(|usage| usage.requests >= 150.0).map(|u| u.tokens() / weekday(day))
        })
        .collect();
    let changes: Vec<f64> = tokens?.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    let mean = changes.iter().sum::<f64>() / changes.len() as f64;
    Some((changes.iter().map(|change| (change - mean).powi(2)).sum::<f64>() / changes.len() as f64).sqrt())
}

fn requests(table: &mut Table, sample: &Sample) {
    let models: BTreeMap<&str, Usage> = sample
        .week
        .iter()
        .map(|(row, usage)| (row.as_str(), *usage))
        .filter(|(_, usage)| usage.output > 0.0)
        .collect();
    let by = |value: fn(&Usage) -> f64| models.values().map(move |usage| (value(usage), usage.requests));
    let sizes = sorted(models.values().map(|usage| usage.tokens() / usage.requests));
    table.line("tokens a request, median of models", 5_048.0, at(&sizes, 0.5), Percent(35.0));
    let spread = (at(&sizes, 0.84) / at(&sizes, 0.16)).ln() / 2.0;
    table.line("the same, sd of log", 1.33, spread, Points(0.25));
    let mean = 543.5e12 / 25.19e9;
    let all: Usage = models.values().fold(Usage::default(), |mut sum, usage| {
        sum.merge(usage);
        sum
    });
    table.line("tokens a request, mean", mean, all.tokens() / all.requests, Percent(15.0));
    let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95];
    for (quantile, published) in quantiles.into_iter().zip([1_906.0, 3_844.0, 9_982.0, 27_462.0, 77_985.0]) {
        let found = weighted(by(|usage| usage.tokens() / usage.requests), quantile);
        table.line(format!("tokens a request, by requests, {quantile}"), published, found, Percent(60.0));
    }
    for (quantile, published) in quantiles.into_iter().zip([5.8, 13.9, 18.5, 32.9, 89.7]) {
        let found = weighted(by(|usage| usage.input / usage.output), quantile);
        table.line(format!("input over output, by requests, {quantile}"), published, found, Percent(60.0));
    }
    for (quantile, published) in quantiles.into_iter().zip([115.0, 244.0, 562.0, 811.0, 1_160.0]) {
        let found = weighted(by(|usage| usage.output / usage.requests), quantile);
        table.line(format!("output of a request, by requests, {quantile}"), published, found, Percent(60.0));
    }
    let both = sample.agents.tokens() + sample.talk.tokens();
    table.line("tokens of agents, %", 78.0, 100.0 * sample.agents.tokens() / both, Points(10.0));
    table.line(
        "tokens a request of agents",
        53_000.0,
        sample.agents.tokens() / sample.agents.requests,
        Percent(35.0),
    );
    table.line(
        "tokens a request of people",
        3_800.0,
        sample.talk.tokens() / sample.talk.requests,
        Percent(60.0),
    );
    let served: f64 = sample.buckets.iter().sum();
    for ((name, published), found) in
        [("to 1 K", 29.0), ("to 10 K", 44.9), ("to 100 K", 19.4), ("above", 6.7)]
            .into_iter()
            .zip(sample.buckets)
    {
        table.line(format!("requests by context, {name}, %"), published, 100.0 * found / served, Points(8.0));
    }
    let calls = (sample.agents.tool_calls + sample.talk.tool_calls) / served;
    table.line("tool calls a request", 0.26, calls, Points(0.06));
    let cached = |usages: &mut dyn Iterator<Item = &Usage>| {
        sorted(usages.filter(|usage| usage.requests >= 300.0).map(|usage| 100.0 * usage.cached / usage.input))
    };
    let providers = cached(&mut sample.providers.values());
    table.line("cache hits of providers, %, least", 44.0, at(&providers, 0.05), Points(25.0));
    table.line("cache hits of providers, %, most", 95.0, at(&providers, 1.0), Points(15.0));
    let models = cached(&mut models.values());
    table.line("cache hits of models, %, least", 15.0, at(&models, 0.02), Points(8.0));
    table.line("cache hits of models, %, most", 95.0, at(&models, 1.0), Points(10.0));
    table.own(
        "requests with images, %",
        f64::NAN,
        (1.5, "no figure is published"),
        100.0 * sample.with_images / sample.requests,
        Points(1.2),
    );
    table.own(
        "refused answers, %",
        f64::NAN,
        (0.25, "no figure is published"),
        100.0 * sample.refused / served,
        Points(0.1),
    );
    table.own(
        "left by the caller, %",
        f64::NAN,
        (1.2, "no figure is published"),
        100.0 * sample.cancelled / sample.requests,
        Points(0.3),
    );
    table.own(
        "billed beyond what was left, % of those",
        f64::NAN,
        (22.0, "invented providers do"),
        100.0 * sample.billed_after_cancel / sample.cancelled,
        Points(10.0),
    );
}

fn health(table: &mut Table, sample: &Sample) {
    let sum = |value: fn(&sample::Outcomes) -> f64| sample.endpoints.values().map(value).sum::<f64>();
    let all = sum(|outcomes| outcomes.good + outcomes.fault + outcomes.limited);
    let why = "providers with real names never look bad";
    table.own("attempts that succeed, %", 92.98, (94.5, why), 100.0 * sum(|o| o.good) / all, Points(2.0));
    table.line("attempts refused by a rate limit, %", 5.08, 100.0 * sum(|o| o.limited) / all, Points(2.0));
    table.own("attempts that fail, %", 1.94, (1.2, why), 100.0 * sum(|o| o.fault) / all, Points(0.6));
    // Shares mean something where there are calls enough to see the published medians.
    let busy = || sample.endpoints.values().filter(|outcomes| outcomes.all >= 40.0);
    let faults = sorted(busy().map(|o| 100.0 * o.fault / o.all));
    table.own("faults of endpoints, %, median", 0.37, (0.25, why), at(&faults, 0.5), Points(0.25));
    table.own("faults of endpoints, %, p75", 1.9, (1.6, why), at(&faults, 0.75), Points(1.0));
    table.own("faults of endpoints, %, p95", 10.8, (8.0, why), at(&faults, 0.95), Points(4.0));
    let limits = sorted(busy().map(|o| 100.0 * o.limited / o.all));
    table.line("429 of endpoints, %, median", 0.07, at(&limits, 0.5), Points(0.6));
    table.line("429 of endpoints, %, p75", 4.3, at(&limits, 0.75), Points(3.0));
    table.line("429 of endpoints, %, p95", 42.9, at(&limits, 0.95), Points(15.0));
    let uptimes = sorted(
        sample
            .endpoints_of_day
            .values()
            .filter(|o| o.good + o.fault >= 20.0)
            .map(|o| o.good / (o.good + o.fault)),
    );
    for (bound, published, own, points) in
        [(0.999, 31.0, 62.0, 12.0), (0.99, 64.0, 73.0, 10.0), (0.95, 86.0, 82.0, 8.0), (0.8, 96.5, 94.0, 4.0)]
    {
        let found =
            100.0 * uptimes.iter().filter(|uptime| **uptime >= bound).count() as f64 / uptimes.len() as f64;
        let why = "names again, and one invented provider is always down for show";
        table.own(format!("endpoints up {bound} of a day, %"), published, (own, why), found, Points(points));
    }
}

fn speed(table: &mut Table, simulator: &Simulator, sample: &Sample) {
    let medians = |values: fn(&sample::Speeds) -> &Vec<f64>| {
        sorted(
            sample
                .speeds
                .values()
                .filter(|s| values(s).len() >= 30)
                .map(|s| at(&sorted(values(s).iter().copied()), 0.5)),
        )
    };
    let (ttft, throughput) = (medians(|s| &s.ttft), medians(|s| &s.throughput));
    let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95];
    for (quantile, published) in quantiles.into_iter().zip([293.0, 567.0, 979.0, 1_775.0, 4_099.0]) {
        table.line(
            format!("TTFT of endpoints, ms, {quantile}"),
            published,
            at(&ttft, quantile),
            Percent(25.0),
        );
    }
    for (quantile, published) in quantiles.into_iter().zip([11.0, 29.0, 45.5, 70.0, 138.0]) {
        table.line(
            format!("throughput of endpoints, tokens/s, {quantile}"),
            published,
            at(&throughput, quantile),
            Percent(25.0),
        );
    }
    let ratio = |values: fn(&sample::Speeds) -> &Vec<f64>, quantile: f64| {
        let within = sample.speeds.values().map(values).filter(|values| values.len() >= 500);
        let ratios = sorted(within.map(|values| {
            let values = sorted(values.iter().copied());
            at(&values, quantile) / at(&values, 0.5)
        }));
        at(&ratios, 0.5)
    };
    table.line("TTFT within an endpoint, p90 over p50", 2.32, ratio(|s| &s.ttft, 0.9), Percent(8.0));
    table.line("TTFT within an endpoint, p99 over p50", 6.84, ratio(|s| &s.ttft, 0.99), Percent(12.0));
    table.line(
        "throughput within an endpoint, p90 over p50",
        1.63,
        ratio(|s| &s.throughput, 0.9),
        Percent(8.0),
    );
    table.line(
        "overhead of the router, ms",
        30.0,
        at(&sorted(sample.overhead.iter().copied()), 0.5),
        Percent(5.0),
    );
    let spreads = sorted(simulator.models().iter().filter_map(|model| {
        let prices = || {
            let endpoints = simulator.endpoints().get(model.endpoints.clone()).unwrap_or(&[]);
            endpoints
                .iter()
                .filter_map(|e| e.price)
                .map(|price| price.input as f64)
                .filter(|price| *price > 0.0)
        };
        let (least, most) = (prices().fold(f64::MAX, f64::min), prices().fold(0.0, f64::max));
        (prices().count() > 1).then_some(most / least)
    }));
    table.line("dearest over cheapest price, median", 1.10, at(&spreads, 0.5), Percent(10.0));
    table.line("dearest over cheapest price, p75", 1.92, at(&spreads, 0.75), Percent(25.0));
    table.line("dearest over cheapest price, p95", 5.9, at(&spreads, 0.95), Percent(30.0));
}

fn people(table: &mut Table, sample: &Sample) {
    let all: f64 = sample.languages.values().sum();
    let why = "other languages than English are doubled, for crosses with enough requests";
    for (language, published, own) in [
        ("en", 82.9, 71.0),
        ("zh", 5.0, 9.3),
        ("ru", 2.5, 4.7),
        ("es", 1.4, 2.6),
        ("th", 1.0, 1.9),
        ("ja", 0.5, 3.8),
    ] {
        let found = 100.0 * sample.languages.get(language).copied().unwrap_or(0.0) / all;
        table.own(
            format!("tokens in {language}, %"),
            published,
            (own, why),
            found,
            Points(0.5 + 0.2 * own.min(20.0)),
        );
    }
    let regions: [(&str, f64, &[&str]); 3] = [
        ("North America", 47.0, &["US", "CA", "MX"]),
        (
            "Asia",
            29.0,
            &[
                "CN", "TW", "HK", "SG", "JP", "KR", "TH", "VN", "IN", "ID", "PH", "KZ", "PK", "BD", "MY",
                "LK", "NP",
            ],
        ),
        (
            "Latin America, Africa, Oceania and the Near East",
            3.0,
            &[
                "BR", "AR", "CL", "CO", "PE", "AU", "NZ", "NG", "ZA", "KE", "EG", "GH", "MA", "IL", "TR",
                "AE", "SA",
            ],
        ),
    ];
    let all: f64 = sample.countries.values().sum();
    let mut elsewhere = 100.0;
    for (region, published, countries) in regions {
        let found =
            100.0 * countries.iter().filter_map(|country| sample.countries.get(*country)).sum::<f64>() / all;
        elsewhere -= found;
        table.line(format!("tokens from {region}, %"), published, found, Points(4.0));
    }
    table.line("tokens from Europe, %", 21.0, elsewhere, Points(4.0));
    table.own(
        "countries",
        f64::NAN,
        (60.0, "no figure is published"),
        sample.countries.len() as f64,
        AtLeast,
    );
    let python = 100.0 * sample.code[1] / sample.code[0];
    table.line("Python among English requests with code, %", 25.0, python, Points(1.5));
    let apps: f64 = sample.apps.values().map(Usage::tokens).sum();
    let largest = sample.apps.values().map(Usage::tokens).fold(0.0, f64::max);
    table.line("tokens of the largest app, %", 8.7, 100.0 * largest / apps, Points(8.0));
    let mut turns: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for session in sample.sessions.values() {
        turns.entry(session.turns.min(50)).or_default().push(session.cost);
    }
    let median =
        |turns: Option<&Vec<f64>>| turns.map_or(f64::NAN, |costs| at(&sorted(costs.iter().copied()), 0.5));
    table.line("cost of a session of one turn, USD, median", 0.001, median(turns.get(&1)), Points(0.004));
    let why = "sessions last an hour at most, and no turn holds all those before it";
    table.own(
        "cost of a session of 50 turns or more, USD, median",
        12.0,
        (0.4, why),
        median(turns.get(&50)),
        Percent(90.0),
    );
    let long = turns.get(&50).map_or(0, Vec::len) as f64;
    table.own(
        "sessions of 50 turns or more in a month",
        f64::NAN,
        (30.0, "no figure is published"),
        long,
        AtLeast,
    );
    cohorts(table);
}

fn cohorts(table: &mut Table) {
    let people = People::new(42, cal::DAYS_PER_YEAR + 400);
    let joined: Vec<usize> = people.joined(100..160).collect();
    let kept = 100.0 * joined.iter().filter(|at| people.is_active(**at, 150)).count() as f64;
    table.line("users still there after five months, %", 40.0, kept / joined.len() as f64, Points(8.0));
    let share = 100.0 * joined.iter().filter(|at| people.returns(**at)).count() as f64 / joined.len() as f64;
    table.own(
        "users that leave and return, %",
        f64::NAN,
        (13.0, "published without a number"),
        share,
        Points(4.0),
    );
}
