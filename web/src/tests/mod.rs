//! The site over a small warehouse: numbers, addresses, headers, validators.

mod addresses;
mod hidden;
mod money;
mod numbers;
mod routes;
mod swaps;
