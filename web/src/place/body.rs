//! The form of a body in JSON, for the description of the API.

use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Object, Ref, RefOr};

const ROWS: &str = "Rows";

/// Schemas by name.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// The form of a body, and of what it refers to.
pub struct Body {
    pub schema: fn() -> RefOr<Schema>,
    pub parts: fn(&mut Schemas),
}

impl Body {
    /// Rows whose form nothing says.
    pub const ROWS: Self = Self {
        schema: || Ref::from_schema_name(ROWS).into(),
        parts: |schemas| schemas.push((ROWS.to_owned(), rows())),
    };

    /// As its type says.
    pub const fn of<T: ToSchema>() -> Self {
        Self { schema: T::schema, parts: T::schemas }
    }
}

fn rows() -> RefOr<Schema> {
    let object =
        |meaning: &str| ObjectBuilder::new().schema_type(Type::Object).description(Some(meaning)).build();
    let rows = ArrayBuilder::new()
        .items(object("A value that is withheld is null and named in `withheld`."))
        .build();
    let meta = object("As of when, of which days and versions, in which unit, how to cite it.");
    let body: Object = ObjectBuilder::new()
        .property("meta", meta)
        .property("data", rows)
        .required("meta")
        .required("data")
        .build();
    body.into()
}
