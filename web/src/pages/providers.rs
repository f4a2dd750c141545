//! Directory of providers, and the status page: who is up now, and over 90 days.

use crate::files;
use crate::place::{self, PageContext, PageError, Place, Section};
use crate::url::{Sort, SortKey};
use askama::Template;

use super::controls;
use super::health_view;
use super::parts::{Cell, Column, Downloads, Html, Row, Table, cells};
use super::shell::Shell;
use crate::data::{Dataset, Filter, Group, HealthBy, Scope, State};
use crate::format;
use crate::views::providers::{ProviderRow, Providers, Sorted, Status};
use crate::views::{Shown, View as _};

fn link(data: &Dataset, row: &ProviderRow) -> Html {
    Html::link_or_text(data.href(Group::Provider(row.id)).as_deref(), &row.name)
}

fn count(rows: &[ProviderRow], state: State) -> usize {
    rows.iter().filter(|row| row.state == state).count()
}

/// `One provider is down; 92 of 101 are operational`
fn states(rows: &[ProviderRow]) -> String {
    health_view::states_sentence(
        count(rows, State::Down),
        count(rows, State::Degraded),
        count(rows, State::Operational),
        rows.len(),
    )
}

fn uptime(figure: Shown) -> Html {
    cells::figure(&figure.0, format::uptime)
}

