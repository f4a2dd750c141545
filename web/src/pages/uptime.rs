//! Routed against pinned: what fallback adds, model by model.

use crate::files;
use crate::place::{self, PageContext, PageError, Place, Section};
use crate::url::{Param, Sort, SortKey};
use askama::Template;

use super::controls;
use super::parts::{Cell, Column, Downloads, Html, Row, Table, cells};
use super::ranked;
use super::shell::Shell;
use crate::data::{Boost, Dataset, Figure, Group, Routing};
use crate::format;

pub static UPTIME: Place = Place {
    path: "/uptime",
    api: Some("/api/v1/uptime"),
    title: "Routed against pinned",
    section: Section::Uptime,
    navigation: Some("Routing"),
    in_sitemap: true,
    page: Some(place::Page::new(&[Param::Sort], render)),
    file: Some(place::File::new("routed against pinned by model", &[Param::Sort], files::routing)),
    ..Place::DEFAULT
};

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

/// Lengths of the windows in days.
const WINDOWS: [u64; 3] = [1, 7, 28];

/// # Errors
/// When the template cannot be rendered.
pub fn render(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    let overall = WINDOWS.map(|days| data.routing_of_all(days));
    let models = data.routed_models(28).into_iter();
    let mut rows: Vec<(Group, [Routing; 3])> =
        models.map(|model| (Group::Model(model), WINDOWS.map(|days| data.routing(model, days)))).collect();
    let sort = ctx.state.sort.unwrap_or(Sort { key: SortKey::Requests, descending: true });
    sort_rows(data, &mut rows, sort);
    let finding = finding(&overall, &rows);
    let deck = "Routed counts requests that ended well after fallback; without routing, the same requests by their first attempt alone. Both over complete UTC days.";
    let page = Page {
        shell: Shell::new(ctx, Some(data), "Routed against pinned", &finding),
        deck: Html::text(deck),
        totals: totals(&overall),
        table: table(ctx, data, &rows, sort),
        downloads: controls::downloads(ctx),
        finding,
    };
    Ok(page.render()?)
}

fn finding([_, week, _]: &[Routing; 3], rows: &[(Group, [Routing; 3])]) -> String {
    let Ok(week) = week.boost else {
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

fn totals(overall: &[Routing; 3]) -> Table {
    let mut rows = Vec::new();
    for (days, routing) in WINDOWS.iter().zip(overall) {
        for (limits, boost) in [(false, &routing.boost), (true, &routing.boost_with_rate_limits)] {
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
                        cells::optional(routing.attempts_per_request.map(|value| format::decimal(value, 2)))
                            .into()
                    },
                    match boost {
                        Ok(boost) => format::tally(boost.n).into(),
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

/// Uptime of the best provider, and its name.
pub(super) fn best_pinned(data: &Dataset, routing: &Routing) -> Html {
    routing.best_pinned.map_or_else(cells::unknown, |best| {
        Html::markup(format!(
            "{} <span class=\"by\">{}</span>",
            format::uptime(best.uptime),
            Html::text(data.provider_name(best.provider))
        ))
    })
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

fn table(ctx: &PageContext, data: &Dataset, rows: &[(Group, [Routing; 3])], sort: Sort) -> Table {
    let head = |key: SortKey, name: &str, unit: &str, class: &'static str| Column {
        head: Html::link(&controls::sorted(ctx, key), name),
        unit: unit.to_owned(),
        class,
        sorted: (sort.key == key).then_some(if sort.descending { "descending" } else { "ascending" }),
    };
    let table_rows = rows
        .iter()
        .map(|(group, [day, week, month])| {
            let best = best_pinned(data, week);
            let over_best = week.over_best.map_or_else(cells::unknown, |points| cells::points(points, 2));
            let attempts = week.attempts_per_request.map(|value| format::decimal(value, 2));
            let attempts = cells::optional(attempts);
            let requests = cells::optional(month.all_requests.map(format::tally));
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
                    ("Requests, 28 d".to_owned(), requests),
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
