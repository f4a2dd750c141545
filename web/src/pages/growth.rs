//! Growth: active models and month over month volumes, running month apart.

use crate::files;
use crate::place::{self, PageContext, PageError, Place, Section};
use askama::Template;

use super::controls;
use super::parts::{Cell, Column, Downloads, Figure, Html, Row, Table, cells};
use super::shares::midnight;
use super::shell::Shell;
use crate::charts::{Caption, Columns};
use crate::data::{Change, Dataset};
use crate::format;
use crate::views::View as _;
use crate::views::growth::{Growth, MonthRow};

/// Months that are shown: a year and the running one.
const MONTHS: usize = 13;

pub static GROWTH: Place = Place {
    path: "/rankings/growth",
    api: Some("/api/v1/growth"),
    title: "Growth",
    section: Section::Growth,
    navigation: Some("Growth"),
    in_sitemap: true,
    page: Some(place::Page::of::<Page>()),
    file: Some(files::of::<Growth>("active models and volumes by month")),
    ..Place::DEFAULT
};

#[derive(Template)]
#[template(path = "growth.html")]
struct Page {
    shell: Shell,
    finding: String,
    deck: Html,
    active: Figure,
    volume: Figure,
    table: Table,
    downloads: Downloads,
}

impl place::Draw for Page {
    type Query = ();

    fn draw(ctx: &PageContext, _: &(), data: &Dataset) -> Result<String, PageError> {
        let view = Growth::of(ctx, &(), data)?;
        let months = view.data.get(view.data.len().saturating_sub(MONTHS)..).unwrap_or_default();
        let newest = months.iter().rposition(|month| month.complete.0);
        let finding = finding(months, newest);
        let deck = match view.six_months {
            Some(mean) => format!(
                "Over the last six complete months tokens {} {}\u{a0}% a month (geometric mean).",
                if mean < 0.0 { "fell" } else { "grew" },
                format::decimal(mean.abs() * 100.0, 1)
            ),
            None => "The mean growth of six months needs seven complete calendar months.".to_owned(),
        };
        let table = table(months);
        let page = Page {
            shell: Shell::new(ctx, Some(data), "Growth", &finding),
            deck: Html::text(&deck),
            active: active(months, table.clone(), controls::downloads(ctx)),
            volume: volume(months, table.clone(), controls::downloads(ctx)),
            table,
            downloads: controls::downloads(ctx),
            finding,
        };
        Ok(page.render()?)
    }
}

fn ratio(growth: Option<f64>) -> Change {
    growth.map_or(Change::Unknown, Change::Ratio)
}

fn finding(months: &[MonthRow], newest: Option<usize>) -> String {
    let Some(month) = newest.and_then(|index| months.get(index)) else {
        return "No complete calendar month yet".to_owned();
    };
    let tokens = format::compact(month.tokens.0 as f64).joined();
    let grew = cells::change_words(&ratio(month.tokens_growth))
        .map_or(String::new(), |words| format!(", {words} on the month before"));
    format!(
        "{} model variants were active in {}; they served {tokens} tokens{grew}",
        format::count(month.active_models),
        format::month_year(month.month)
    )
}

fn figure(id: &str, title: String, note: &str, svg: String, table: Table, downloads: Downloads) -> Figure {
    Figure {
        id: id.to_owned(),
        note: Html::text(note),
        svg: Html::markup(svg),
        table,
        downloads,
        key: false,
        missing: Html::default(),
        title,
    }
}

fn axis(months: &[MonthRow]) -> (Vec<chrono::DateTime<chrono::Utc>>, Vec<String>, usize) {
    let at = months.iter().map(|month| midnight(month.month)).collect();
    let names = months.iter().map(|month| format::month_short(month.month)).collect();
    let partial = months.iter().rposition(|month| month.complete.0).map_or(0, |last| last + 1);
    (at, names, partial)
}

