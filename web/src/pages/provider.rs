//! One provider: its state with the number that made it so, 90 days, 24 hours, errors, speed, models.

use super::PROVIDERS;
use crate::files;
use crate::place::{self, Address, Found, PageContext, PageError, Place, Section};
use crate::url::{Param, View};
use askama::Template;

use super::controls;
use super::health_view;
use super::parts::{Cell, Column, Downloads, Figure, Html, Picker, Row, Table, cells};
use super::ranked;
use super::rankings::Fact;
use super::shell::{Shell, crumbs};
use super::speed_charts;
use crate::charts::{Caption, bar, days_strip, minutes_strip};
use crate::data::{
    Bar, Dataset, Filter, Group, GroupBy, HealthBy, ProviderId, Scope, Span, Speed, State, Status,
};
use crate::format;

const PARAMS: &[Param] = &[Param::Window, Param::View];

pub static PROVIDER: Place = Place {
    path: "/providers/{provider}",
    api: Some("/api/v1/providers/{provider}"),
    title: "One provider",
    section: Section::Providers,
    find: |address, data| {
        let known = data.spelled_provider(address.name(0));
        Found::by_name(address, known)
    },
    page: Some(place::Page::new(PARAMS, |ctx, data| render(ctx, data, ctx.page.name(0)))),
    file: Some(place::File::new("days of a provider, and its models", PARAMS, |ctx, data, format| {
        files::provider(ctx, data, format, ctx.page.name(0))
    })),
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

/// # Errors
/// When there is no such provider, or the template cannot be rendered.
pub fn render(ctx: &PageContext, data: &Dataset, id: &str) -> Result<String, PageError> {
    let provider = data.dictionary.find_provider(id).ok_or_else(|| PageError::NotFound(id.to_owned()))?;
    let scope = Scope::provider(provider);
    let name = data.provider_name(provider).to_owned();
    let status = data.status(scope);
    let bars = data.bars(scope, 90);
    let finding = finding(&name, &status, &bars);
    let files = || controls::downloads(ctx);
    let page = Page {
        shell: Shell::new(ctx, Some(data), &name, &finding),
        crumbs: crumbs(&[("Providers", Some(PROVIDERS.here().path())), (&name, None)]),
        kicker: kicker(data, &status),
        deck: deck(data, provider, &status),
        pickers: controls::pickers(ctx),
        live: controls::live_note(data),
        facts: facts(data, scope, provider),
        days: days(&name, &bars, files()),
        buckets: buckets(data, &name, provider, files()),
        errors: errors(data, scope, ctx.state.health),
        models: models(data, provider, ctx.state.health),
        ttft: speed_charts::ttft(data, scope, files()),
        throughput: speed_charts::throughput(data, scope, files()),
        downloads: files(),
        charts: ctx.state.view == View::Both,
        finding,
    };
    Ok(page.render()?)
}

fn kicker(data: &Dataset, status: &Status) -> Html {
    let why = match status.uptime {
        Ok(uptime) => format!(
            "{}\u{a0}% of {} counted attempts in the 30 minutes to {}",
            format::uptime(uptime),
            format::tally(status.counts.tally(status.counts.counted())),
            format::clock(data.buckets_end)
        ),
        Err(why) => {
            format!("{} in the 30 minutes to {}", cells::reason(&why), format::clock(data.buckets_end))
        }
    };
    Html::markup(format!("{} {} UTC", cells::state_with(status.state, ":"), Html::text(&why)))
}

fn finding(name: &str, status: &Status, bars: &[Bar]) -> String {
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
            format::compact_tally(quarter.tally(quarter.counted()))
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
                &format!("of {} counted attempts", format::compact_tally(counts.tally(counts.counted()))),
            ),
            Err(why) => Fact::new(name, "–", "", &format!("not enough data ({})", cells::reason(&why))),
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
        Err(why) => {
            Fact::new("TTFT p50, 7 d", "–", "", &format!("not enough data ({})", cells::reason(&why)))
        }
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

fn days(name: &str, bars: &[Bar], downloads: Downloads) -> Figure {
    let cells = health_view::day_cells(bars);
    let classes: Vec<_> = cells.iter().map(|cell| cell.class).collect();
    let desc = format!("Oldest day first. {}.", health_view::classes_sentence(&classes, "days"));
    let title = format!("Daily uptime of {name}, {} days", bars.len());
    let caption = Caption { id: "days", title: &title, desc: &desc };
    let rows = bars
        .iter()
        .rev()
        .map(|bar| {
            let tally = |n: u64| format::tally(bar.counts.tally(n));
            Row::new(vec![
                Cell::head(cells::date(bar.date)),
                cells::figure(&bar.uptime, format::uptime).into(),
                tally(bar.counts.counted()).into(),
                tally(bar.counts.fault).into(),
                tally(bar.counts.rate_limited).into(),
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

fn buckets(data: &Dataset, name: &str, provider: ProviderId, downloads: Downloads) -> Figure {
    let hours = data.hours(provider);
    let strip = health_view::day_strip(&data.strip(provider), &hours);
    let cells = strip.cells();
    let classes: Vec<_> = cells.iter().map(|cell| cell.class).collect();
    let sentence = health_view::classes_sentence(&classes, strip.unit());
    let title = format!("Uptime of {name} in {}, 24 hours", strip.unit());
    let caption = Caption { id: "buckets", title: &title, desc: &sentence };
    // Whole hours: 288 rows would say nothing that the drawing and the file do not.
    let rows = hours
        .iter()
        .rev()
        .map(|hour| {
            Row::new(vec![
                Cell::head(cells::clock(hour.at)),
                cells::figure(&hour.uptime, format::uptime).into(),
                format::tally(hour.counts.tally(hour.counts.counted())).into(),
                format::tally(hour.counts.tally(hour.counts.fault)).into(),
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

fn errors(data: &Dataset, scope: Scope, span: Span) -> Table {
    let now = data.period(scope, span);
    let usual = data.period(scope, Span::Days28);
    // Of what is told in bands, a class without a band may still have failed.
    let is_exact = now.counts.detail.is_exact();
    let mut mix: Vec<_> =
        now.mix().into_iter().zip(usual.mix()).filter(|(class, usual)| class.n > 0 || usual.n > 0).collect();
    mix.sort_by(|a, b| b.0.n.cmp(&a.0.n).then(b.1.n.cmp(&a.1.n)));
    let largest = mix.first().map_or(0, |(class, _)| class.n);
    let span_name = controls::span_name(span);
    let title = match mix.iter().find(|(class, _)| class.fault && class.n > 0) {
        None if is_exact => format!("No fault in {span_name}"),
        None => format!("No class of faults reaches 100 in {span_name}"),
        Some((class, _)) => {
            let share = class.share.map(|share| format!(", {} of attempts", format::percent_sign(share, 2)));
            format!("Most faults: {}{}", class.label.to_lowercase(), share.unwrap_or_default())
        }
    };
    // Classes that hardly ever occur would fill half a page with zeroes: they share a row.
    let (shown, rare): (Vec<_>, Vec<_>) =
        mix.iter().partition(|(class, before)| class.n > 0 || before.share >= Some(RARE));
    let line = |name: &str, now_is: (u64, Option<f64>), before: Option<f64>, counts_as: &str| {
        let (n, share) = now_is;
        let part = if largest > 0 { n as f64 / largest as f64 } else { 0.0 };
        Row::new(vec![
            Cell::head(Html::text(name)),
            cells::optional(share.map(|share| format::percent(share, 2))).into(),
            Html::markup(bar(part, if counts_as == OUTSIDE { "rest" } else { "" })).into(),
            cells::optional(before.map(|share| format::percent(share, 2))).into(),
            format::tally(now.counts.tally(n)).into(),
            counts_as.into(),
        ])
    };
    let mut rows: Vec<Row> = shown
        .iter()
        .map(|(class, before)| {
            let counts_as = if class.fault { "fault" } else { OUTSIDE };
            line(class.label, (class.n, class.share), before.share, counts_as)
        })
        .collect();
    for (fault, word) in [(true, "fault"), (false, OUTSIDE)] {
        let rare: Vec<_> = rare.iter().filter(|(class, _)| class.fault == fault).collect();
        let before = usual.share(rare.iter().map(|(_, before)| before.n).sum());
        let nothing = (0, now.share(0));
        match rare.as_slice() {
            [] => {}
            [(class, _)] => rows.push(line(class.label, nothing, before, word)),
            _ => {
                let n = format::capitalised(&format::in_words(rare.len()));
                rows.push(line(&format!("{n} rarer classes"), nothing, before, word).class("others"));
            }
        }
    }
    Table {
        title,
        note: Html::text(&format!(
            "Share of attempts, %, {span_name}; n = {}",
            format::tally(now.counts.tally(now.counts.attempts))
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
        rows,
        empty: match is_exact {
            true => "No attempt failed in this window.".to_owned(),
            false => "Under 100 attempts of any class failed in this window.".to_owned(),
        },
    }
}

const OUTSIDE: &str = "outside uptime";
/// Usual share of attempts below which a class without an error now has no row of its own.
const RARE: f64 = 0.000_5;

fn models(data: &Dataset, provider: ProviderId, span: Span) -> Table {
    let scope = Scope::provider(provider);
    let by = |span| data.health_by(HealthBy::Model, scope, span);
    let (now, week) = (by(Span::Minutes30), by(Span::Days7));
    let bars = data.bars_by(HealthBy::Model, scope, 30);
    let mut groups: Vec<_> = week.keys().chain(now.keys()).copied().collect();
    groups.sort();
    groups.dedup();
    // By size as it is told, so that the order tells no more.
    let name = |group: &Scope| group.model.map(|model| data.key(Group::Model(model)));
    let size = |group: &Scope| week.get(group).map_or(0, |counts| counts.attempts);
    groups.sort_by_cached_key(|group| (std::cmp::Reverse(size(group)), name(group)));
    let (mut below, mut unknown) = (0, 0);
    let rows: Vec<Row> = groups
        .iter()
        .filter_map(|group| {
            let model = Group::Model(group.model?);
            let pair = Scope { provider: scope.provider, ..*group };
            let status = data.status(pair);
            let week = data.health(pair, Span::Days7);
            let uptime = |counts: crate::data::Counts| counts.uptime(&data.thresholds);
            if matches!(status.state, State::Degraded | State::Down) {
                below += 1;
            }
            unknown += usize::from(status.state == State::NoData);
            let strip = bars.get(group).map(|bars| health_view::row_bars(bars)).unwrap_or_default();
            Some(Row::new(vec![
                Cell::head(ranked::name(data, model)),
                cells::state(status.state).into(),
                cells::figure(&uptime(data.health(pair, span)), format::uptime).into(),
                cells::figure(&uptime(week), format::uptime).into(),
                format::tally(week.tally(week.attempts)).into(),
                strip.into(),
            ]))
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

/// Models and tokens of each provider over 7 days, where they may be told; used by the directory.
pub fn usage(data: &Dataset) -> Vec<(ProviderId, u64, usize)> {
    let window = data.trailing(7);
    data.totals(window, GroupBy::Provider, Filter::All)
        .into_iter()
        .filter_map(|(group, totals)| match group {
            Group::Provider(id) if id.is_named() => {
                let models = data.totals(window, GroupBy::Model, Filter::Provider(id));
                Some((id, totals.tokens(), models.iter().filter(|(group, _)| group.is_named()).count()))
            }
            _ => None,
        })
        .collect()
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
