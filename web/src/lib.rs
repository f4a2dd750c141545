//! Pages, charts and data files over the rollups. What it does not do: compute rollups (`jobs`) or commit to a
//! table.

pub mod charts;
pub mod data;
pub mod format;
pub mod pages;
pub mod url;
