//! Tables, files, and how to read them with other engines.

use askama::Template;

use super::context::{PageContext, PageError};
use super::parts::{Cell, Column, Html, Row, Table};
use super::shell::{Section, Shell};
use crate::data::Dataset;

/// Public tables: what one row is and what for. Tables with user keys or text positions are the operator's.
const TABLES: [(&str, &str, &str); 8] = [
    (
        "usage_hourly",
        "hour × model × variant × provider, 100 days",
        "tokens, served requests, spend, media, context sizes",
    ),
    ("usage_daily", "date × model × variant × provider", "the same, with users as HyperLogLog"),
    ("health_5m", "5 minutes × endpoint, 8 days", "attempts by outcome and error class, speed sketches"),
    ("health_hourly", "hour × endpoint, 100 days", "the same"),
    ("health_daily", "date × endpoint", "the same"),
    ("routing_hourly", "hour × model", "routed, without routing, attempts per request"),
    ("intake_daily", "date × source", "rows, rejects, duplicates"),
    ("attempts", "one call to a provider", "everything the rollups are made of; operators only"),
];

/// Files of pages: path without suffix and what it holds.
const FILES: [(&str, &str); 9] = [
    ("/rankings/models", "models by tokens, requests, spend, users"),
    ("/rankings/authors", "authors"),
    ("/rankings/providers", "providers"),
    ("/rankings/share", "weekly shares over a year"),
    ("/rankings/growth", "active models and volumes by month"),
    ("/rankings/languages", "natural languages with intervals"),
    ("/providers", "provider directory"),
    ("/status", "daily uptime of every provider"),
    ("/uptime", "routed against pinned by model"),
];

#[derive(Template)]
#[template(path = "data.html")]
struct Page {
    shell: Shell,
    tables: Table,
    files: Table,
    folded: String,
}

/// # Errors
/// When the template cannot be rendered.
pub fn render(ctx: &PageContext, data: &Dataset) -> Result<String, PageError> {
    let tables = Table {
        label: "Tables".to_owned(),
        class: "dense",
        columns: vec![
            Column::new("Table", "nw"),
            Column::new("One row", ""),
            Column::new("Holds", "").optional(),
            Column::number("Version", "now"),
        ],
        rows: TABLES
            .iter()
            .map(|(name, grain, what)| {
                let version = data.versions.get(name).map_or("–".to_owned(), |version| version.to_string());
                Row {
                    id: (*name).to_owned(),
                    ..Row::new(vec![
                        Cell::head(Html::markup(format!("<code>{name}</code>"))),
                        (*grain).into(),
                        (*what).into(),
                        version.into(),
                    ])
                }
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
        rows: FILES
            .iter()
            .map(|(path, what)| {
                Row::new(vec![
                    Cell::head(Html::link(path, path)),
                    (*what).into(),
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
            Section::Data,
            "Data",
            "Open Delta tables, and the numbers of every page as CSV and JSON.",
        ),
        tables,
        files,
        folded: data.folded.to_string(),
    };
    Ok(page.render()?)
}
