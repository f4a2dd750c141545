//! `label_cells`: partial sums of labelled traffic per commit; no request id and no stable user key.

mod row;
mod schema;

pub use row::{Builder, LabelCellRow};
pub use schema::schema;
