//! What pages show and files hold: for each page that has files a function of the page's context and one dataset, which
//! makes typed rows. Pages word and draw them, `files` writes them down, the description of the API is made of their
//! types. What it does not do: format anything for people, or look at a table.
//!
//! A body is a struct: its members are those of the JSON body in their order, `data` is the table that CSV holds too.
//! Members marked `#[serde(skip)]` are for pages alone.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::data::{Dataset, Figure, NotEnough, Quantiles};
use crate::url::{Outside, Resolved};

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
pub use value::{Amount, Count, Shown, Spend, Truth, Usd};

/// One row of a table. Every row has the same members, those of [`Default`] too, which a table without rows is headed by.
pub trait Row: Serialize + ToSchema + Default {}

impl<T: Serialize + ToSchema + Default> Row for T {}

/// The body of the files of one kind of page.
pub trait View: Serialize + ToSchema {
    type Row: Row;

    /// The table that all formats hold.
    fn rows(&self) -> &[Self::Row];
}

/// Schemas of the bodies of all files and of all that they are made of, by name.
pub fn schemas() -> BTreeMap<String, RefOr<Schema>> {
    let mut all = Vec::new();
    add::<cross::Cross>(&mut all);
    add::<endpoints::Endpoints>(&mut all);
    add::<endpoints::Model>(&mut all);
    add::<growth::Growth>(&mut all);
    add::<languages::Languages>(&mut all);
    add::<provider::Provider>(&mut all);
    add::<providers::Providers>(&mut all);
    add::<rankings::Rankings>(&mut all);
    add::<routing::Routed>(&mut all);
    add::<share::Share>(&mut all);
    let mut schemas: BTreeMap<String, RefOr<Schema>> = all.into_iter().collect();
    for (name, schema) in &mut schemas {
        if let RefOr::T(Schema::Object(object)) = schema
            && *name != Meta::name()
        {
            // What is unknown is written as null, so that each member is always there.
            object.required = object.properties.keys().cloned().collect();
        }
    }
    schemas
}

fn add<V: View>(all: &mut Vec<(String, RefOr<Schema>)>) {
    all.push((V::name().into_owned(), V::schema()));
    V::schemas(all);
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
fn withheld(reasons: &[(&str, Option<NotEnough>)]) -> Option<String> {
    let texts: Vec<String> =
        reasons.iter().filter_map(|(name, why)| why.map(|why| format!("{name}: {}", reason(&why)))).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn reason(why: &NotEnough) -> String {
    match (why.needs, why.needs_users, why.n) {
        (needs, None, Some(n)) => format!("n = {n}, needs {needs}"),
        (needs, None, None) => format!("needs n = {needs}"),
        (0, Some(users), _) => format!("needs {users} users"),
        (needs, Some(users), _) => format!("needs n = {needs} and {users} users"),
    }
}

/// Why a window that lies outside the history has no rows.
pub fn empty_because(data: &Dataset, resolved: &Resolved) -> Option<String> {
    resolved.outside.map(|side| match side {
        Outside::Before => format!("the history begins on {}", crate::format::date(data.first_date())),
        Outside::After => "these days have not begun".to_owned(),
    })
}

#[cfg(test)]
mod tests;
