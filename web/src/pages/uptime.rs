//! Routed against pinned: what fallback adds, model by model.

use crate::files;
use crate::place::{self, PageContext, PageError, Place, Section};
use crate::url::{Sort, SortKey};
use askama::Template;

use super::controls;
use super::parts::{Cell, Column, Downloads, Html, Row, Table, cells};
use super::ranked;
use super::shell::Shell;
use crate::data::{Dataset, Group, Untold};
use crate::format;
use crate::views::providers::Sorted;
use crate::views::routing::{Routed, RoutingRow};
use crate::views::{Shown, View as _};

pub static UPTIME: Place = Place {
    path: "/uptime",
    api: Some("/api/v1/uptime"),
    title: "Routed against pinned",
    section: Section::Uptime,
    navigation: Some("Routing"),
    in_sitemap: true,
    page: Some(place::Page::of::<Page>()),
    file: Some(files::of::<Routed>("routed against pinned by model")),
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

impl place::Draw for Page {
    type Query = Sorted;

    fn draw(ctx: &PageContext, query: &Sorted, data: &Dataset) -> Result<String, PageError> {
        let view = Routed::of(ctx, query, data)?;
        let finding = finding(&view);
        let deck = "Routed counts requests that ended well after fallback; without routing, the same requests by their first attempt alone. Both over complete UTC days.";
        let page = Page {
            shell: Shell::new(ctx, Some(data), "Routed against pinned", &finding),
            deck: Html::text(deck),
            totals: totals(&view.all),
            table: table(ctx, query, data, &view),
            downloads: controls::downloads(ctx),
            finding,
        };
        Ok(page.render()?)
    }
}

fn finding(view: &Routed) -> String {
    let [_, week, _] = &view.all;
    let (Ok(routed), Ok(without)) = (week.routed.0, week.without_routing.0) else {
        if let Err(why @ Untold::NotYet(_)) = week.routed.0 {
            return format!("What routing adds is {}", cells::why(&why));
        }
        return "Not enough requests to tell what routing adds".to_owned();
    };
    let lifted = view.models().filter(|[_, week, _]| week.boost_pp.0.is_ok_and(|boost| boost >= 1.0)).count();
    let tail = match lifted {
        0 => String::new(),
        1 => "; one model gains a point or more".to_owned(),
        n => format!("; {} models gain a point or more", format::in_words(n)),
    };
    format!(
        "Fallback lifts the share of good answers from {}\u{a0}% to {}\u{a0}%{tail}",
        format::uptime(without),
        format::uptime(routed)
    )
}

/// Percentage points that routing adds.
pub(super) fn lift(row: &RoutingRow) -> Html {
    match &row.boost_pp.0 {
        Ok(points) => cells::points(*points, 2),
        Err(why) => cells::untold(why),
    }
}

pub(super) fn part(figure: Shown) -> Html {
    cells::figure(&figure.0, format::uptime)
}

pub(super) fn attempts(row: &RoutingRow) -> Html {
    cells::optional(row.attempts_per_request.map(|value| format::decimal(value, 2)))
}

fn totals(windows: &[RoutingRow]) -> Table {
    let mut rows = Vec::new();
    for window in windows {
        for (limits, row) in [(false, window), (true, &window.with_rate_limits())] {
            let head = if limits { "with rate limits".to_owned() } else { format!("{}\u{a0}d", row.days) };
            rows.push(
                Row::new(vec![
                    Cell::head(Html::text(&head)),
                    part(row.routed).into(),
                    part(row.without_routing).into(),
                    lift(row).into(),
                    if limits { "".into() } else { attempts(row).into() },
                    cells::optional(row.requests.map(format::tally)).into(),
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
pub(super) fn best_pinned(row: &RoutingRow) -> Html {
    row.best_pinned.zip(row.best_name.as_deref()).map_or_else(cells::unknown, |(uptime, name)| {
        Html::markup(format!("{} <span class=\"by\">{}</span>", format::uptime(uptime), Html::text(name)))
    })
}

fn table(ctx: &PageContext, query: &Sorted, data: &Dataset, view: &Routed) -> Table {
    let sort = query.sort.unwrap_or(Sort { key: SortKey::Requests, descending: true });
    let head = |key: SortKey, name: &str, unit: &str, class: &'static str| Column {
        head: Html::link(&controls::sorted(ctx, query, key), name),
        unit: unit.to_owned(),
        class,
        sorted: (sort.key == key).then_some(if sort.descending { "descending" } else { "ascending" }),
    };
    let table_rows = view
        .models()
        .map(|[day, week, month]| {
            let best = best_pinned(week);
            let over_best = week.over_best.map_or_else(cells::unknown, |points| cells::points(points, 2));
            let attempts = attempts(week);
            let requests = cells::optional(month.all_requests.map(format::tally));
            let name = week.id.map(|model| ranked::name(data, Group::Model(model))).unwrap_or_default();
            Row {
                cells: vec![
                    Cell::head(name),
                    part(week.routed).into(),
                    part(week.without_routing).into(),
                    best.clone().into(),
                    over_best.clone().into(),
                    lift(day).into(),
                    lift(week).into(),
                    lift(month).into(),
                    attempts.clone().into(),
                    requests.clone().into(),
                ],
                more: vec![
                    ("Best pinned, 7 d, %".to_owned(), best),
                    ("Routed over best pinned, pp".to_owned(), over_best),
                    ("Boost 1 d, pp".to_owned(), lift(day)),
                    ("Boost 28 d, pp".to_owned(), lift(month)),
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
        empty: match &view.all {
            [RoutingRow { requests: None, .. }, ..] => "Not published yet.".to_owned(),
            _ => "No routed request in 28 days.".to_owned(),
        },
        ..Table::default()
    }
}
