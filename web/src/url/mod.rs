//! Addresses: the path says what, the query says how. Every state has exactly one canonical address.

mod parse;
mod path;
mod print;
mod state;
mod typed;
mod values;

pub use parse::{Parsed, Problem, Why, parse};
pub use path::{API, Asked, Format, MAX_NAME, asked, fill, is_sayable, names_of};
pub use print::print;
pub use state::{By, Outside, Param, Period, Resolved, Sort, SortKey, State, Theme, Variants, View, Vs};
pub use typed::Query;
pub(crate) use typed::query;
pub use values::Values;

#[cfg(test)]
mod tests;
