//! Pages, charts and data files over the rollups. What it does not do: compute rollups (`jobs`) or commit to a
//! table.

pub mod admin;
pub mod assets;
mod cache;
pub mod charts;
mod compress;
pub mod config;
pub mod data;
pub mod error;
mod failure;
mod files;
mod follow;
pub mod format;
mod gate;
mod headers;
mod history;
mod layers;
mod metrics;
mod openapi;
pub mod pages;
pub mod place;
mod plain;
mod progress;
mod rate_limit;
mod respond;
mod routes;
mod sitemap;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod theme;
mod units;
pub mod url;
mod version;
pub mod views;

pub use history::{History, Written};
pub use progress::Progress;
pub use rate_limit::ClientKey;
pub use routes::{app, serve};
pub use state::Site;
pub use version::BUILD;
