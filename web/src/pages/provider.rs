//! One provider: its state with the number that made it so, 90 days, 24 hours, errors, speed, models.

use super::PROVIDERS;
use crate::files;
use crate::place::{self, Address, Found, PageContext, PageError, Place, Section};
use crate::url::View;
use askama::Template;

use super::controls;
use super::health_view;
use super::parts::{Cell, Column, Downloads, Figure, Html, Picker, Row, Table, cells};
use super::ranked;
use super::rankings::Fact;
use super::shell::{Shell, crumbs};
use super::speed_charts;
use crate::charts::{Caption, bar, days_strip, minutes_strip};
use crate::data::{Dataset, Filter, Group, GroupBy, ProviderId, Scope, Span, Speed, State, Status, Untold};
use crate::format;
use crate::views::View as _;
use crate::views::provider::{DayRow, ErrorRow, Provider, ProviderQuery};

pub static PROVIDER: Place = Place {
    path: "/providers/{provider}",
    api: Some("/api/v1/providers/{provider}"),
    title: "One provider",
    section: Section::Providers,
    find: |address, data| {
        let known = data.spelled_provider(address.name(0));
        Found::by_name(address, known)
    },
    page: Some(place::Page::of::<Page>()),
    file: Some(files::of::<Provider>("days of a provider, and its models")),
    ..Place::DEFAULT
};

pub fn provider_page(id: &str) -> Address {
    Address::new(&PROVIDER, [id])
}

#[derive(Template)]
#[template(path = "provider.html")]
struct Page {
    shell: Shell,
    crumbs: Html,
    kicker: Html,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    live: Html,
    facts: Vec<Fact>,
    days: Figure,
    buckets: Figure,
    errors: Table,
    models: Table,
    ttft: Figure,
    throughput: Figure,
    downloads: Downloads,
    charts: bool,
}

impl place::Draw for Page {
    type Query = ProviderQuery;

    fn draw(ctx: &PageContext, query: &ProviderQuery, data: &Dataset) -> Result<String, PageError> {
        let view = Provider::of(ctx, query, data)?;
        let scope = Scope::provider(view.id);
        let name = data.provider_name(view.id).to_owned();
        let status = view.status;
        let finding = finding(&name, &status, &view.data);
        let files = || controls::downloads(ctx);
        let page = Page {
            shell: Shell::new(ctx, Some(data), &name, &finding),
            crumbs: crumbs(&[("Providers", Some(PROVIDERS.here().path())), (&name, None)]),
            kicker: kicker(data, &status),
            deck: deck(data, view.id, &status),
            pickers: controls::pickers(ctx, query),
            live: controls::live_note(data),
            facts: facts(data, scope, view.id),
            days: days(&name, &view.data, files()),
            buckets: buckets(data, &name, &view, files()),
            errors: errors(&view, query.health),
            models: models(data, &view, query.health),
            ttft: speed_charts::ttft(data, scope, files()),
            throughput: speed_charts::throughput(data, scope, files()),
            downloads: files(),
            charts: query.view == View::Both,
            finding,
        };
        Ok(page.render()?)
    }
}

fn kicker(data: &Dataset, status: &Status) -> Html {
    let why = match status.uptime {
        Ok(uptime) => format!(
            "{}\u{a0}% of {} counted attempts in the 30 minutes to {}",
            format::uptime(uptime),
            format::tally(status.counts.tally(status.counts.counted()).unwrap_or_default()),
            format::clock(data.buckets_end)
        ),
        Err(Untold::NotEnough(why)) => {
            format!("{} in the 30 minutes to {}", cells::reason(&why), format::clock(data.buckets_end))
        }
        Err(why) => cells::why(&why),
    };
    let zone = if matches!(status.uptime, Err(Untold::NotYet(_))) { "" } else { " UTC" };
    Html::markup(format!("{} {}{zone}", cells::state_with(status.state, ":"), Html::text(&why)))
}

fn finding(name: &str, status: &Status, bars: &[DayRow]) -> String {
    match (status.state, status.uptime) {
        (State::Operational, Ok(uptime)) => {
            format!(
                "{name} answers {}\u{a0}% of attempts; {}",
                format::uptime(uptime),
                lower(&health_view::strip_title(bars))
            )
        }
        (_, Ok(uptime)) => {
            let line = if status.state == State::Down { 80 } else { 95 };
            format!(
                "{name} answers {}\u{a0}% of attempts, below the {line}\u{a0}% line",
                format::uptime(uptime)
            )
        }
        (_, Err(Untold::NotYet(_))) => format!("The state of {name} is not published yet"),
        (_, Err(_)) => format!(
            "{name} has too little traffic now for a state; {}",
            lower(&health_view::strip_title(bars))
        ),
    }
}

