//! Directory of providers, and the status page: who is up now, and over 90 days.

use crate::files;
use crate::place::{self, PageContext, PageError, Place, Section};
use crate::url::{Param, Sort, SortKey};
use askama::Template;

use super::controls;
use super::health_view;
use super::parts::{Cell, Column, Downloads, Html, Row, Table, cells};
use super::provider;
use super::shell::Shell;
use crate::data::{
    Counts, Dataset, Figure, Group, GroupBy, HealthBy, Period, ProviderId, Quantiles, Scope, Span, Speed,
    State, Status,
};
use crate::format;

/// One provider of either page.
struct Entry {
    id: ProviderId,
    status: Status,
    week: Period,
    month: Counts,
    quarter: Counts,
    /// `None`: it may not be named beside usage.
    tokens: Option<u64>,
    models: Option<usize>,
}

fn entries(data: &Dataset) -> Vec<Entry> {
    let usage = provider::usage(data);
    let is_withheld = |id| data.usage_withheld(data.trailing(7), GroupBy::Provider, Group::Provider(id));
    health_view::provider_statuses(data)
        .into_iter()
        .map(|(id, status)| {
            let (tokens, models) = usage
                .iter()
                .find(|(known, ..)| *known == id)
                .map(|(_, tokens, models)| (*tokens, *models))
                .or_else(|| is_withheld(id).is_none().then_some((0, 0)))
                .unzip();
            let scope = Scope::provider(id);
            Entry {
                id,
                status,
                week: data.period(scope, Span::Days7),
                month: data.health(scope, Span::Days28),
                quarter: data.health(scope, Span::Days90),
                tokens,
                models,
            }
        })
        .collect()
}

fn link(data: &Dataset, id: ProviderId) -> Html {
    Html::link_or_text(data.href(Group::Provider(id)).as_deref(), data.provider_name(id))
}

fn head(
    ctx: &PageContext,
    key: SortKey,
    name: &str,
    unit: &str,
    class: &'static str,
    default: Sort,
) -> Column {
    let sort = ctx.state.sort.unwrap_or(default);
    let sorted = (sort.key == key).then_some(if sort.descending { "descending" } else { "ascending" });
    Column { head: Html::link(&controls::sorted(ctx, key), name), unit: unit.to_owned(), class, sorted }
}

