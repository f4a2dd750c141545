//! What pages show and files hold: for each page that has files a function of the page's context and one dataset, which
//! makes typed rows. Pages word and draw them, `files` writes them down, the description of the API is made of their
//! types. What it does not do: format anything for people, or look at a table.
//!
//! A body is a struct: its members are those of the JSON body in their order, `data` is the table that CSV holds too.
//! Members marked `#[serde(skip)]` are for pages alone.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::data::{Dataset, Figure, Quantiles, Untold, UserQuery};
use crate::place::{Body, PageContext, PageError, Schemas};
use crate::url::Query;

pub mod cross;
pub mod endpoints;
pub mod growth;
pub mod languages;
pub mod meta;
pub mod provider;
pub mod providers;
pub mod rankings;
pub mod routing;
pub mod share;
mod value;

pub use meta::Meta;
pub use value::{Amount, Count, Growth, Reason, Shown, Spend, Truth, Usd};

/// One row of a table. Every row has the same members, those of [`Default`] too, which a table without rows is headed by.
pub trait Row: Serialize + ToSchema + Default {}

impl<T: Serialize + ToSchema + Default> Row for T {}

/// The body of the files of one kind of page.
pub trait View: Serialize + ToSchema + Sized {
    type Row: Row;
    /// All that it can read of its query.
    type Query: Query;

    /// What a page with this query shows. Names in its address are those that the dataset knows.
    ///
    /// # Errors
    /// When the page names something unknown.
    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError>;

    /// Users figures that it tells, see [`Dataset::load_users`].
    fn users(_: &PageContext, _: &Self::Query, _: &Dataset) -> Vec<UserQuery> {
        Vec::new()
    }

    /// The table that all formats hold.
    fn rows(&self) -> &[Self::Row];
}

/// The form of a view in JSON.
pub const fn body<V: View>() -> Body {
    Body { schema: reference::<V>, parts: parts::<V> }
}

fn reference<V: View>() -> RefOr<Schema> {
    Ref::from_schema_name(V::name()).into()
}

fn parts<V: View>(all: &mut Schemas) {
    let mut own = vec![(V::name().into_owned(), V::schema())];
    V::schemas(&mut own);
    for (name, schema) in &mut own {
        if let RefOr::T(Schema::Object(object)) = schema
            && *name != Meta::name()
        {
            // What is unknown is written as null, so that each member is always there.
            object.required = object.properties.keys().cloned().collect();
        }
    }
    all.extend(own);
}

/// One quantile of a measure.
fn quantile(figure: Figure<Quantiles>, of: fn(&Quantiles) -> f64) -> Shown {
    Shown(figure.map(|quantiles| of(&quantiles)))
}

/// What 90 % reach, where it is told.
fn p10(figure: Figure<Quantiles>) -> Option<f64> {
    figure.ok().and_then(|quantiles| quantiles.p10)
}

/// Why figures of a row are missing: `uptime: n = 37, needs 100; success: needs 20 users`.
fn withheld(reasons: &[(&str, Option<Untold>)]) -> Option<String> {
    let texts: Vec<String> =
        reasons.iter().filter_map(|(name, why)| why.map(|why| format!("{name}: {}", reason(&why)))).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn reason(why: &Untold) -> String {
    let why = match why {
        Untold::NotEnough(why) => why,
        Untold::NotYet(_) => return "not published yet".to_owned(),
    };
    match (why.needs, why.needs_users, why.n) {
        (needs, None, Some(n)) => format!("n = {n}, needs {needs}"),
        (needs, None, None) => format!("needs n = {needs}"),
        (0, Some(users), _) => format!("needs {users} users"),
        (needs, Some(users), _) => format!("needs n = {needs} and {users} users"),
    }
}

#[cfg(test)]
mod tests;