fn lower(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

fn deck(data: &Dataset, provider: ProviderId, status: &Status) -> Html {
    let scope = Scope::provider(provider);
    let mut out = String::new();
    if status.uptime.is_ok() && status.counts.detail.is_exact() {
        out.push_str(&format!(
            "{} of {} counted attempts ended well in the 30 minutes to {} UTC. ",
            format::count(status.counts.success()),
            format::count(status.counts.counted()),
            cells::clock(data.buckets_end)
        ));
    }
    let quarter = data.health(scope, Span::Days90);
    if let Ok(uptime) = quarter.uptime(&data.thresholds) {
        out.push_str(&format!(
            "Over 90 days: <b>{}\u{a0}%</b> of {} attempts. ",
            format::uptime(uptime),
            format::compact_tally(quarter.tally(quarter.counted()).unwrap_or_default())
        ));
    }
    let window = data.trailing(7);
    let all = data.total(window, Filter::All).tokens();
    let own = data.total(window, Filter::Provider(provider)).tokens();
    if let Some(why) = data.usage_withheld(window, GroupBy::Provider, Group::Provider(provider)) {
        out.push_str(&ranked::withheld(&why));
    } else if all > 0 {
        out.push_str(&format!(
            "It carries {} of all tokens (7 d).",
            format::percent_sign(own as f64 / all as f64, 1)
        ));
    }
    Html::markup(out)
}

fn facts(data: &Dataset, scope: Scope, provider: ProviderId) -> Vec<Fact> {
    let mut out = Vec::new();
    for (span, name) in
        [(Span::Hours24, "Uptime, 24 h"), (Span::Days7, "Uptime, 7 d"), (Span::Days28, "Uptime, 28 d")]
    {
        let counts = data.health(scope, span);
        out.push(match counts.uptime(&data.thresholds) {
            Ok(uptime) => Fact::new(
                name,
                format!("{}\u{a0}%", format::uptime(uptime)),
                "",
                &format!(
                    "of {} counted attempts",
                    format::compact_tally(counts.tally(counts.counted()).unwrap_or_default())
                ),
            ),
            Err(why) => Fact::new(name, "–", "", &cells::why(&why)),
        });
    }
    if let Some(rate) = data.period(scope, Span::Days7).rate_limit_rate {
        out.push(Fact::new(
            "429 rate, 7 d",
            format::percent_sign(rate, 1),
            "",
            "of all attempts, outside uptime",
        ));
    }
    out.push(match data.speed(scope, Span::Days7, Speed::Ttft) {
        Ok(ttft) => Fact::new(
            "TTFT p50, 7 d",
            format::decimal(ttft.p50, 0),
            "ms",
            &format!("p90 {} ms, streamed", format::decimal(ttft.p90, 0)),
        ),
        Err(why) => Fact::new("TTFT p50, 7 d", "–", "", &cells::why(&why)),
    });
    let usage = data.total(data.trailing(7), Filter::Provider(provider));
    out.push(match usage.price_per_million() {
        Some(price) => {
            Fact::new("Effective price, 7 d", format::price(price), "USD", "per 1M tokens, all models")
        }
        None => Fact::new("Effective price, 7 d", "–", "", "no priced traffic that may be shown"),
    });
    out
}

fn days(name: &str, bars: &[DayRow], downloads: Downloads) -> Figure {
    let cells = health_view::day_cells(bars);
    let classes: Vec<_> = cells.iter().map(|cell| cell.class).collect();
    let desc = format!("Oldest day first. {}.", health_view::classes_sentence(&classes, "days"));
    let title = format!("Daily uptime of {name}, {} days", bars.len());
    let caption = Caption { id: "days", title: &title, desc: &desc };
    let rows = bars
        .iter()
        .rev()
        .map(|bar| {
            Row::new(vec![
                Cell::head(cells::date(bar.date)),
                cells::figure(&bar.uptime.0, format::uptime).into(),
                cells::tally(bar.counted_attempts).into(),
                cells::tally(bar.fault).into(),
                cells::tally(bar.rate_limited).into(),
            ])
        })
        .collect();
    Figure {
        id: "days-figure".to_owned(),
        title: health_view::strip_title(bars),
        note: Html::text(
            "Uptime per UTC day, % of counted attempts. Blue is what worked; the bite from the top is what did not, by class",
        ),
        svg: Html::markup(days_strip(&caption, &cells)),
        table: Table {
            label: "Uptime by day".to_owned(),
            note: Html::text("All days, newest first"),
            class: "dense",
            columns: vec![
                Column::new("Day", "nw"),
                Column::number("Uptime", "%"),
                Column::number("Attempts", "counted"),
                Column::number("Faults", ""),
                Column::number("429", "outside uptime").optional(),
            ],
            rows,
            ..Table::default()
        },
        downloads,
        key: true,
        missing: Html::default(),
    }
}

fn buckets(data: &Dataset, name: &str, view: &Provider, downloads: Downloads) -> Figure {
    let strip = health_view::day_strip(&view.strip_24h, &view.hours);
    let cells = strip.cells();
    let classes: Vec<_> = cells.iter().map(|cell| cell.class).collect();
    let sentence = health_view::classes_sentence(&classes, strip.unit());
    let title = format!("Uptime of {name} in {}, 24 hours", strip.unit());
    let caption = Caption { id: "buckets", title: &title, desc: &sentence };
    // Whole hours: 288 rows would say nothing that the drawing and the file do not.
    let rows = view
        .hours
        .iter()
        .rev()
        .map(|hour| {
            Row::new(vec![
                Cell::head(cells::clock(hour.at)),
                cells::figure(&hour.uptime.0, format::uptime).into(),
                cells::tally(hour.counted_attempts).into(),
                cells::tally(hour.fault).into(),
            ])
        })
        .collect();
    Figure {
        id: "buckets-figure".to_owned(),
        title: health_view::below_sentence(&classes, strip.unit()),
        note: Html::markup(format!(
            "Uptime per {} minutes, %, 24 h to {} UTC; a cell needs {} counted attempts{}",
            strip.minutes,
            cells::instant(strip.ends_at().unwrap_or(data.buckets_end)),
            data.thresholds.counted_attempts,
            if strip.minutes > 5 { ", which shorter ones seldom have" } else { "" }
        )),
        svg: Html::markup(minutes_strip(&caption, &cells)),
        table: Table {
            label: "Uptime by hour".to_owned(),
            note: Html::text("Twelve buckets each, newest first; time of the first bucket, UTC"),
            class: "dense",
            columns: vec![
                Column::new("From", "nw"),
                Column::number("Uptime", "%"),
                Column::number("Attempts", "counted"),
                Column::number("Faults", ""),
            ],
            rows,
            ..Table::default()
        },
        downloads,
        key: false,
        missing: Html::default(),
    }
}

fn errors(view: &Provider, span: Span) -> Table {
    // Of what is told in bands, a class without a band may still have failed.
    let is_exact = view.now.counts.detail.is_exact();
    let mut mix: Vec<&ErrorRow> = view.errors.iter().filter(|row| row.n > 0 || row.usual_n > 0).collect();
    mix.sort_by(|a, b| b.n.cmp(&a.n).then(b.usual_n.cmp(&a.usual_n)));
    let span_name = controls::span_name(span);
    let attempts = view.now.counts.tally(view.now.counts.attempts);
    let title = match mix.iter().find(|row| row.counts_for_uptime.0 && row.n > 0) {
        None if attempts.is_none() => format!("Errors in {span_name} are not published yet"),
        None if is_exact => format!("No fault in {span_name}"),
        None => format!("No class of faults reaches 100 in {span_name}"),
        Some(row) => {
            let share = row.share_of_attempts;
            let share = share.map(|share| format!(", {} of attempts", format::percent_sign(share, 2)));
            format!("Most faults: {}{}", row.label.to_lowercase(), share.unwrap_or_default())
        }
    };
    Table {
        title,
        note: Html::text(&format!(
            "Share of attempts, %, {span_name}; n = {}",
            attempts.map_or_else(|| "unknown".to_owned(), format::tally)
        )),
        label: "Error mix".to_owned(),
        class: "dense",
        columns: vec![
            Column::new("Class", ""),
            Column::number("Now", "%"),
            Column::silent("Bar", "g"),
            Column::number("Usual", "28 d, %").optional(),
            Column::number("Attempts", "n"),
            Column::new("Counts as", "").optional(),
        ],
        rows: error_rows(view, &mix),
        empty: match is_exact {
            _ if attempts.is_none() => "Not published yet.".to_owned(),
            true => "No attempt failed in this window.".to_owned(),
            false => "Under 100 attempts of any class failed in this window.".to_owned(),
        },
    }
}

fn error_rows(view: &Provider, mix: &[&ErrorRow]) -> Vec<Row> {
    let largest = mix.first().map_or(0, |row| row.n);
    // Classes that hardly ever occur would fill half a page with zeroes: they share a row.
    let (shown, rare): (Vec<&ErrorRow>, Vec<&ErrorRow>) =
        mix.iter().partition(|row| row.n > 0 || row.usual_share >= Some(RARE));
    let line = |name: &str, now: (u64, Option<f64>), before: Option<f64>, is_fault: bool| {
        let (n, share) = now;
        let part = if largest > 0 { n as f64 / largest as f64 } else { 0.0 };
        Row::new(vec![
            Cell::head(Html::text(name)),
            cells::optional(share.map(|share| format::percent(share, 2))).into(),
            Html::markup(bar(part, if is_fault { "" } else { "rest" })).into(),
            cells::optional(before.map(|share| format::percent(share, 2))).into(),
            cells::tally(view.now.counts.tally(n)).into(),
            if is_fault { "fault" } else { OUTSIDE }.into(),
        ])
    };
    let one = |row: &ErrorRow| {
        line(row.label, (row.n, row.share_of_attempts), row.usual_share, row.counts_for_uptime.0)
    };
    let mut rows: Vec<Row> = shown.iter().map(|row| one(row)).collect();
    for is_fault in [true, false] {
        let rare: Vec<&&ErrorRow> = rare.iter().filter(|row| row.counts_for_uptime.0 == is_fault).collect();
        let before = view.usual.share(rare.iter().map(|row| row.usual_n).sum());
        let nothing = (0, view.now.share(0));
        match rare.as_slice() {
            [] => {}
            [row] => rows.push(line(row.label, nothing, before, is_fault)),
            _ => {
                let n = format::capitalised(&format::in_words(rare.len()));
                let name = format!("{n} rarer classes");
                rows.push(line(&name, nothing, before, is_fault).class("others"));
            }
        }
    }
    rows
}

const OUTSIDE: &str = "outside uptime";
/// Usual share of attempts below which a class without an error now has no row of its own.
const RARE: f64 = 0.000_5;

fn models(data: &Dataset, view: &Provider, span: Span) -> Table {
    let count = |wanted: &[State]| view.models.iter().filter(|row| wanted.contains(&row.state)).count();
    let (below, unknown) = (count(&[State::Degraded, State::Down]), count(&[State::NoData]));
    let rows: Vec<Row> = view
        .models
        .iter()
        .map(|row| {
            Row::new(vec![
                Cell::head(ranked::name(data, Group::Model(row.id))),
                cells::state(row.state).into(),
                cells::figure(&row.uptime_in_window.0, format::uptime).into(),
                cells::figure(&row.uptime_7d.0, format::uptime).into(),
                cells::tally(row.attempts_7d).into(),
                health_view::row_bars(&row.bars).into(),
            ])
        })
        .collect();
    let title = models_title(below, rows.len() - below - unknown, unknown);
    Table {
        title,
        note: Html::text(&format!(
            "Attempts over 7 days; state from 30 min, uptime over {}; bars: 30 days",
            controls::span_name(span)
        )),
        label: "Uptime by model".to_owned(),
        class: "dense health half",
        columns: vec![
            Column::new("Model", ""),
            Column::new("State", ""),
            Column::number("Uptime", &format!("{}, %", controls::span_name(span))),
            Column::number("Uptime", "7 d, %").optional(),
            Column::number("Attempts", "7 d").optional(),
            Column::new("30 days", "hist"),
        ],
        rows,
        empty: "No attempt in 7 days.".to_owned(),
    }
}

/// `One model below 95 % now, two at 95 % or more, ten without enough data`: a model that cannot be judged is not
/// one that is well.
fn models_title(below: usize, fine: usize, unknown: usize) -> String {
    let parts: Vec<(usize, &str)> =
        [(below, "below 95\u{a0}% now"), (fine, "at 95\u{a0}% or more"), (unknown, "without enough data")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .collect();
    let Some(((n, what), rest)) = parts.split_first() else { return "No model in 7 days".to_owned() };
    let models = if *n == 1 { "model" } else { "models" };
    let rest: String = rest.iter().map(|(n, what)| format!(", {} {what}", format::in_words(*n))).collect();
    format!("{} {models} {what}{rest}", format::capitalised(&format::in_words(*n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_without_enough_data_are_not_counted_as_well() {
        assert_eq!(models_title(1, 0, 10), "One model below 95\u{a0}% now, ten without enough data");
        assert_eq!(models_title(0, 3, 0), "Three models at 95\u{a0}% or more");
        assert_eq!(models_title(2, 1, 0), "Two models below 95\u{a0}% now, one at 95\u{a0}% or more");
        assert_eq!(models_title(0, 0, 0), "No model in 7 days");
    }
}
