//! Data files: the rows of a page's view as JSON and CSV.

mod csv;
mod json;
mod number;

use crate::url::Format;
use crate::views::View;

/// The body of a file.
pub(crate) fn write<V: View>(view: &V, format: Format) -> String {
    match format {
        Format::Csv => csv::write(view.rows()),
        Format::Json | Format::Html => json::write(view) + "\n",
    }
}