fn active(months: &[MonthRow], table: Table, downloads: Downloads) -> Figure {
    let (at, names, partial_from) = axis(months);
    let outer: Vec<Option<f64>> = months.iter().map(|month| Some(month.active_models as f64)).collect();
    let inner: Vec<Option<f64>> = months.iter().map(|month| Some(month.active_models_100 as f64)).collect();
    let newest = partial_from.checked_sub(1).and_then(|index| months.get(index));
    let title = newest.map_or("Active models".to_owned(), |month| {
        format!(
            "{} model variants with a request in {}, {} with a hundred",
            format::count(month.active_models),
            format::month_year(month.month),
            format::count(month.active_models_100)
        )
    });
    let label = newest.map_or(String::new(), |month| format::count(month.active_models));
    let chart = Columns {
        caption: Caption {
            id: "active-c",
            title: &title,
            desc: "Calendar months, the running month hollow.",
        },
        unit: "models",
        at: &at,
        names: &names,
        outer: &outer,
        inner: Some(&inner),
        partial_from,
        label,
    };
    let svg = chart.render();
    figure(
        "active",
        title,
        "Model variants per calendar month: at least 1 request (pale), at least 100 (full); running month hollow",
        svg,
        table,
        downloads,
    )
}

fn volume(months: &[MonthRow], table: Table, downloads: Downloads) -> Figure {
    let (at, names, partial_from) = axis(months);
    let largest = months.iter().map(|month| month.tokens.0 as f64).fold(0.0, f64::max);
    let scale = format::Scale::of(largest);
    let outer: Vec<Option<f64>> =
        months.iter().map(|month| Some(month.tokens.0 as f64 / scale.divisor)).collect();
    let newest = partial_from.checked_sub(1).and_then(|index| months.get(index));
    let title = newest.map_or("Tokens per month".to_owned(), |month| {
        let words = cells::change_words(&ratio(month.tokens_growth));
        format!(
            "{} tokens in {}{}",
            format::compact(month.tokens.0 as f64).joined(),
            format::month_year(month.month),
            words.map_or(String::new(), |words| format!(", {words}"))
        )
    });
    let unit = scale.unit_of("tokens");
    let chart = Columns {
        caption: Caption {
            id: "volume-c",
            title: &title,
            desc: "Calendar months, the running month hollow.",
        },
        unit: &unit,
        at: &at,
        names: &names,
        outer: &outer,
        inner: None,
        partial_from,
        label: newest.map_or(String::new(), |month| scale.number(month.tokens.0 as f64)),
    };
    let svg = chart.render();
    figure(
        "volume",
        title,
        "Tokens of served requests per calendar month; running month hollow",
        svg,
        table,
        downloads,
    )
}

fn table(months: &[MonthRow]) -> Table {
    let largest = |value: fn(&MonthRow) -> f64| months.iter().map(value).fold(0.0, f64::max);
    let tokens = format::Scale::of(largest(|month| month.tokens.0 as f64));
    let requests = format::Scale::of(largest(|month| month.requests.0 as f64));
    let rows = months
        .iter()
        .rev()
        .map(|month| {
            let name = Html::markup(format!(
                "<time datetime=\"{}\">{}</time>{}",
                month.month.format("%Y-%m"),
                format::month_year(month.month),
                if month.complete.0 { "" } else { " <span class=\"by\">incomplete</span>" }
            ));
            Row::new(vec![
                Cell::head(name),
                format::count(month.active_models).into(),
                format::count(month.active_models_100).into(),
                cells::optional(month.new_models.map(format::count)).into(),
                tokens.number(month.tokens.0 as f64).into(),
                cells::change(&ratio(month.tokens_growth)).into(),
                requests.number(month.requests.0 as f64).into(),
                cells::change(&ratio(month.requests_growth)).into(),
            ])
            .class(if month.complete.0 { "" } else { "sub" })
        })
        .collect();
    Table {
        label: "Growth by month".to_owned(),
        note: Html::text(
            "Calendar months, UTC, newest first; change against the month before where both are complete",
        ),
        columns: vec![
            Column::new("Month", "nw"),
            Column::number("Active", "≥ 1 request"),
            Column::number("Active", "≥ 100 requests").optional(),
            Column::number("New models", "first request").optional(),
            Column::number("Tokens", tokens.unit),
            Column::number("Change", "% month"),
            Column::number("Requests", requests.unit).optional(),
            Column::number("Change", "% month").optional(),
        ],
        rows,
        empty: "No month yet.".to_owned(),
        ..Table::default()
    }
}
