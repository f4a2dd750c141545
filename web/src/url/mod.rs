//! Addresses: the path says what, the query says how. Every state has exactly one canonical address.

mod parse;
mod print;
mod route;
mod state;

pub use parse::{Parsed, Problem, Why, parse};
pub use print::print;
pub use route::{Format, Page, Route, parse_path};
pub use state::{By, Outside, Param, Period, Resolved, Sort, SortKey, State, Theme, Variants, View, Vs};

#[cfg(test)]
mod tests;
