//! The site over a small warehouse: numbers, addresses, headers, validators.

mod addresses;
mod edges;
mod faults;
mod filling;
mod health;
mod hidden;
mod invariance;
mod live;
mod money;
mod not_yet;
pub(crate) mod numbers;
mod questions;
mod routes;
mod routing;
mod sitemap;
mod sources;
mod swaps;
mod views;
