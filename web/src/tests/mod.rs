//! The site over a small warehouse: numbers, addresses, headers, validators.

mod numbers;
mod routes;
mod swaps;
