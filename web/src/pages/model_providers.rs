//! The providers of one model: state, uptime, speed, price and share of each.

use super::health_view;
use super::parts::{Cell, Column, Html, Row, Table, cells};
use crate::data::{
    Counts, Dataset, Detail, Filter, Group, GroupBy, HealthBy, ModelId, Period, Scope, Span, Speed, State,
};
use crate::format;

/// What one provider does for this model.
pub struct Endpoint {
    name: Html,
    pub plain: String,
    now: Counts,
    day: Counts,
    state: State,
    uptime_now: crate::data::Figure<f64>,
    uptime_day: crate::data::Figure<f64>,
    bars: Html,
    pub ttft: crate::data::Figure<crate::data::Quantiles>,
    decode: crate::data::Figure<crate::data::Quantiles>,
    e2e: crate::data::Figure<crate::data::Quantiles>,
    pub price: Option<f64>,
    pub share: Option<f64>,
    cache_hit: Option<f64>,
    requests: Option<u64>,
    week: Period,
    /// How exactly its usage is told.
    detail: Detail,
}

/// Usage is left out where it may not be told.
pub fn providers(data: &Dataset, model: ModelId) -> Vec<Endpoint> {
    let scope = Scope::model(model);
    let bars = data.bars_by(HealthBy::Provider, scope, 30);
    let window = data.trailing(7);
    let usage = data.totals(window, GroupBy::Provider, Filter::Model(model));
    let all: u64 = usage.iter().fold(0, |sum, (_, totals)| sum.saturating_add(totals.tokens()));
    let mut out: Vec<(u64, Endpoint)> = data
        .providers_of(model)
        .into_iter()
        .map(|provider| {
            let key = Scope::provider(provider);
            let pair = Scope::pair(model, provider);
            let status = data.status(pair);
            let day = data.health(pair, Span::Hours24);
            let group = Group::Provider(provider);
            let totals = usage.iter().find(|(known, _)| *known == group).map(|(_, totals)| *totals);
            let tokens = totals.map_or(0, |totals| totals.tokens());
            let detail = data.detail(pair);
            let speed = |speed| data.speed(pair, Span::Days7, speed);
            let endpoint = Endpoint {
                name: Html::link_or_text(data.href(group).as_deref(), data.provider_name(provider)),
                plain: data.provider_name(provider).to_owned(),
                now: status.counts,
                day,
                state: status.state,
                uptime_now: status.uptime,
                uptime_day: day.uptime(&data.thresholds),
                bars: bars.get(&key).map(|bars| health_view::row_bars(bars)).unwrap_or_default(),
                ttft: speed(Speed::Ttft),
                decode: speed(Speed::TokensDecode),
                e2e: speed(Speed::TokensE2e),
                price: detail.rough(totals.and_then(|totals| totals.price_per_million())),
                share: detail.share(totals.filter(|_| all > 0).map(|_| tokens as f64 / all as f64)),
                cache_hit: detail.share(totals.and_then(|totals| totals.cache_hit())),
                requests: totals.map(|totals| totals.requests),
                week: data.period(pair, Span::Days7),
                detail,
            };
            (tokens, endpoint)
        })
        .collect();
    out.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.plain.cmp(&b.1.plain)));
    out.into_iter().map(|(_, endpoint)| endpoint).collect()
}

pub fn providers_title(providers: &[Endpoint]) -> String {
    let count = |state: State| providers.iter().filter(|one| one.state == state).count();
    if providers.is_empty() {
        return "No provider has served it in 28 days".to_owned();
    }
    if count(State::NoData) == providers.len() && providers.len() > 1 {
        let n = format::capitalised(&format::in_words(providers.len()));
        return format!("{n} providers, none with enough attempts in 30 minutes for a state");
    }
    let parts: Vec<String> = [
        (State::Operational, "operational"),
        (State::Degraded, "degraded"),
        (State::Down, "down"),
        (State::NoData, "without enough data"),
    ]
    .into_iter()
    .filter(|(state, _)| count(*state) > 0)
    .map(|(state, word)| format!("{} {word}", format::in_words(count(state))))
    .collect();
    let n = providers.len();
    format!(
        "{} {}: {}",
        format::capitalised(&format::in_words(n)),
        if n == 1 { "provider" } else { "providers" },
        parts.join(", ")
    )
}

