//! Data files: the rows of a page's view as JSON and CSV.

mod csv;
mod json;
mod number;

use crate::data::Dataset;
use crate::place::{File, PageContext, PageError};
use crate::url::{Format, Param};
use crate::views::{self, View};

/// The file whose body is a view. `holds`: what one row is.
pub(crate) const fn of<V: View>(holds: &'static str, params: &'static [Param]) -> File {
    File::new(holds, params, write::<V>, views::body::<V>())
}

fn write<V: View>(context: &PageContext, dataset: &Dataset, format: Format) -> Result<String, PageError> {
    let view = V::of(context, dataset)?;
    Ok(match format {
        Format::Csv => csv::write(view.rows()),
        Format::Json | Format::Html => json::write(&view) + "\n",
    })
}
