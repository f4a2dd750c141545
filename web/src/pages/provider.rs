//! One provider: its state with the number that made it so, 90 days, 24 hours, errors, speed, models.

use askama::Template;

use super::context::{PageContext, PageError};
use super::controls;
use super::health_view;
use super::parts::{Cell, Column, Downloads, Figure, Html, Picker, Row, Table, cells};
use super::ranked;
use super::rankings::Fact;
use super::shell::{Section, Shell, crumbs};
use super::speed_charts;
use crate::charts::{Caption, bar, days_strip, minutes_strip};
use crate::data::{
    Bar, Counts, Dataset, Detail, Filter, Group, GroupBy, HealthBy, ProviderId, Scope, Span, Speed, State,
    Status,
};
use crate::format;
use crate::url::{Page as Address, View};

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
    let detail = data.detail(scope);
    let status = data.status(scope);
    let status = Status { uptime: detail.uptime(status.uptime), ..status };
    let bars = data.bars(scope, 90);
    let finding = finding(&name, &status, &bars);
    let files = || controls::downloads(ctx);
    let page = Page {
        shell: Shell::new(ctx, Some(data), Section::Providers, &name, &finding),
        crumbs: crumbs(&[("Providers", Some(Address::Providers.path())), (&name, None)]),
        kicker: kicker(data, detail, &status),
        deck: deck(data, detail, provider, &status),
        pickers: controls::pickers(ctx),
        live: controls::live_note(data),
        facts: facts(data, detail, scope, provider),
        days: days(detail, &name, &bars, files()),
        buckets: buckets(data, detail, &name, scope, files()),
        errors: errors(data, detail, scope, ctx.state.health),
        models: models(data, scope, ctx.state.health),
        ttft: speed_charts::ttft(data, scope, files()),
        throughput: speed_charts::throughput(data, scope, files()),
        downloads: files(),
        charts: ctx.state.view == View::Both,
        finding,
    };
    Ok(page.render()?)
}

