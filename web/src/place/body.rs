//! The form of a body in JSON, for the description of the API.

use utoipa::openapi::{RefOr, Schema};

/// Schemas by name.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// The form of a body, and of what it refers to.
pub struct Body {
    pub schema: fn() -> RefOr<Schema>,
    pub parts: fn(&mut Schemas),
}
