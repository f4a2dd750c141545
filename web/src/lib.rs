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
mod files;
mod follow;
pub mod format;
mod gate;
mod headers;
mod history;
mod metrics;
pub mod pages;
mod plain;
mod rate_limit;
mod respond;
mod routes;
mod sitemap;
mod state;
#[cfg(test)]
mod tests;
mod units;
pub mod url;
pub mod views;

pub use follow::Progress;
pub use history::{History, Written};
pub use rate_limit::ClientKey;
pub use routes::{app, serve};
pub use state::{BUILD, Site};
