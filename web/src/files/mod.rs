//! Data files: the rows of a page's view as JSON and CSV.

mod csv;
mod json;
mod number;

use std::marker::PhantomData;

use crate::data::{Dataset, UserQuery};
use crate::place::{File, PageContext, PageError, Write};
use crate::url::{Format, Query};
use crate::views::{self, View};

/// The file whose body is a view. `holds`: what one row is.
pub(crate) const fn of<V: View>(holds: &'static str) -> File {
    with_less::<V, V::Query>(holds)
}

/// Of a view that is asked no more than this.
pub(crate) const fn with_less<V: View, Q: Query>(holds: &'static str) -> File {
    File::of::<Less<V, Q>>(holds, views::body::<V>())
}

struct Less<V, Q>(PhantomData<(V, Q)>);

impl<V: View, Q: Query> Write for Less<V, Q> {
    type Query = Q;

    fn write(ctx: &PageContext, query: &Q, data: &Dataset, format: Format) -> Result<String, PageError> {
        Ok(write(&V::of(ctx, &V::Query::of(&query.state()), data)?, format))
    }

    fn users(ctx: &PageContext, query: &Q, data: &Dataset) -> Vec<UserQuery> {
        V::users(ctx, &V::Query::of(&query.state()), data)
    }
}

/// The body of a file.
fn write<V: View>(view: &V, format: Format) -> String {
    match format {
        Format::Csv => csv::write(view.rows()),
        Format::Json | Format::Html => json::write(view) + "\n",
    }
}
