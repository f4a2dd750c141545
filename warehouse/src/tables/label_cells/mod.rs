//! `label_cells`: partial sums of labelled traffic per commit; no request id and no stable user key.

mod schema;

pub use schema::schema;
