//! The site over a small warehouse: numbers, addresses, headers, validators.

mod addresses;
mod hidden;
mod numbers;
mod routes;
mod swaps;
