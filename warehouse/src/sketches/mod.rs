//! Sketches whose stored bytes do not depend on the order of updates or merges, and their SQL functions.
//!
//! Arithmetic and byte format of each sketch lie in separate files; `ledger.rs` beside them holds the many
//! small sketches of one aggregation at once. A byte format never changes in place: a new one gets a new
//! version byte, and the reader of the old one stays.

pub mod ddsketch;
pub mod hll;
mod sql;
mod varint;

pub use sql::{ddsketches, hlls, register};
