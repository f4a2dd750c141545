//! What the tables of routing share: their columns, and the statement from rows of `routing_hourly` to figures.

mod columns;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use columns::{BEST, FIGURES, KEYS};
