//! Sketches whose stored bytes do not depend on the order of updates or merges, and their SQL functions.
//!
//! Arithmetic and byte format of each sketch lie in separate files; `ledger.rs` beside them holds the many
//! small sketches of one aggregation at once. A byte format never changes in place: a new one gets a new
//! version byte, and the reader of the old one stays.

pub mod ddsketch;
pub mod hll;
mod many;
mod merging;
mod radix;
mod sql;
#[cfg(test)]
mod tests;
mod varint;

use std::fmt::Debug;
use std::ops::Range;

use arrow::array::BinaryArray;

pub use sql::register;

/// Sketches of groups in an order of the caller's.
pub trait Runs: Debug + Send {
    /// For each run of neighbours the bytes of one sketch of them all; null where none has a value.
    fn merged(&self, runs: &[Range<usize>]) -> BinaryArray;
}
