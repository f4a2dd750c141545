//! A chart with its finding, its measure, the same data as a table, and the files to download.

use askama::Template;

use super::html::Html;
use super::table::Table;

/// Files with the data of a page or a figure.
#[derive(Clone, Debug, Default)]
pub struct Downloads {
    links: Vec<(&'static str, String)>,
}

impl Downloads {
    /// Name and address of each file.
    pub fn new(links: Vec<(&'static str, String)>) -> Self {
        Self { links }
    }

    pub fn links(&self) -> &[(&'static str, String)] {
        &self.links
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "parts/figure.html")]
pub struct Figure {
    pub id: String,
    /// The finding.
    pub title: String,
    /// Measure, unit, window.
    pub note: Html,
    pub svg: Html,
    pub table: Table,
    pub downloads: Downloads,
    /// Shows the key of uptime classes.
    pub key: bool,
    /// Said instead of the chart; may be empty.
    pub missing: Html,
}

impl askama::filters::HtmlSafe for Figure {}

/// The key of an uptime strip: one sample per class.
#[derive(Clone, Copy, Debug, Default, Template)]
#[template(path = "parts/key.html")]
pub struct Strip;

impl askama::filters::HtmlSafe for Strip {}
