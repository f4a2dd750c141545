//! Routed against pinned: what fallback adds, model by model.

use askama::Template;

use super::context::{PageContext, PageError};
use super::controls;
use super::parts::{Cell, Column, Downloads, Html, Row, Table, cells};
use super::ranked;
use super::shell::{Section, Shell};
use crate::data::{Boost, Dataset, Detail, Figure, Group, ModelId, Routing, Routings, Scope};
use crate::format;
use crate::url::{Sort, SortKey};

#[derive(Template)]
#[template(path = "uptime.html")]
struct Page {
    shell: Shell,
    finding: String,
    deck: Html,
    totals: Table,
    table: Table,
    downloads: Downloads,
}

/// All models together over some days.
struct Overall {
    days: u64,
    boost: Figure<Boost>,
    with_limits: Figure<Boost>,
    attempts: Option<f64>,
}

impl Overall {
    fn of(data: &Dataset, days: u64) -> Self {
        let counts = data.routing_counts(None, days);
        Self {
            days,
            boost: data.boost(counts.requests, counts.routed_ok, counts.first_ok),
            with_limits: data.boost(
                counts.requests_with_rate_limits,
                counts.routed_ok_with_rate_limits,
                counts.first_ok_with_rate_limits,
            ),
            attempts: counts.attempts_per_request(),
        }
    }
}

/// # Errors
/// When the template cannot be rendered.
pub fn render(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    let overall: Vec<Overall> = [1, 7, 28].into_iter().map(|days| Overall::of(data, days)).collect();
    let routings = [1, 7, 28].map(|days| data.routings(days));
    let mut rows: Vec<(Group, [Routing; 3])> = data
        .routing_by_model(28)
        .into_iter()
        .map(|(model, _)| {
            let detail = data.detail(Scope::model(model));
            let of = |routings: &Routings<'_>| {
                let routing = routings.of(model);
                Routing { boost: detail.boost(routing.boost), ..routing }
            };
            (Group::Model(model), routings.each_ref().map(of))
        })
        .collect();
    let sort = ctx.state.sort.unwrap_or(Sort { key: SortKey::Requests, descending: true });
    sort_rows(data, &mut rows, sort);
    let finding = finding(&overall, &rows);
    let deck = "Routed counts requests that ended well after fallback; without routing, the same requests by their first attempt alone. Both over complete UTC days.";
    let page = Page {
        shell: Shell::new(ctx, Some(data), Section::Uptime, "Routed against pinned", &finding),
        deck: Html::text(deck),
        totals: totals(&overall),
        table: table(ctx, data, &rows, sort),
        downloads: controls::downloads(ctx),
        finding,
    };
    Ok(page.render()?)
}

fn finding(overall: &[Overall], rows: &[(Group, [Routing; 3])]) -> String {
    let week = overall.iter().find(|row| row.days == 7).and_then(|row| row.boost.as_ref().ok());
    let Some(week) = week else {
        return "Not enough requests to tell what routing adds".to_owned();
    };
    let lifted =
        rows.iter().filter(|(_, [_, week, _])| week.boost.is_ok_and(|boost| boost.boost >= 1.0)).count();
    let tail = match lifted {
        0 => String::new(),
        1 => "; one model gains a point or more".to_owned(),
        n => format!("; {} models gain a point or more", format::in_words(n)),
    };
    format!(
        "Fallback lifts the share of good answers from {}\u{a0}% to {}\u{a0}%{tail}",
        format::uptime(week.without_routing),
        format::uptime(week.routed)
    )
}

fn lift(boost: &Figure<Boost>) -> Html {
    match boost {
        Ok(boost) => cells::points(boost.boost, 2),
        Err(why) => cells::not_enough(why),
    }
}

fn part(boost: &Figure<Boost>, value: fn(&Boost) -> f64) -> Html {
    cells::figure(&boost.as_ref().map(value).map_err(|why| *why), format::uptime)
}

fn totals(overall: &[Overall]) -> Table {
    let mut rows = Vec::new();
    for Overall { days, boost, with_limits, attempts } in overall {
        for (limits, boost) in [(false, boost), (true, with_limits)] {
            let head = if limits { "with rate limits".to_owned() } else { format!("{days}\u{a0}d") };
            rows.push(
                Row::new(vec![
                    Cell::head(Html::text(&head)),
                    part(boost, |boost| boost.routed).into(),
                    part(boost, |boost| boost.without_routing).into(),
                    lift(boost).into(),
                    if limits {
                        "".into()
                    } else {
                        cells::optional(attempts.map(|value| format::decimal(value, 2))).into()
                    },
                    match boost {
                        Ok(boost) => format::count(boost.n).into(),
                        Err(why) => cells::optional(why.n.map(format::count)).into(),
                    },
                ])
                .class(if limits { "sub" } else { "" }),
            );
        }
    }
    Table {
        label: "All models together".to_owned(),
        note: Html::text("The second line of each window also counts a first answer of 429, as a failure"),
        class: "narrow",
        columns: vec![
            Column::new("Window", "nw"),
            Column::number("Routed", "%").defined("routed", "Routed"),
            Column::number("Without routing", "%"),
            Column::number("Boost", "pp").defined("boost", "Boost"),
            Column::number("Attempts", "per request").optional(),
            Column::number("Requests", "n").optional(),
        ],
        rows,
        ..Table::default()
    }
}