pub fn providers_table(providers: &[Endpoint]) -> Table {
    let rows = providers
        .iter()
        .map(|one| {
            let speed = |figure: &crate::data::Figure<crate::data::Quantiles>,
                         value: fn(&crate::data::Quantiles) -> f64,
                         decimals| {
                match figure {
                    Ok(quantiles) => Html::text(&format::decimal(value(quantiles), decimals)),
                    // The table is wide: the reason is short here and its rule stands above.
                    Err(why) => Html::markup(format!(
                        "<span class=\"nodata\" title=\"not enough data, needs {}\">n {}</span>",
                        why.needs,
                        why.n.map_or_else(
                            || format!("&lt; {}", why.needs),
                            |n| format!("= {}", format::count(n))
                        )
                    )),
                }
            };
            let limited = cells::optional(one.week.rate_limit_rate.map(|rate| format::percent(rate, 1)));
            let price = cells::optional(one.price.map(format::price));
            let decimals = usize::from(one.detail.is_exact());
            let share = cells::optional(one.share.map(|share| format::percent(share, decimals)));
            let requests = cells::optional(one.requests.map(|n| format::tally(one.detail.count(n))));
            let counted = |counts: &Counts| format::tally(counts.tally(counts.counted()));
            let tools = cells::optional(one.week.tool_error_rate.map(|rate| format::percent(rate, 1)));
            let more = vec![
                ("Uptime 24 h, %".to_owned(), cells::figure(&one.uptime_day, format::uptime)),
                ("TTFT p90, ms".to_owned(), speed(&one.ttft, |q| q.p90, 0)),
                ("Decode p50, tok/s".to_owned(), speed(&one.decode, |q| q.p50, 1)),
                ("Decode p90, tok/s".to_owned(), speed(&one.decode, |q| q.p90, 1)),
                ("E2E p50, tok/s".to_owned(), speed(&one.e2e, |q| q.p50, 1)),
                ("Effective price, USD per 1M tokens".to_owned(), price.clone()),
                (
                    "Cache hit, %".to_owned(),
                    cells::optional(one.cache_hit.map(|hit| format::percent(hit, 0))),
                ),
                ("Share of its tokens, %".to_owned(), share.clone()),
                ("429 rate, %".to_owned(), limited.clone()),
                ("Tool-call errors, %".to_owned(), tools.clone()),
                ("Requests, 7 d".to_owned(), requests.clone()),
                ("Counted attempts, 30 min".to_owned(), Html::text(&counted(&one.now))),
                ("Counted attempts, 24 h".to_owned(), Html::text(&counted(&one.day))),
            ];
            Row {
                cells: vec![
                    Cell::head(one.name.clone()),
                    cells::state(one.state).into(),
                    cells::figure(&one.uptime_now, format::uptime).into(),
                    cells::figure(&one.uptime_day, format::uptime).into(),
                    one.bars.clone().into(),
                    limited.into(),
                    speed(&one.ttft, |q| q.p50, 0).into(),
                    speed(&one.ttft, |q| q.p90, 0).into(),
                    speed(&one.decode, |q| q.p50, 1).into(),
                    speed(&one.decode, |q| q.p90, 1).into(),
                    speed(&one.e2e, |q| q.p50, 1).into(),
                    price.into(),
                    cells::optional(one.cache_hit.map(|hit| format::percent(hit, 0))).into(),
                    share.into(),
                    tools.into(),
                    requests.into(),
                ],
                more,
                ..Row::default()
            }
        })
        .collect();
    Table {
        label: "Providers of this model".to_owned(),
        class: "dense tight",
        columns: vec![
            Column::new("Provider", "stay"),
            Column::new("State", ""),
            Column::number("Uptime", "30 min, %").defined("uptime", "Uptime"),
            Column::number("Uptime", "24 h, %").optional(),
            Column::new("30 days", "g opt"),
            Column::number("429", "7 d, %").defined("rate-limits", "429").optional(),
            Column::number("TTFT", "p50, ms").defined("ttft", "TTFT"),
            Column::number("TTFT", "p90, ms").optional(),
            Column::number("Decode", "p50, tok/s").defined("throughput", "Decode").optional(),
            Column::number("Decode", "p90, tok/s").optional(),
            Column::number("E2E", "p50, tok/s").optional(),
            Column::number("Price", "USD per 1M").defined("effective-price", "Price").optional(),
            Column::number("Cache hit", "%").optional(),
            Column::number("Share", "% of its tokens").descending().optional(),
            Column::number("Tool errors", "%").defined("tool-errors", "Tool errors").optional(),
            Column::number("Requests", "7 d").optional(),
        ],
        rows,
        empty: "No attempt in the last 28 days.".to_owned(),
        ..Table::default()
    }
}
