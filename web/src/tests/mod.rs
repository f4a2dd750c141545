//! The site over a small warehouse: numbers, addresses, headers, validators.

mod addresses;
mod numbers;
mod routes;
mod swaps;
