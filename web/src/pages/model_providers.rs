//! The providers of one model: state, uptime, speed, price and share of each.

use super::health_view;
use super::parts::{Cell, Column, Html, Row, Table, cells};
use crate::data::{Dataset, Figure, Group, HealthBy, ModelId, Scope, State, Untold};
use crate::format;
use crate::url::Period;
use crate::views::Shown;
use crate::views::endpoints::EndpointRow;

pub fn providers_title(providers: &[EndpointRow]) -> String {
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

pub fn providers_table(period: Period, data: &Dataset, model: ModelId, providers: &[EndpointRow]) -> Table {
    let bars = data.bars_by(HealthBy::Provider, Scope::model(model), 30);
    let window = window(period);
    let rows = providers
        .iter()
        .map(|one| {
            let bars = bars.get(&Scope::provider(one.id)).map(|bars| health_view::row_bars(bars));
            let href = data.href(Group::Provider(one.id));
            row(one, Html::link_or_text(href.as_deref(), &one.name), bars.unwrap_or_default(), window)
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
            Column::number("Requests", window).optional(),
        ],
        rows,
        empty: "No attempt in the last 28 days.".to_owned(),
        ..Table::default()
    }
}

/// The window that usage is of.
fn window(period: Period) -> &'static str {
    match period {
        Period::Days1 => "1 d",
        Period::Days7 => "7 d",
        Period::Days28 => "28 d",
        Period::Days30 => "30 d",
        Period::Days90 => "90 d",
        Period::Months12 => "12 m",
        Period::Dates(..) => "chosen days",
    }
}

fn row(one: &EndpointRow, name: Html, bars: Html, window: &str) -> Row {
    let limited = share(one.rate_limit_rate_7d, 1);
    let price = cells::optional(one.price_usd_per_million.map(format::price));
    let part = share(one.token_share, usize::from(one.detail.is_exact()));
    let requests = cells::optional(one.requests.map(format::tally));
    let tools = share(one.tool_error_rate_7d, 1);
    let more = vec![
        ("Uptime 24 h, %".to_owned(), uptime(one.uptime_last_1d)),
        ("TTFT p90, ms".to_owned(), speed(&one.ttft_ms_p90.0, 0)),
        ("Decode p50, tok/s".to_owned(), speed(&one.tokens_per_s_decode_p50.0, 1)),
        ("Decode p90, tok/s".to_owned(), speed(&one.tokens_per_s_decode_p90.0, 1)),
        ("E2E p50, tok/s".to_owned(), speed(&one.tokens_per_s_e2e_p50.0, 1)),
        ("Effective price, USD per 1M tokens".to_owned(), price.clone()),
        ("Cache hit, %".to_owned(), share(one.cached_input_share, 0)),
        ("Share of its tokens, %".to_owned(), part.clone()),
        ("429 rate, %".to_owned(), limited.clone()),
        ("Tool-call errors, %".to_owned(), tools.clone()),
        (format!("Requests, {window}"), requests.clone()),
        ("Counted attempts, 30 min".to_owned(), cells::tally(one.counted_attempts_30m)),
        ("Counted attempts, 24 h".to_owned(), cells::tally(one.counted_1d)),
    ];
    Row {
        cells: vec![
            Cell::head(name),
            cells::state(one.state).into(),
            uptime(one.uptime_last_30m).into(),
            uptime(one.uptime_last_1d).into(),
            bars.into(),
            limited.into(),
            speed(&one.ttft_ms_p50.0, 0).into(),
            speed(&one.ttft_ms_p90.0, 0).into(),
            speed(&one.tokens_per_s_decode_p50.0, 1).into(),
            speed(&one.tokens_per_s_decode_p90.0, 1).into(),
            speed(&one.tokens_per_s_e2e_p50.0, 1).into(),
            price.into(),
            share(one.cached_input_share, 0).into(),
            part.into(),
            tools.into(),
            requests.into(),
        ],
        more,
        ..Row::default()
    }
}

fn share(share: Option<f64>, decimals: usize) -> Html {
    cells::optional(share.map(|share| format::percent(share, decimals)))
}

fn uptime(figure: Shown) -> Html {
    cells::figure(&figure.0, format::uptime)
}

fn speed(figure: &Figure<f64>, decimals: usize) -> Html {
    match figure {
        Ok(value) => Html::text(&format::decimal(*value, decimals)),
        // The table is wide: the reason is short here and its rule stands above.
        Err(Untold::NotEnough(why)) => Html::markup(format!(
            "<span class=\"nodata\" title=\"not enough data, needs {}\">n {}</span>",
            why.needs,
            why.n.map_or_else(|| format!("&lt; {}", why.needs), |n| format!("= {}", format::count(n)))
        )),
        Err(why) => cells::untold(why),
    }
}