fn sort_rows(data: &Dataset, rows: &mut [(Group, [Routing; 3])], sort: Sort) {
    let boost = |row: &(Group, [Routing; 3])| row.1[1].boost.ok().map(|boost| boost.boost);
    let uptime = |row: &(Group, [Routing; 3])| row.1[1].boost.ok().map(|boost| boost.routed);
    match sort.key {
        SortKey::Name => rows.sort_by_key(|row| ranked::label(data, row.0).to_lowercase()),
        SortKey::Boost | SortKey::Uptime => {
            let value = |row: &(Group, [Routing; 3])| {
                if sort.key == SortKey::Boost { boost(row) } else { uptime(row) }
            };
            // Rows without enough requests come last in either direction.
            rows.sort_by(|a, b| match (value(a), value(b)) {
                (Some(a), Some(b)) if sort.descending => b.total_cmp(&a),
                (Some(a), Some(b)) => a.total_cmp(&b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            });
            return;
        }
        // They come so.
        _ => {}
    }
    let ascending_default = sort.key != SortKey::Name;
    if sort.descending != ascending_default {
        rows.reverse();
    }
}

fn model_of(group: Group) -> Option<ModelId> {
    match group {
        Group::Model(model) => Some(model),
        _ => None,
    }
}

fn table(ctx: &PageContext, data: &Dataset, rows: &[(Group, [Routing; 3])], sort: Sort) -> Table {
    let head = |key: SortKey, name: &str, unit: &str, class: &'static str| Column {
        head: Html::link(&controls::sorted(ctx, key), name),
        unit: unit.to_owned(),
        class,
        sorted: (sort.key == key).then_some(if sort.descending { "descending" } else { "ascending" }),
    };
    let detail_of =
        |group: Group| model_of(group).map_or(Detail::Banded, |model| data.detail(Scope::model(model)));
    let table_rows = rows
        .iter()
        .map(|(group, [day, week, month])| {
            let detail = detail_of(*group);
            let pinned = week.best_pinned.map(|best| {
                let pair = Scope { provider: Some(best.provider), model: model_of(*group) };
                (best.provider, data.detail(pair).percent(best.uptime))
            });
            let best = pinned.map_or_else(cells::unknown, |(provider, uptime)| {
                Html::markup(format!(
                    "{} <span class=\"by\">{}</span>",
                    format::uptime(uptime),
                    Html::text(data.provider_name(provider))
                ))
            });
            let over_best = match (week.boost, pinned) {
                (Ok(boost), Some((_, uptime))) => cells::points(boost.routed - uptime, 2),
                _ => cells::unknown(),
            };
            let attempts = detail.rough(week.counts.attempts_per_request());
            let attempts = cells::optional(attempts.map(|value| format::decimal(value, 2)));
            let requests = format::tally(detail.count(month.counts.all_requests));
            Row {
                cells: vec![
                    Cell::head(ranked::name(data, *group)),
                    part(&week.boost, |boost| boost.routed).into(),
                    part(&week.boost, |boost| boost.without_routing).into(),
                    best.clone().into(),
                    over_best.clone().into(),
                    lift(&day.boost).into(),
                    lift(&week.boost).into(),
                    lift(&month.boost).into(),
                    attempts.clone().into(),
                    requests.clone().into(),
                ],
                more: vec![
                    ("Best pinned, 7 d, %".to_owned(), best),
                    ("Routed over best pinned, pp".to_owned(), over_best),
                    ("Boost 1 d, pp".to_owned(), lift(&day.boost)),
                    ("Boost 28 d, pp".to_owned(), lift(&month.boost)),
                    ("Attempts per request".to_owned(), attempts),
                    ("Requests, 28 d".to_owned(), Html::text(&requests)),
                ],
                ..Row::default()
            }
        })
        .collect();
    Table {
        label: "Routed and pinned by model".to_owned(),
        class: "dense",
        columns: vec![
            head(SortKey::Name, "Model", "", "nm"),
            head(SortKey::Uptime, "Routed", "7 d, %", "num"),
            Column::number("Without", "7 d, %"),
            Column::number("Best pinned", "7 d, %").optional(),
            Column::number("Over best pinned", "pp").optional(),
            Column::number("Boost", "1 d, pp").optional(),
            head(SortKey::Boost, "Boost", "7 d, pp", "num"),
            Column::number("Boost", "28 d, pp").optional(),
            Column::number("Attempts", "per request").optional(),
            head(SortKey::Requests, "Requests", "28 d", "num opt"),
        ],
        rows: table_rows,
        empty: "No routed request in 28 days.".to_owned(),
        ..Table::default()
    }
}
