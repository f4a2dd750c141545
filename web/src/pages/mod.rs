//! Pages: one module per page, each a view struct with its template and the constant that says where it is found and
//! how it is made. A new page is such a module, its template, and a line of [`PLACES`].
//!
//! Pages link to each other by what is re-exported here, so that no page imports another one for a link.

mod author;
mod controls;
mod data_page;
mod growth;
mod health_view;
mod labelled;
mod languages;
mod leaderboards;
mod links;
mod methodology;
mod model;
mod model_providers;
mod movers;
mod overview;
pub(crate) mod parts;
mod places;
mod problem;
mod provider;
mod providers;
mod ranked;
mod rankings;
mod share;
mod shares;
mod shell;
mod speed_charts;
mod start;
#[cfg(test)]
mod tests;
mod uptime;
mod usage_charts;

pub use author::author_page;
pub use growth::GROWTH;
pub use languages::{LANGUAGES, cross_page, language_page};
pub use leaderboards::{AUTHORS, MODELS, PROVIDER_RANKING};
pub use model::{endpoints_of, model_page};
pub use problem::error;
pub use provider::provider_page;
pub use providers::PROVIDERS;
pub use share::SHARE;
pub use start::START;
pub use uptime::UPTIME;

use crate::place::Place;

/// Every page of the site, in the order of the navigation, of the sitemap and of the list of files.
pub static PLACES: [&Place; 21] = [
    &overview::OVERVIEW,
    &leaderboards::MODELS,
    &leaderboards::AUTHORS,
    &leaderboards::PROVIDER_RANKING,
    &share::SHARE,
    &growth::GROWTH,
    &languages::LANGUAGES,
    &languages::LANGUAGE,
    &languages::CROSS,
    &leaderboards::MODEL_LIST,
    &model::MODEL,
    &model::ENDPOINTS,
    &author::AUTHOR,
    &providers::PROVIDERS,
    &provider::PROVIDER,
    &providers::STATUS,
    &uptime::UPTIME,
    &data_page::DATA,
    &methodology::METHODOLOGY,
    &start::START,
    &problem::PROBLEM,
];