fn kicker(data: &Dataset, detail: Detail, status: &Status) -> Html {
    let why = match status.uptime {
        Ok(uptime) => format!(
            "{}\u{a0}% of {} counted attempts in the 30 minutes to {}",
            format::uptime(uptime),
            format::tally(detail.count(status.counts.counted())),
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

fn deck(data: &Dataset, detail: Detail, provider: ProviderId, status: &Status) -> Html {
    let scope = Scope::provider(provider);
    let mut out = String::new();
    if status.uptime.is_ok() && detail.is_exact() {
        out.push_str(&format!(
            "{} of {} counted attempts ended well in the 30 minutes to {} UTC. ",
            format::count(status.counts.success()),
            format::count(status.counts.counted()),
            cells::clock(data.buckets_end)
        ));
    }
    let quarter = data.health(scope, Span::Days90);
    if let Ok(uptime) = detail.uptime(quarter.uptime(&data.thresholds)) {
        out.push_str(&format!(
            "Over 90 days: <b>{}\u{a0}%</b> of {} attempts. ",
            format::uptime(uptime),
            format::compact_tally(detail.count(quarter.counted()))
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

fn facts(data: &Dataset, detail: Detail, scope: Scope, provider: ProviderId) -> Vec<Fact> {
    let mut out = Vec::new();
    for (span, name) in
        [(Span::Hours24, "Uptime, 24 h"), (Span::Days7, "Uptime, 7 d"), (Span::Days28, "Uptime, 28 d")]
    {
        let counts = data.health(scope, span);
        out.push(match detail.uptime(counts.uptime(&data.thresholds)) {
            Ok(uptime) => Fact::new(
                name,
                format!("{}\u{a0}%", format::uptime(uptime)),
                "",
                &format!("of {} counted attempts", format::compact_tally(detail.count(counts.counted()))),
            ),
            Err(why) => Fact::new(name, "–", "", &format!("not enough data ({})", cells::reason(&why))),
        });
    }
    let week = data.health(scope, Span::Days7);
    if let Some(rate) = detail.rate(week.rate_limit_rate()) {
        out.push(Fact::new(
            "429 rate, 7 d",
            format::percent_sign(rate, 1),
            "",
            "of all attempts, outside uptime",
        ));
    }
    out.push(match detail.quantiles(data.speed(scope, Span::Days7, Speed::Ttft)) {
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

fn days(detail: Detail, name: &str, bars: &[Bar], downloads: Downloads) -> Figure {
    let cells = health_view::day_cells(bars, detail);
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
                cells::figure(&detail.uptime(bar.uptime), format::uptime).into(),
                format::tally(detail.count(bar.counts.counted())).into(),
                format::tally(detail.count(bar.counts.fault)).into(),
                format::tally(detail.count(bar.counts.rate_limited)).into(),
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

fn buckets(data: &Dataset, detail: Detail, name: &str, scope: Scope, downloads: Downloads) -> Figure {
    let buckets = data.strip(scope);
    let strip = health_view::day_strip(&buckets, &data.thresholds);
    let cells = strip.cells(&data.thresholds);
    let classes: Vec<_> = cells.iter().map(|cell| cell.class).collect();
    let sentence = health_view::classes_sentence(&classes, strip.unit());
    let title = format!("Uptime of {name} in {}, 24 hours", strip.unit());
    let caption = Caption { id: "buckets", title: &title, desc: &sentence };
    // Whole hours: 288 rows would say nothing that the drawing and the file do not.
    let rows = buckets
        .chunks(12)
        .rev()
        .filter_map(|hour| {
            let mut sum = Counts::default();
            for cell in hour {
                sum.add(&cell.counts);
            }
            let first = hour.first()?;
            Some(Row::new(vec![
                Cell::head(cells::clock(first.at)),
                cells::figure(&detail.uptime(sum.uptime(&data.thresholds)), format::uptime).into(),
                format::tally(detail.count(sum.counted())).into(),
                format::tally(detail.count(sum.fault)).into(),
            ]))
        })
        .collect();
    Figure {
        id: "buckets-figure".to_owned(),
        title: health_view::below_sentence(&classes, strip.unit()),
        note: Html::markup(format!(
            "Uptime per {} minutes, %, 24 h to {} UTC; a cell needs {} counted attempts{}",
            strip.minutes,
            cells::instant(data.buckets_end),
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

fn errors(data: &Dataset, detail: Detail, scope: Scope, span: Span) -> Table {
    let now = data.health(scope, span);
    let usual = data.health(scope, Span::Days28);
    let rate = |n: u64, counts: &Counts| {
        detail.rate((counts.attempts > 0).then(|| n as f64 / counts.attempts as f64))
    };
    let mut mix: Vec<_> =
        now.mix().into_iter().zip(usual.mix()).filter(|(class, usual)| class.n > 0 || usual.n > 0).collect();
    mix.sort_by(|a, b| b.0.n.cmp(&a.0.n).then(b.1.n.cmp(&a.1.n)));
    let largest = mix.first().map_or(0, |(class, _)| class.n);
    let title = mix.iter().find(|(class, _)| class.fault && class.n > 0).map_or_else(
        || format!("No fault in {}", controls::span_name(span)),
        |(class, _)| {
            let share = rate(class.n, &now).unwrap_or(0.0);
            format!(
                "Most faults: {}, {} of attempts",
                class.label.to_lowercase(),
                format::percent_sign(share, 2)
            )
        },
    );
    // Classes that hardly ever occur would fill half a page with zeroes: they share a row.
    let (shown, rare): (Vec<_>, Vec<_>) =
        mix.iter().partition(|(class, before)| class.n > 0 || rate(before.n, &usual) >= Some(RARE));
    let line = |name: &str, n: u64, before: u64, counts_as: &str| {
        let part = if largest > 0 { n as f64 / largest as f64 } else { 0.0 };
        Row::new(vec![
            Cell::head(Html::text(name)),
            cells::optional(rate(n, &now).map(|rate| format::percent(rate, 2))).into(),
            Html::markup(bar(part, if counts_as == OUTSIDE { "rest" } else { "" })).into(),
            cells::optional(rate(before, &usual).map(|rate| format::percent(rate, 2))).into(),
            format::tally(detail.count(n)).into(),
            counts_as.into(),
        ])
    };
    let mut rows: Vec<Row> = shown
        .iter()
        .map(|(class, before)| {
            line(class.label, class.n, before.n, if class.fault { "fault" } else { OUTSIDE })
        })
        .collect();
    for (fault, word) in [(true, "fault"), (false, OUTSIDE)] {
        let rare: Vec<_> = rare.iter().filter(|(class, _)| class.fault == fault).collect();
        let before = rare.iter().map(|(_, before)| before.n).sum();
        match rare.as_slice() {
            [] => {}
            [(class, _)] => rows.push(line(class.label, 0, before, word)),
            _ => {
                let n = format::capitalised(&format::in_words(rare.len()));
                rows.push(line(&format!("{n} rarer classes"), 0, before, word).class("others"));
            }
        }
    }
    Table {
        title,
        note: Html::text(&format!(
            "Share of attempts, %, {}; n = {}",
            controls::span_name(span),
            format::tally(detail.count(now.attempts))
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
        empty: "No attempt failed in this window.".to_owned(),
    }
}

const OUTSIDE: &str = "outside uptime";
/// Usual share of attempts below which a class without an error now has no row of its own.
const RARE: f64 = 0.000_5;

fn models(data: &Dataset, scope: Scope, span: Span) -> Table {
    let by = |span| data.health_by(HealthBy::Model, scope, span);
    let (now, chosen, week) = (by(Span::Minutes30), by(span), by(Span::Days7));
    let bars = data.bars_by(HealthBy::Model, scope, 30);
    let mut groups: Vec<_> = week.keys().chain(now.keys()).copied().collect();
    groups.sort();
    groups.dedup();
    let attempts = |group: &Scope| week.get(group).map_or(0, |counts| counts.attempts);
    let pair = |group: &Scope| data.detail(Scope { provider: scope.provider, ..*group });
    groups.retain(|group| group.model.is_some_and(|model| model.is_named()));
    // The order tells no size that is not told.
    let name = |group: &Scope| group.model.map(|model| data.key(Group::Model(model)));
    let size = |group: &Scope| pair(group).is_exact().then(|| attempts(group));
    groups.sort_by_cached_key(|group| (std::cmp::Reverse(size(group)), name(group)));
    let get = |map: &std::collections::BTreeMap<Scope, Counts>, group: &Scope| {
        map.get(group).copied().unwrap_or_default()
    };
    let (mut below, mut unknown) = (0, 0);
    let rows: Vec<Row> = groups
        .iter()
        .filter_map(|group| {
            let model = Group::Model(group.model?);
            let detail = pair(group);
            let status = data.status_of(get(&now, group));
            if matches!(status.state, State::Degraded | State::Down) {
                below += 1;
            }
            unknown += usize::from(status.state == State::NoData);
            let strip = bars.get(group).map(|bars| health_view::row_bars(bars)).unwrap_or_default();
            Some(Row::new(vec![
                Cell::head(ranked::name(data, model)),
                cells::state(status.state).into(),
                cells::figure(&detail.uptime(get(&chosen, group).uptime(&data.thresholds)), format::uptime)
                    .into(),
                cells::figure(&detail.uptime(get(&week, group).uptime(&data.thresholds)), format::uptime)
                    .into(),
                format::tally(detail.count(attempts(group))).into(),
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