/// A column by whose key, with its name, unit and class, the table can be ordered.
fn head(
    ctx: &PageContext,
    query: &Sorted,
    default: Sort,
    (key, name, unit, class): (SortKey, &str, &str, &'static str),
) -> Column {
    let sort = query.sort.unwrap_or(default);
    let sorted = (sort.key == key).then_some(if sort.descending { "descending" } else { "ascending" });
    let href = controls::sorted(ctx, query, key);
    Column { head: Html::link(&href, name), unit: unit.to_owned(), class, sorted }
}

pub static PROVIDERS: Place = Place {
    path: "/providers",
    api: Some("/api/v1/providers"),
    title: "Providers",
    section: Section::Providers,
    navigation: Some("Providers"),
    in_sitemap: true,
    page: Some(place::Page::of::<Directory>()),
    file: Some(files::of::<Providers>("provider directory")),
    ..Place::DEFAULT
};

pub static STATUS: Place = Place {
    path: "/status",
    api: Some("/api/v1/status"),
    title: "Status",
    section: Section::Status,
    navigation: Some("Status"),
    in_sitemap: true,
    page: Some(place::Page::of::<Dashboard>()),
    file: Some(files::of::<Status>("daily uptime of every provider")),
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

impl place::Draw for Directory {
    type Query = Sorted;

    fn draw(ctx: &PageContext, query: &Sorted, data: &Dataset) -> Result<String, PageError> {
        let head = |key, name, unit, class| head(ctx, query, Providers::SORT, (key, name, unit, class));
        let rows = Providers::of(ctx, query, data)?.data;
        let finding = finding(data, &rows);
        let deck = format!(
            "{}. State from the 30 minutes to {} UTC; shares and speed over 7 days, uptime over 28 days.",
            states(&rows),
            format::clock(data.buckets_end)
        );
        let table = Table {
            label: "Providers".to_owned(),
            class: "dense",
            columns: vec![
                head(SortKey::Name, "Provider", "", ""),
                head(SortKey::State, "State", "", ""),
                Column::number("Uptime", "30 min, %"),
                head(SortKey::Uptime, "Uptime", "28 d, %", "num opt"),
                head(SortKey::Ttft, "TTFT", "p50, ms", "num opt"),
                head(SortKey::Throughput, "Decode", "p50, tok/s", "num opt"),
                Column::number("429", "7 d, %").optional(),
                head(SortKey::Share, "Share", "% of tokens", "num"),
                Column::number("Models", "7 d").optional(),
                Column::number("Attempts", "7 d").optional(),
            ],
            rows: rows.iter().map(|row| directory_row(data, row)).collect(),
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
}

fn finding(data: &Dataset, rows: &[ProviderRow]) -> String {
    let active = format::count(rows.iter().filter(|row| row.is_active).count() as u64);
    let most = rows.iter().max_by_key(|row| row.tokens_7d);
    match most.and_then(|row| Some((row, row.token_share_7d?))) {
        Some((row, share)) => format!(
            "{active} providers carry the traffic; {} carries most, {} of tokens",
            row.name,
            format::percent_sign(share, 1)
        ),
        None if data.total(data.trailing(7), Filter::All).tokens() > 0 => format!(
            "{active} providers carry the traffic, none with the {} users that usage needs",
            format::count(data.thresholds.users)
        ),
        None => "No provider has served a request in 7 days".to_owned(),
    }
}

fn directory_row(data: &Dataset, row: &ProviderRow) -> Row {
    let share = row.token_share_7d.map(|share| format::percent(share, 1));
    let models = cells::optional(row.models_7d.map(|models| format::count(models as u64)));
    let attempts = cells::tally(row.attempts_7d);
    let ttft = cells::figure(&row.ttft_ms_p50.0, |value| format::decimal(value, 0));
    let decode = cells::figure(&row.tokens_per_s_decode_p50.0, |value| format::decimal(value, 1));
    let rate = cells::optional(row.rate_limit_rate_7d.map(|rate| format::percent(rate, 1)));
    Row {
        cells: vec![
            Cell::head(link(data, row)),
            cells::state(row.state).into(),
            uptime(row.uptime_last_30m).into(),
            uptime(row.uptime_28d).into(),
            ttft.clone().into(),
            decode.clone().into(),
            rate.clone().into(),
            cells::optional(share).into(),
            models.clone().into(),
            attempts.clone().into(),
        ],
        more: vec![
            ("Uptime 28 d, %".to_owned(), uptime(row.uptime_28d)),
            ("TTFT p50, ms".to_owned(), ttft),
            ("Decode p50, tok/s".to_owned(), decode),
            ("429 rate, %".to_owned(), rate),
            ("Models, 7 d".to_owned(), models),
            ("Attempts, 7 d".to_owned(), attempts),
        ],
        ..Row::default()
    }
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

impl place::Draw for Dashboard {
    type Query = Sorted;

    fn draw(ctx: &PageContext, query: &Sorted, data: &Dataset) -> Result<String, PageError> {
        let head = |key, name, unit, class| head(ctx, query, Status::SORT, (key, name, unit, class));
        let rows = Status::of(ctx, query, data)?.data;
        let finding = states(&rows);
        let bars = data.bars_by(HealthBy::Provider, Scope::ALL, 90);
        let strip =
            |row: &ProviderRow| bars.get(&Scope::provider(row.id)).map(|bars| health_view::row_bars(bars));
        let window = data.trailing(90);
        let page = Dashboard {
            shell: Shell::new(ctx, Some(data), "Status", &finding),
            deck: status_deck(&rows),
            live: controls::live_note(data),
            counts: state_counts(data, &rows),
            table: Table {
                label: "Providers over 90 days".to_owned(),
                class: "dense health",
                columns: vec![
                    head(SortKey::Name, "Provider", "", ""),
                    head(SortKey::State, "State", "", ""),
                    Column::number("Uptime", "30 min, %"),
                    head(SortKey::Uptime, "Uptime", "7 d, %", "num opt"),
                    Column::number("Change", "pp, week").optional(),
                    Column::new("90 days, oldest left", "hist"),
                    Column::number("Uptime", "90 d, %").optional(),
                ],
                rows: rows.iter().map(|row| status_row(data, row, strip(row).unwrap_or_default())).collect(),
                empty: "No provider has served an attempt yet.".to_owned(),
                ..Table::default()
            },
            span: format::span(window.start, window.end),
            downloads: controls::downloads(ctx),
            finding,
        };
        Ok(page.render()?)
    }
}

fn state_counts(data: &Dataset, rows: &[ProviderRow]) -> Vec<StateCount> {
    let needs = data.thresholds.counted_attempts;
    let rules = [
        (State::Operational, "95 % and more of counted attempts".to_owned()),
        (State::Degraded, "80 to below 95 %".to_owned()),
        (State::Down, "below 80 %".to_owned()),
        (State::NoData, format!("below {needs} counted attempts in 30 min")),
    ];
    let of = |(state, rule)| StateCount {
        n: format::count(count(rows, state) as u64),
        state: cells::state(state),
        rule,
    };
    rules.into_iter().map(of).collect()
}

fn status_row(data: &Dataset, row: &ProviderRow, strip: Html) -> Row {
    let delta = row.uptime_delta.map_or_else(cells::unknown, |points| cells::points(points, 2));
    Row::new(vec![
        Cell::head(link(data, row)),
        cells::state(row.state).into(),
        uptime(row.uptime_last_30m).into(),
        uptime(row.uptime_7d).into(),
        delta.into(),
        strip.into(),
        uptime(row.uptime_90d).into(),
    ])
}

fn status_deck(rows: &[ProviderRow]) -> Html {
    let worst = rows
        .iter()
        .filter(|row| matches!(row.state, State::Down | State::Degraded))
        .filter_map(|row| Some((row, row.uptime_last_30m.0.ok()?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let mut out = String::new();
    if let Some((row, uptime)) = worst {
        let carries = row.token_share_7d.map_or(String::new(), |share| {
            format!("; it carries {} of tokens (7 d)", format::percent_sign(share, 1))
        });
        out.push_str(&format!(
            "{} answers {}\u{a0}% of {} counted attempts{carries}. ",
            Html::text(&row.name),
            format::uptime(uptime),
            format::tally(row.counted_attempts_30m.unwrap_or_default())
        ));
    }
    let unknown = count(rows, State::NoData);
    if unknown > 0 {
        out.push_str(&format!(
            "{} {} too few attempts to judge. ",
            format::capitalised(&format::in_words(unknown)),
            if unknown == 1 { "has" } else { "have" }
        ));
    }
    let week = median(rows.iter().filter_map(|row| row.uptime_7d.0.ok()));
    if let Some(week) = week {
        let before = median(rows.iter().filter_map(|row| row.uptime_7d_before));
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
