//! Tables, files, and how to read them with other engines.

use super::PLACES;
use crate::place::{self, PageContext, PageError, Place, Section};
use crate::url::names_of;
use askama::Template;
use bellwether_metrics::METRICS;
use bellwether_warehouse::tables::declared::{Audience, Declaration};

use super::parts::{Cell, Column, Html, Row, Table};
use super::shell::Shell;
use crate::data::Dataset;

pub static DATA: Place = Place {
    path: "/data",
    title: "Data",
    section: Section::Data,
    navigation: Some("Data"),
    in_sitemap: true,
    before_traffic: true,
    page: Some(place::Page::of::<Page>()),
    ..Place::DEFAULT
};

#[derive(Template)]
#[template(path = "data.html")]
struct Page {
    shell: Shell,
    tables: Table,
    files: Table,
    /// None: nothing was published yet.
    publication: Option<i64>,
    folded: String,
    usage: String,
    health: String,
}

impl place::Draw for Page {
    type Query = ();

    fn draw(ctx: &PageContext, _: &(), data: &Dataset) -> Result<String, PageError> {
        let tables = Table {
            label: "Tables".to_owned(),
            class: "dense",
            columns: vec![
                Column::new("Table", "nw"),
                Column::new("One row", ""),
                Column::new("Holds", "").optional(),
                Column::number("Version", "now"),
            ],
            rows: public()
                .map(|table| Row {
                    id: table.name.to_owned(),
                    ..Row::new(vec![
                        Cell::head(Html::markup(format!("<code>{}</code>", table.name))),
                        table.grain.into(),
                        prose(table.meaning).into(),
                        version(data, table.name).into(),
                    ])
                })
                .collect(),
            ..Table::default()
        };
        let files = Table {
            label: "Files".to_owned(),
            class: "dense",
            columns: vec![
                Column::new("Page", "nw"),
                Column::new("Holds", "").optional(),
                Column::new("Files", "nw"),
            ],
            rows: files()
                .map(|(path, what)| {
                    Row::new(vec![
                        Cell::head(Html::link(path, path)),
                        what.into(),
                        Html::markup(format!(
                            "<a href=\"{path}.csv\">CSV</a> · <a href=\"{path}.json\">JSON</a>"
                        ))
                        .into(),
                    ])
                })
                .collect(),
            ..Table::default()
        };
        let page = Page {
            shell: Shell::new(
                ctx,
                Some(data),
                "Data",
                "Open Delta tables, and the numbers of every page as CSV and JSON.",
            ),
            tables,
            files,
            publication: data.publication,
            folded: data.folded.to_string(),
            usage: version(data, "usage_by_day"),
            health: version(data, "health_by_day"),
        };
        Ok(page.render()?)
    }
}

/// Pages that have files and no names in their path, and what one row is.
fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    let fixed = PLACES.iter().filter(|place| place.page.is_some() && names_of(place.path).next().is_none());
    fixed.filter_map(|place| Some((place.path, place.file.as_ref()?.holds)))
}

/// Published tables that everybody may have.
fn public() -> impl Iterator<Item = &'static Declaration> {
    METRICS.iter().map(|metric| metric.table).filter(|table| table.audience == Audience::Everyone)
}

/// With names between backticks as code.
fn prose(text: &str) -> Html {
    let pieces = text.split('`').enumerate().map(|(position, piece)| match position % 2 {
        0 => Html::text(piece).to_string(),
        _ => format!("<code>{}</code>", Html::text(piece)),
    });
    Html::markup(pieces.collect::<String>())
}

/// Of the publication that pages are of.
fn version(data: &Dataset, table: &str) -> String {
    data.published.get(table).map_or("–".to_owned(), ToString::to_string)
}