/// Missing figures come last in either direction.
fn by_number<T>(rows: &mut [T], descending: bool, value: impl Fn(&T) -> Option<f64>) {
    rows.sort_by(|a, b| match (value(a), value(b)) {
        (Some(a), Some(b)) if descending => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
}

pub static PROVIDERS: Place = Place {
    path: "/providers",
    api: Some("/api/v1/providers"),
    title: "Providers",
    section: Section::Providers,
    navigation: Some("Providers"),
    in_sitemap: true,
    page: Some(place::Page::new(&[Param::Sort], directory)),
    file: Some(place::File::new("provider directory", &[Param::Sort], files::providers)),
    ..Place::DEFAULT
};

pub static STATUS: Place = Place {
    path: "/status",
    api: Some("/api/v1/status"),
    title: "Status",
    section: Section::Status,
    navigation: Some("Status"),
    in_sitemap: true,
    page: Some(place::Page::new(&[Param::Sort], status)),
    file: Some(place::File::new("daily uptime of every provider", &[Param::Sort], files::providers)),
    ..Place::DEFAULT
};

#[derive(Template)]
#[template(path = "providers.html")]
struct Directory {
    shell: Shell,
    finding: String,
    deck: Html,
    live: Html,
    table: Table,
    downloads: Downloads,
}

/// # Errors
/// When the template cannot be rendered.
pub fn directory(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    type Speeds = Figure<Quantiles>;
    let mut rows: Vec<(Entry, Speeds, Speeds)> = entries(data)
        .into_iter()
        .map(|entry| {
            let scope = Scope::provider(entry.id);
            let speed = |speed| data.speed(scope, Span::Days7, speed);
            let (ttft, decode) = (speed(Speed::Ttft), speed(Speed::TokensDecode));
            (entry, ttft, decode)
        })
        .collect();
    let default = Sort { key: SortKey::Share, descending: true };
    let sort = ctx.state.sort.unwrap_or(default);
    let thresholds = data.thresholds;
    match sort.key {
        SortKey::Name => {
            rows.sort_by_key(|row| data.provider_name(row.0.id).to_lowercase());
            if sort.descending {
                rows.reverse();
            }
        }
        SortKey::State => {
            rows.sort_by_key(|row| row.0.status.state);
            if sort.descending {
                rows.reverse();
            }
        }
        SortKey::Uptime => by_number(&mut rows, sort.descending, |row| row.0.month.uptime(&thresholds).ok()),
        SortKey::Ttft => by_number(&mut rows, sort.descending, |row| row.1.ok().map(|q| q.p50)),
        SortKey::Throughput => by_number(&mut rows, sort.descending, |row| row.2.ok().map(|q| q.p50)),
        _ => by_number(&mut rows, sort.descending, |row| row.0.tokens.map(|tokens| tokens as f64)),
    }
    let total = data.total(data.trailing(7), crate::data::Filter::All).tokens();
    let largest = rows.iter().max_by_key(|row| row.0.tokens);
    let most = largest.and_then(|(entry, ..)| Some((entry, entry.tokens?)));
    let finding = match most.filter(|_| total > 0) {
        Some((entry, tokens)) => format!(
            "{} providers carry the traffic; {} carries most, {} of tokens",
            format::count(rows.len() as u64),
            data.provider_name(entry.id),
            format::percent_sign(tokens as f64 / total as f64, 1)
        ),
        None if total > 0 => format!(
            "{} providers carry the traffic, none with the {} users that usage needs",
            format::count(rows.len() as u64),
            format::count(data.thresholds.users)
        ),
        None => "No provider has served a request in 7 days".to_owned(),
    };
    let count = |state| rows.iter().filter(|row| row.0.status.state == state).count();
    let deck = format!(
        "{}. State from the 30 minutes to {} UTC; shares and speed over 7 days, uptime over 28 days.",
        health_view::states_sentence(
            count(State::Down),
            count(State::Degraded),
            count(State::Operational),
            rows.len()
        ),
        format::clock(data.buckets_end)
    );
    let table_rows = rows
        .iter()
        .map(|(entry, ttft, decode)| {
            let tokens = entry.tokens.filter(|_| total > 0);
            let share = tokens.map(|tokens| format::percent(tokens as f64 / total as f64, 1));
            let models = cells::optional(entry.models.map(|models| format::count(models as u64)));
            let attempts = format::tally(entry.week.counts.tally(entry.week.counts.attempts));
            let month = entry.month.uptime(&thresholds);
            let speed = |figure: &Speeds, value: fn(&Quantiles) -> f64, decimals: usize| {
                cells::figure(&figure.as_ref().map(value).map_err(|why| *why), |value| {
                    format::decimal(value, decimals)
                })
            };
            let rate = cells::optional(entry.week.rate_limit_rate.map(|rate| format::percent(rate, 1)));
            Row {
                cells: vec![
                    Cell::head(link(data, entry.id)),
                    cells::state(entry.status.state).into(),
                    cells::figure(&entry.status.uptime, format::uptime).into(),
                    cells::figure(&month, format::uptime).into(),
                    speed(ttft, |q| q.p50, 0).into(),
                    speed(decode, |q| q.p50, 1).into(),
                    rate.clone().into(),
                    cells::optional(share.clone()).into(),
                    models.clone().into(),
                    attempts.clone().into(),
                ],
                more: vec![
                    ("Uptime 28 d, %".to_owned(), cells::figure(&month, format::uptime)),
                    ("TTFT p50, ms".to_owned(), speed(ttft, |q| q.p50, 0)),
                    ("Decode p50, tok/s".to_owned(), speed(decode, |q| q.p50, 1)),
                    ("429 rate, %".to_owned(), rate),
                    ("Models, 7 d".to_owned(), models),
                    ("Attempts, 7 d".to_owned(), Html::text(&attempts)),
                ],
                ..Row::default()
            }
        })
        .collect();
    let table = Table {
        label: "Providers".to_owned(),
        class: "dense",
        columns: vec![
            head(ctx, SortKey::Name, "Provider", "", "", default),
            head(ctx, SortKey::State, "State", "", "", default),
            Column::number("Uptime", "30 min, %"),
            head(ctx, SortKey::Uptime, "Uptime", "28 d, %", "num opt", default),
            head(ctx, SortKey::Ttft, "TTFT", "p50, ms", "num opt", default),
            head(ctx, SortKey::Throughput, "Decode", "p50, tok/s", "num opt", default),
            Column::number("429", "7 d, %").optional(),
            head(ctx, SortKey::Share, "Share", "% of tokens", "num", default),
            Column::number("Models", "7 d").optional(),
            Column::number("Attempts", "7 d").optional(),
        ],
        rows: table_rows,
        empty: "No provider has served an attempt yet.".to_owned(),
        ..Table::default()
    };
    let page = Directory {
        shell: Shell::new(ctx, Some(data), "Providers", &finding),
        deck: Html::text(&deck),
        live: controls::live_note(data),
        table,
        downloads: controls::downloads(ctx),
        finding,
    };
    Ok(page.render()?)
}

/// How many providers are in one state.
struct StateCount {
    n: String,
    state: Html,
    rule: String,
}

#[derive(Template)]
#[template(path = "status.html")]
struct Dashboard {
    shell: Shell,
    finding: String,
    deck: Html,
    live: Html,
    counts: Vec<StateCount>,
    table: Table,
    span: String,
    downloads: Downloads,
}

/// # Errors
/// When the template cannot be rendered.
pub fn status(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    let mut rows = entries(data);
    let thresholds = data.thresholds;
    let count = |state| rows.iter().filter(|row| row.status.state == state).count();
    let (down, degraded, fine, none) =
        (count(State::Down), count(State::Degraded), count(State::Operational), count(State::NoData));
    let finding = health_view::states_sentence(down, degraded, fine, rows.len());
    let deck = status_deck(data, &rows);
    let default = Sort { key: SortKey::State, descending: false };
    let sort = ctx.state.sort.unwrap_or(default);
    match sort.key {
        SortKey::Name => rows.sort_by_key(|row| data.provider_name(row.id).to_lowercase()),
        SortKey::Uptime => {
            by_number(&mut rows, sort.descending, |row| row.week.counts.uptime(&thresholds).ok());
        }
        SortKey::Tokens | SortKey::Share => {
            by_number(&mut rows, sort.descending, |row| row.tokens.map(|tokens| tokens as f64))
        }
        _ if sort.descending => rows.reverse(),
        _ => {}
    }
    let bars = data.bars_by(HealthBy::Provider, Scope::ALL, 90);
    let table_rows = rows
        .iter()
        .map(|row| {
            let uptime = |counts: &Counts| counts.uptime(&thresholds);
            let delta = row.week.uptime_delta.map_or_else(cells::unknown, |points| cells::points(points, 2));
            let strip = bars
                .get(&Scope::provider(row.id))
                .map(|bars| health_view::row_bars(bars))
                .unwrap_or_default();
            Row::new(vec![
                Cell::head(link(data, row.id)),
                cells::state(row.status.state).into(),
                cells::figure(&row.status.uptime, format::uptime).into(),
                cells::figure(&uptime(&row.week.counts), format::uptime).into(),
                delta.into(),
                strip.into(),
                cells::figure(&uptime(&row.quarter), format::uptime).into(),
            ])
        })
        .collect();
    let window = data.trailing(90);
    let page = Dashboard {
        shell: Shell::new(ctx, Some(data), "Status", &finding),
        deck,
        live: controls::live_note(data),
        counts: vec![
            StateCount {
                n: format::count(fine as u64),
                state: cells::state(State::Operational),
                rule: "95 % and more of counted attempts".to_owned(),
            },
            StateCount {
                n: format::count(degraded as u64),
                state: cells::state(State::Degraded),
                rule: "80 to below 95 %".to_owned(),
            },
            StateCount {
                n: format::count(down as u64),
                state: cells::state(State::Down),
                rule: "below 80 %".to_owned(),
            },
            StateCount {
                n: format::count(none as u64),
                state: cells::state(State::NoData),
                rule: format!("below {} counted attempts in 30 min", thresholds.counted_attempts),
            },
        ],
        table: Table {
            label: "Providers over 90 days".to_owned(),
            class: "dense health",
            columns: vec![
                head(ctx, SortKey::Name, "Provider", "", "", default),
                head(ctx, SortKey::State, "State", "", "", default),
                Column::number("Uptime", "30 min, %"),
                head(ctx, SortKey::Uptime, "Uptime", "7 d, %", "num opt", default),
                Column::number("Change", "pp, week").optional(),
                Column::new("90 days, oldest left", "hist"),
                Column::number("Uptime", "90 d, %").optional(),
            ],
            rows: table_rows,
            empty: "No provider has served an attempt yet.".to_owned(),
            ..Table::default()
        },
        span: format::span(window.start, window.end),
        downloads: controls::downloads(ctx),
        finding,
    };
    Ok(page.render()?)
}

fn status_deck(data: &Dataset, rows: &[Entry]) -> Html {
    let worst = rows
        .iter()
        .filter(|row| matches!(row.status.state, State::Down | State::Degraded))
        .filter_map(|row| Some((row, row.status.uptime.ok()?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let mut out = String::new();
    if let Some((row, uptime)) = worst {
        let total = data.total(data.trailing(7), crate::data::Filter::All).tokens();
        let carries = row.tokens.filter(|_| total > 0).map_or(String::new(), |tokens| {
            format!("; it carries {} of tokens (7 d)", format::percent_sign(tokens as f64 / total as f64, 1))
        });
        out.push_str(&format!(
            "{} answers {}\u{a0}% of {} counted attempts{carries}. ",
            Html::text(data.provider_name(row.id)),
            format::uptime(uptime),
            format::tally(row.status.counts.tally(row.status.counts.counted()))
        ));
    }
    let unknown = rows.iter().filter(|row| row.status.state == State::NoData).count();
    if unknown > 0 {
        out.push_str(&format!(
            "{} {} too few attempts to judge. ",
            format::capitalised(&format::in_words(unknown)),
            if unknown == 1 { "has" } else { "have" }
        ));
    }
    let week = median(rows.iter().filter_map(|row| row.week.counts.uptime(&data.thresholds).ok()));
    if let Some(week) = week {
        let before = median(rows.iter().filter_map(|row| row.week.uptime_before));
        let change = before.map_or(String::new(), |before| {
            format!(", {} pp on the 7 days before", cells::points(week - before, 2))
        });
        out.push_str(&format!(
            "Over 7 days the median provider reached <b>{}\u{a0}%</b>{change}.",
            format::uptime(week)
        ));
    }
    Html::markup(out)
}

/// The upper of the two where their number is even; None of nothing.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
