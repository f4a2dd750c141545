//! A table with caption, scopes and a focusable scroll region; what a phone cannot show folds below its row.

use askama::Template;

use super::html::Html;

/// One column.
#[derive(Clone, Debug, Default)]
pub struct Column {
    pub head: Html,
    /// Unit and window below the head; may be empty.
    pub unit: String,
    pub class: &'static str,
    /// `ascending` or `descending` where the rows are ordered by this column.
    pub sorted: Option<&'static str>,
}

impl Column {
    pub fn new(head: &str, class: &'static str) -> Self {
        Self { head: Html::text(head), class, ..Self::default() }
    }

    /// A right-aligned column with its unit.
    pub fn number(head: &str, unit: &str) -> Self {
        Self { unit: unit.to_owned(), ..Self::new(head, "num") }
    }

    /// A column whose head only assistive technology reads.
    pub fn silent(head: &str, class: &'static str) -> Self {
        Self {
            head: Html::markup(format!("<span class=\"vh\">{}</span>", Html::text(head))),
            class,
            ..Self::default()
        }
    }

    /// Left out on a phone.
    pub fn optional(self) -> Self {
        let class = match self.class {
            "num" => "num opt",
            "g" => "g opt",
            _ => "opt",
        };
        Self { class, ..self }
    }

    pub fn defined(self, anchor: &str, head: &str) -> Self {
        Self { head: super::cells::term(anchor, head), ..self }
    }

    pub fn descending(self) -> Self {
        Self { sorted: Some("descending"), ..self }
    }

    pub fn unit(self, unit: &str) -> Self {
        Self { unit: unit.to_owned(), ..self }
    }
}

/// One cell; its class comes from its column unless it has its own.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub html: Html,
    /// The cell that names the row.
    pub heads_row: bool,
}

impl From<Html> for Cell {
    fn from(html: Html) -> Self {
        Self { html, heads_row: false }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Html::text(&text).into()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Html::text(text).into()
    }
}

impl Cell {
    pub fn head(html: Html) -> Self {
        Self { html, heads_row: true }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Row {
    pub class: &'static str,
    /// Anchor of the row; may be empty.
    pub id: String,
    pub cells: Vec<Cell>,
    /// Term and figure of what folds below the row on a phone.
    pub more: Vec<(String, Html)>,
}

impl Row {
    pub fn new(cells: Vec<Cell>) -> Self {
        Self { cells, ..Self::default() }
    }

    pub fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }
}

#[derive(Clone, Debug, Default, Template)]
#[template(path = "parts/table.html")]
pub struct Table {
    /// The finding; may be empty when a heading above says it.
    pub title: String,
    /// Measure, window, as-of.
    pub note: Html,
    /// Name of the scroll region.
    pub label: String,
    pub class: &'static str,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// Said instead of rows when there are none.
    pub empty: String,
}

impl askama::filters::HtmlSafe for Table {}

impl Table {
    fn row_class(&self, row: &Row) -> String {
        let folds = if row.more.is_empty() { "" } else { "has-more" };
        match (row.class, folds) {
            ("", "") => String::new(),
            ("", class) | (class, "") => format!(" class=\"{class}\""),
            (class, folds) => format!(" class=\"{class} {folds}\""),
        }
    }

    fn class_of(&self, index: &usize) -> String {
        let class = self.columns.get(*index).map_or("", |column| column.class);
        if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") }
    }
}
