//! Sizes of requests, health and speed of endpoints.

use std::collections::BTreeMap;

use super::sample::{self, Sample, Usage};
use super::{Percent, Points, Table, at, sorted, weighted};
use crate::traffic::Simulator;

pub fn requests(table: &mut Table, sample: &Sample) {
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

pub fn health(table: &mut Table, sample: &Sample) {
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

pub fn speed(table: &mut Table, simulator: &Simulator, sample: &Sample) {
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
