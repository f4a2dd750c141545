//! The controls of a page as links: every state has an address of its own.

use super::parts::{Choice, Downloads, Html, Picker, cells};
use crate::data::{Dataset, LabelPeriod, Metric, Span};
use crate::format;
use crate::place::{PageContext, Place, address, empty_because};
use crate::url::{By, Format, Param, Period, Query, Resolved, Sort, SortKey, State, Variants, View, Vs};

/// One picker per parameter that the page reads.
pub fn pickers(ctx: &PageContext, query: &impl Query) -> Vec<Picker> {
    let state = query.state();
    ctx.page.params(Format::Html).iter().filter_map(|param| picker(ctx, &state, *param)).collect()
}

fn picker(ctx: &PageContext, state: &State, param: Param) -> Option<Picker> {
    let choice = |text: &str, next: State, current: bool| Choice {
        text: text.to_owned(),
        href: ctx.here_in(&next),
        current,
    };
    let base = || State { offset: 0, ..state.clone() };
    let (label, choices): (_, Vec<Choice>) = match param {
        Param::Metric => (
            "Measure",
            Metric::ALL
                .into_iter()
                .map(|metric| {
                    choice(metric.word(), State { metric, sort: None, ..base() }, metric == state.metric)
                })
                .collect(),
        ),
        Param::Period => (
            "Period",
            Period::PICKS
                .into_iter()
                .map(|period| {
                    choice(&spaced(period.word()), State { period, ..base() }, period == state.period)
                })
                .collect(),
        ),
        Param::Vs => (
            "Against",
            Vs::ALL
                .into_iter()
                .map(|vs| {
                    let word = match vs {
                        Vs::Prev => "before",
                        Vs::Year => "a year ago",
                        Vs::None => "none",
                    };
                    choice(word, State { vs, ..base() }, vs == state.vs)
                })
                .collect(),
        ),
        Param::By => (
            "By",
            By::ALL
                .into_iter()
                .map(|by| choice(by.word(), State { by, skip: 0, ..base() }, by == state.by))
                .collect(),
        ),
        Param::Variants => (
            "Variants",
            Variants::ALL
                .into_iter()
                .map(|variants| {
                    let word = if variants == Variants::Own { "own rows" } else { "folded" };
                    choice(word, State { variants, ..base() }, variants == state.variants)
                })
                .collect(),
        ),
        Param::View => (
            "View",
            View::ALL
                .into_iter()
                .map(|view| {
                    let word = if view == View::Both { "chart and table" } else { "table" };
                    choice(word, State { view, ..base() }, view == state.view)
                })
                .collect(),
        ),
        Param::LabelWindow => (
            "Window",
            [
                (None, "newest that is enough"),
                (Some(LabelPeriod::Week), "week"),
                (Some(LabelPeriod::Epoch), "28 d"),
            ]
            .into_iter()
            .map(|(labels, word)| choice(word, State { labels, ..base() }, labels == state.labels))
            .collect(),
        ),
        Param::Window => (
            "Window",
            HEALTH
                .into_iter()
                .map(|(health, word)| choice(word, State { health, ..base() }, health == state.health))
                .collect(),
        ),
        _ => return None,
    };
    Some(Picker { label, choices })
}

/// Windows of health pages with their names.
pub const HEALTH: [(Span, &str); 7] = [
    (Span::Minutes5, "5 min"),
    (Span::Minutes30, "30 min"),
    (Span::Hours6, "6 h"),
    (Span::Hours24, "24 h"),
    (Span::Days7, "7 d"),
    (Span::Days28, "28 d"),
    (Span::Days90, "90 d"),
];

/// `30 min` of a window.
pub fn span_name(span: Span) -> &'static str {
    HEALTH.into_iter().find(|(known, _)| *known == span).map_or("chosen days", |(_, name)| name)
}

fn spaced(word: &str) -> String {
    let split = word.find(|character: char| character.is_ascii_alphabetic()).unwrap_or(word.len());
    let (number, unit) = word.split_at(split);
    format!("{number}\u{a0}{unit}")
}

/// The resolved days in words, with what is special about them.
pub fn window_note(data: &Dataset, resolved: &Resolved) -> Html {
    let days = format::span(resolved.window.start, resolved.window.end);
    let mut note = format!("{days}, UTC");
    if resolved.partial {
        note.push_str("; the last day is still running");
    }
    if let Some(why) = empty_because(data, resolved) {
        note.push_str(&format!("; {why}"));
    }
    if resolved.clamped {
        let history = if data.is_filling() { "history written so far" } else { "history" };
        note.push_str(&format!("; the {history} begins on {}", format::date(data.first_date())));
    }
    Html::text(&note)
}

/// The days of live health windows.
pub fn live_note(data: &Dataset) -> Html {
    Html::markup(format!("newest complete 5 min ends {} UTC", cells::clock(data.buckets_end)))
}

/// Files of the page in this state.
pub fn downloads(ctx: &PageContext) -> Downloads {
    if !ctx.page.has_files() {
        return Downloads::default();
    }
    Downloads::new(vec![("CSV", ctx.download(Format::Csv)), ("JSON", ctx.download(Format::Json))])
}

/// Files of another page, with what it reads of this one's query.
pub fn files_of(place: &'static Place, query: &impl Query) -> Downloads {
    let page = place.here();
    Downloads::new(vec![
        ("CSV", address(&page, Format::Csv, query)),
        ("JSON", address(&page, Format::Json, query)),
    ])
}

/// Address of this page ordered by a column; a second click turns the order.
pub fn sorted(ctx: &PageContext, query: &impl Query, key: SortKey) -> String {
    let state = query.state();
    let descending = match state.sort {
        Some(sort) if sort.key == key => !sort.descending,
        _ => key != SortKey::Name,
    };
    ctx.here_in(&State { sort: Some(Sort { key, descending }), ..state })
}
